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
#include "stack/sampler.h"
#include "stack/splice.h"

/* What became of a sample. */
enum prof_join_fate {
  PROF_JOIN_MATCHED,  /* the walk's stack is its stack */
  PROF_JOIN_HANDLER,  /* taken in our handler: the stack of the walk before is below it */
  PROF_JOIN_BLOCKED,  /* SIGTRAP was blocked: the walk came later, from somewhere else */
  PROF_JOIN_OUTER,    /* the same, but at once and from further out: its callers are the sample's */
  PROF_JOIN_NO_STACK, /* no walk came (buffer full, or the signal was taken by another) */
  PROF_JOIN_ENDED,    /* the thread ended before it could walk */
  PROF_JOIN_FROZEN    /* at the end the thread is still in the kernel: the caller walks it */
};

struct prof_wait {
  uint64_t time_ns, weight;
  uint64_t ip, sp, bp;  /* user registers; ip 0: none (a kernel thread, a 32-bit one) */
  uint32_t kernel_node; /* the kernel's part, the caller's */
  uint32_t next;        /* join's own */
  uint16_t cpu;
  uint8_t flags; /* enum prof_sample_flag */
  uint8_t state; /* the caller's */
  uint8_t event; /* the same: of several, which */
  bool is_open;  /* the caller's: its weight is not known yet */
};

/* A walk, without its words. */
struct prof_join_last {
  uint64_t time_ns, ip, sp, frame, end_pc; /* time 0: there was none */
  uint32_t duration_ns;
  uint32_t node; /* its user part in the tree */
  uint8_t end;   /* enum prof_walk_end */
  uint8_t flags; /* enum prof_stack_flag */
};

struct prof_join_thread {
  uint32_t tid;
  uint32_t row; /* the caller's: index of the thread in the profile */
  bool ended;
  struct prof_splice_memo memo;
  uint32_t first, last;       /* of the waiting samples, UINT32_MAX none */
  struct prof_join_last walk; /* when emitting: the one that the fate speaks of */
};

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

const char *prof_join_fate_name(enum prof_join_fate fate);

#endif
