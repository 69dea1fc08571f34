/*
 * tail: the walk of a stack of which a copy of the innermost bytes was taken, continued in the live
 * memory of the thread, which has run on meanwhile.
 *
 * What the copy does not hold is read from the process, a piece at a time, as the walk asks for it:
 * further up the same stack, or on another one (`stacker`). A piece is trusted only when the last
 * PROF_TAIL_PROOFS return addresses that the walk found in the copy still stand where they stood,
 * looked up after the piece was read: while these calls have not returned, nothing further out has
 * changed. A recursion that returned and came back to the same depth from the same two places
 * cannot be told; docs/unwinding.md says how often that is.
 *
 * The caller provides the reader, one thread, and room for the words. Refuses: more than
 * PROF_TAIL_BYTES of live stack, copies with fewer return addresses: the walk of the copy alone is
 * what is left, and its end is PROF_WALK_TRUNCATED.
 */
#ifndef RSPACK_PROF_STACK_TAIL_H
#define RSPACK_PROF_STACK_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/unwind.h"

enum {
  PROF_TAIL_PROOFS = 2,
  PROF_TAIL_PIECE_BYTES = 16 << 10,
  PROF_TAIL_PIECES = 64,
  PROF_TAIL_BYTES = PROF_TAIL_PIECE_BYTES * PROF_TAIL_PIECES,
};

/* Bytes at address of the process, how many were readable (from the first on). Never faults. */
typedef size_t prof_tail_read(void *user, uint64_t address, void *out, size_t size);

struct prof_tail_counters {
  uint64_t asked;      /* copies that ended before the stack did */
  uint64_t joined;     /* continued, and all that was read is trusted */
  uint64_t changed;    /* refused: a return address is another by now */
  uint64_t unproven;   /* refused: too few return addresses in the copy */
  uint64_t unreadable; /* went on, but to memory that is not there, or to too much of it */
};

struct prof_tail {
  struct prof_unwind *unwind;
  prof_tail_read *read; /* NULL: copies stand alone */
  void *user;
  /* Code of a process that is not this one (struct prof_memory); NULL: this one's, or none. */
  bool (*code)(void *user, uint64_t address, uint8_t *out, unsigned count);
  void *code_user;
  struct prof_tail_counters counters;
  struct prof_tail_state *state; /* its own, see prof_tail_init */
};

/* 0, or -1: no memory. */
int prof_tail_init(struct prof_tail *self, struct prof_unwind *unwind, prof_tail_read *read,
                   void *user);
void prof_tail_free(struct prof_tail *self);

/* This process's memory, by process_vm_readv. */
size_t prof_tail_read_self(void *unused, uint64_t address, void *out, size_t size);

/* A dump of size bytes that were at the stack pointer in regs. true: put together from two readings
 * (the walk may still end anywhere). */
bool prof_tail_walk(struct prof_tail *self, const struct prof_regs *regs, const void *dump,
                    size_t size, struct prof_walk *walk);

#endif
