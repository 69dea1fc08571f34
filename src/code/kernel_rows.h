/*
 * kernel_rows: the names of kernel code as rows in order of address, and their way through the
 * user's stash (base/stash.h), which takes 2 ms where /proc/kallsyms takes 50.
 *
 * They hold for one boot (its id) with the same modules at the same places (/proc/modules). What
 * comes and goes unseen is left out: programs of BPF, trampolines of ftrace and kprobes. Code has
 * pages of its own for each owner (execmem gives out whole pages; Linux 6.18), so that a function
 * with nothing of its owner behind it is believed up to its page's end; what begins there is a row
 * without a name: whoever finds that asks /proc/kallsyms.
 * The caller provides rows with real addresses. Refuses: to keep rows of address 0.
 */
#ifndef RSPACK_PROF_CODE_KERNEL_ROWS_H
#define RSPACK_PROF_CODE_KERNEL_ROWS_H

#include <stddef.h>
#include <stdint.h>

struct prof_kernel_row {
  uint64_t start;
  uint32_t name;        /* offset into names; 0: none */
  uint32_t module : 30; /* offset into names, 0: the kernel itself */
  uint32_t is_weak : 1;
  uint32_t is_local : 1;
};

struct prof_kernel_rows {
  struct prof_kernel_row *rows; /* malloc'ed, as names */
  size_t count, capacity;
  char *names; /* NUL-terminated, the first is "" */
  size_t names_bytes, names_capacity;
};

/* Of this boot and its modules; 0: it cannot be told from others. */
uint64_t prof_kernel_rows_key(void);

/* -1: there are none under that key, and self is as it was. */
int prof_kernel_rows_load(struct prof_kernel_rows *self, const char *folder, uint64_t key);

/* Sorted by start; the key from before they were read. What cannot be kept is not. */
void prof_kernel_rows_save(const struct prof_kernel_rows *self, const char *folder, uint64_t key);

#endif
