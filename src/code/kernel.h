/*
 * kernel: names of kernel addresses from /proc/kallsyms, read once, at the first look-up.
 *
 * The caller calls from one thread, not node's main one (the file is 5 to 12 MB of text: 122,000
 * lines take about 60 ms, nearly all of it the kernel's). Where kptr_restrict hides addresses every
 * line shows zeros: prof_kernel_available is then false and prof_kernel_note says why and what to
 * do. Refuses: data symbols, addresses of user space.
 */
#ifndef RSPACK_PROF_CODE_KERNEL_H
#define RSPACK_PROF_CODE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_kernel;

struct prof_kernel_symbol {
  const char *name;   /* NUL-terminated, owned by the prof_kernel */
  const char *module; /* "nf_tables", NULL: the kernel itself */
  uint64_t start;
  uint32_t index; /* the same for every address of one function */
};

/* path NULL: /proc/kallsyms (tests pass a file of their own). NULL where memory ends. */
struct prof_kernel *prof_kernel_create(const char *path);
void prof_kernel_free(struct prof_kernel *self);

bool prof_kernel_find(struct prof_kernel *self, uint64_t address, struct prof_kernel_symbol *out);

/* Both load the table if that was not done yet. */
bool prof_kernel_available(struct prof_kernel *self);
size_t prof_kernel_count(struct prof_kernel *self);

/* Why there are no names, one line; NULL where there are. */
const char *prof_kernel_note(struct prof_kernel *self);

#endif
