/*
 * funcs: all functions that one ELF file has symbols for, in the order of their addresses: what a
 * probe can be placed at.
 *
 * From .symtab (of the file or of its separate debug file), else .dynsym. Names are demangled as
 * the reports have them. Aliases of one address are one function. PLT stubs and split-off parts
 * (".cold", ".part.0") are left out: they are no calls.
 * Refuses: files that are no 64-bit ELF (PROF_BAD_FILE), files without symbols (PROF_BAD_FILE).
 */
#ifndef RSPACK_PROF_CODE_FUNCS_H
#define RSPACK_PROF_CODE_FUNCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_error;
struct prof_funcs;

struct prof_func {
  uint64_t address; /* virtual, of the file */
  uint64_t size;    /* bytes */
  uint64_t offset;  /* in the file: where a probe goes */
  const char *linker;
  const char *name; /* demangled */
};

int prof_funcs_open(const char *path, struct prof_funcs **out, struct prof_error *error);
void prof_funcs_close(struct prof_funcs *self);

size_t prof_funcs_count(const struct prof_funcs *self);
/* Texts are valid until the next call. false: left out (a stub, a part, an unreadable name). */
bool prof_funcs_at(struct prof_funcs *self, size_t index, struct prof_func *out);

/* The one with this linker name; false: none. */
bool prof_funcs_find(struct prof_funcs *self, const char *linker, struct prof_func *out);

/* Start of the function that holds an address, and whether it is a split-off part of the function
 * at `whole`. false: no symbol holds it. */
bool prof_funcs_holding(struct prof_funcs *self, uint64_t address, uint64_t *start, uint64_t *size);
bool prof_funcs_is_part(struct prof_funcs *self, uint64_t address, uint64_t whole);

/* Where a virtual address of code is in the file. */
bool prof_funcs_offset(const struct prof_funcs *self, uint64_t address, uint64_t *offset);

/* size bytes of code at a virtual address. 0, or -1 where the file does not have them. */
int prof_funcs_code(struct prof_funcs *self, uint64_t address, void *out, size_t size);

#endif
