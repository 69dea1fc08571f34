/*
 * join: which walk belongs to which sample of the kernel's rings.
 *
 * A sample waits until its thread's next walk arrives: the signal is delivered before the thread
 * runs another instruction in user mode, so a walk whose stack pointer and instruction pointer are
 * the sample's own user registers is that sample's stack. Several samples taken within one system
 * call share one walk. A sample taken while the handler ran gets the stack that was being walked.
 * What fits nowhere is broken, with a reason.
 *
 * The caller passes each thread's samples and walks in order of time, a walk after every sample of
 * its thread that is not later, from one thread. Pure: no clock, no memory of others is read.
 * Refuses: samples beyond memory (-1, the caller counts them as lost).
 */
#ifndef RSPACK_PROF_STACK_JOIN_H
#define RSPACK_PROF_STACK_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "stack/stack.h"
#include "stack/waiting.h"

struct prof_join {
  struct prof_join_thread *threads;
  size_t thread_count, thread_capacity;
  struct prof_table thread_of; /* tid -> the latest thread with it */
  struct prof_wait *pool;
  size_t pool_count, pool_capacity;
  uint32_t free; /* of the pool */
  uint64_t waiting;
  uint64_t unmatched; /* counter: walks that no sample waited for */
};

typedef void prof_join_emit(void *user, struct prof_join_thread *thread,
                            const struct prof_wait *sample, enum prof_join_fate fate);

void prof_join_init(struct prof_join *self);
void prof_join_free(struct prof_join *self);

/* The living thread with this tid, or NULL. Valid until the next add. */
struct prof_join_thread *prof_join_find(struct prof_join *self, uint32_t tid);
struct prof_join_thread *prof_join_add(struct prof_join *self, uint32_t tid, uint32_t row);

/* sample->next need not be set. 0, or -1 where memory ends. */
int prof_join_sample(struct prof_join *self, struct prof_join_thread *thread,
                     const struct prof_wait *sample);

/* The sample of the thread that waits since last, or NULL. Valid until the next call. */
struct prof_wait *prof_join_newest(struct prof_join *self, const struct prof_join_thread *thread);

/* A walk; node is its user part in the tree. Emits every sample that it decides. */
void prof_join_walk(struct prof_join *self, struct prof_join_thread *thread,
                    const struct prof_stack *walk, uint32_t node, prof_join_emit *emit, void *user);

/* The thread has ended: what still waits is PROF_JOIN_ENDED. */
void prof_join_ended(struct prof_join *self, struct prof_join_thread *thread, prof_join_emit *emit,
                     void *user);

/* The recording is over: what still waits is PROF_JOIN_FROZEN. */
void prof_join_finish(struct prof_join *self, prof_join_emit *emit, void *user);

#endif
