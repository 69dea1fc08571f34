/*
 * lookup: names for virtual addresses of a file that nothing has mapped: a profile whose places had
 * no names is given them later, from the file that has the symbols.
 *
 * Names are those of symbol.h, functions only: which helper was inlined into one is not asked.
 * Refuses files that are no ELF or have no executable segment (an error), and addresses without a
 * symbol (false).
 */
#ifndef RSPACK_PROF_CODE_LOOKUP_H
#define RSPACK_PROF_CODE_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

struct prof_error;
struct prof_lookup;
struct prof_module;
struct prof_named;

/* NULL: error tells. */
struct prof_lookup *prof_lookup_open(const char *path, struct prof_error *error);
void prof_lookup_close(struct prof_lookup *self);

const struct prof_module *prof_lookup_module(const struct prof_lookup *self);

/* The function at an address; what it points to lives as long as self. */
bool prof_lookup_name(struct prof_lookup *self, uint64_t address, struct prof_named *out);

#endif
