/*
 * recording: the stages wired together, from rings and walks to samples in the calling-context
 * tree.
 *
 * All of it belongs to one thread (the profiler's), which creates, drains, finishes and frees it.
 * In it data flows one way: rings -> order -> records -> join with the walks -> splice -> tree.
 *
 * The caller provides the plan and where V8 keeps its bytecode; the JIT receiver (code/jit.h) is
 * process-wide and started by the caller. Refuses: what attach, rows and modules refuse.
 */
#ifndef RSPACK_PROF_SESSION_RECORDING_H
#define RSPACK_PROF_SESSION_RECORDING_H

#include <stddef.h>

#include "base/status.h"
#include "session/recording_state.h"

/* The stages alone: without events, sampler or anything of this process where replay_pid is set. 0,
 * or a status with nothing left open. */
int prof_recording_open(struct prof_recording *self, const struct prof_recording_options *options,
                        struct prof_error *error);

/* Opens everything and enables the events. 0, or a status with nothing left open. */
int prof_recording_start(struct prof_recording *self, const struct prof_recording_options *options,
                         struct prof_error *error);

/* One round; the timer's. */
void prof_recording_drain(struct prof_recording *self);

/* Only what a ring's wake-up asks for where stacks are dumps: nothing is decided. */
void prof_recording_take(struct prof_recording *self);

/* Disables the events and decides every sample that still waits. */
void prof_recording_finish(struct prof_recording *self);

/* Where self->is_held the struct must stay for ever, and what walks read stays with it.
 * May block on kernels 6.10 to 6.14 while a thread with a signal pending sleeps: call it when
 * nobody waits. */
void prof_recording_free(struct prof_recording *self);

/* The sampler's part is of the process: valid until the next recording. */
void prof_recording_counters(const struct prof_recording *self,
                             struct prof_recording_counters *out);
size_t prof_recording_bytes(const struct prof_recording *self); /* memory held */

#endif
