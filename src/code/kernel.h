/*
 * kernel: names of kernel addresses from /proc/kallsyms, read at the first look-up or, before it,
 * slice by slice.
 *
 * The caller calls from one thread, not node's main one: the kernel takes 40 ms to write its
 * 122,000 lines (5 to 12 MB), 330 ns a line, and has no way to ask for some of them; reading and
 * keeping them here adds a tenth. Once for each boot, where there is a stash (kernel_rows.h). So
 * nothing is read unless something asks. Only names of code are kept. Where kptr_restrict hides
 * addresses every line shows zeros: prof_kernel_note says so, and what to do; it reads no more than
 * the first slice. The stash is asked after that: what is hidden now is not told. Refuses: data
 * symbols, addresses of user space.
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
};

/* path NULL: /proc/kallsyms (tests pass a file of their own). NULL where memory ends. */
struct prof_kernel *prof_kernel_create(const char *path);
void prof_kernel_free(struct prof_kernel *self);

/* Keeps what was read in this folder (base/stash.h) for later processes, and takes it from there.
 * Before anything is read; NULL or "": not. */
void prof_kernel_stash(struct prof_kernel *self, const char *folder);

bool prof_kernel_find(struct prof_kernel *self, uint64_t address, struct prof_kernel_symbol *out);

/* Where the function at an address begins; false: none is known there, or not all was read yet. */
bool prof_kernel_start(const struct prof_kernel *self, uint64_t address, uint64_t *start);

/* Reads about this many bytes further. false: the whole was read already. */
bool prof_kernel_read(struct prof_kernel *self, size_t bytes);

/* Names kept; reads the rest first, as prof_kernel_find does. */
size_t prof_kernel_count(struct prof_kernel *self);

/* Why there are no names, one line; NULL where there are. */
const char *prof_kernel_note(struct prof_kernel *self);

#endif
