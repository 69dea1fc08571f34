/*
 * guess: the next frame where code in an ELF image has no unwind row (stripped release bindings,
 * hand-written assembly, PLT stubs without an entry).
 *
 * In this order: a PLT stub by its bytes; rbp as a frame pointer when the call above it leads to
 * this very code; a scan up the stack for a return address that proves itself: behind a call
 * instruction, in code with a row (or in V8's) whose own caller is behind a call instruction again.
 * What was guessed is flagged, and a scan says how many bytes it skipped.
 *
 * For the walk alone; async-signal-safe. Refuses gaps above PROF_GUESS_REACH, and the profiler's
 * own frames, which its handler leaves behind.
 */
#ifndef RSPACK_PROF_STACK_GUESS_H
#define RSPACK_PROF_STACK_GUESS_H

#include "stack/step.h"

#define PROF_GUESS_REACH (512u << 10) /* bytes of stack that a scan looks through */

/* regs becomes the caller's. Returns the enum prof_walk_flag of the guess that held, 0 for none;
 * *gap_bytes: stack skipped, for a scan. */
uint32_t prof_guess_caller(struct prof_unwind *unwind, const struct prof_v8_map *v8,
                           struct prof_memory *memory, struct prof_regs *regs, bool is_exact,
                           uint64_t *gap_bytes);

/* A scan's result led nowhere: it was what a call that is over left behind. Goes on above it, with
 * the regs and the *gap_bytes of then; broken_at: the stack pointer of the last frame that was
 * plausible. False: nothing more is found. */
bool prof_guess_again(struct prof_unwind *unwind, const struct prof_v8_map *v8,
                      struct prof_memory *memory, struct prof_regs *regs, uint64_t *gap_bytes,
                      uint64_t broken_at);

#endif
