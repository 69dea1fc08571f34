/*
 * stack: one walk, as the handler leaves it behind (stack/sampler.h) and the join takes it.
 *
 * Whoever makes one provides room for its words. Refuses: nothing.
 */
#ifndef RSPACK_PROF_STACK_STACK_H
#define RSPACK_PROF_STACK_STACK_H

#include <stdint.h>

enum prof_stack_flag {
  PROF_STACK_ASYNC = 1,   /* SIGTRAP was blocked at the overflow: the stack is a later one */
  PROF_STACK_GUESSED = 2, /* at least one frame was found without unwind rows */
  PROF_STACK_SCANNED = 4, /* and by scanning: frames are missing in between */
  PROF_STACK_HEAP = 8     /* of an allocation (heap/sampler.h) */
};

/* One walk: what the handler leaves behind. */
struct prof_stack {
  uint64_t time_ns; /* CLOCK_MONOTONIC, when the handler began */
  uint64_t ip, sp;  /* of the interrupted code */
  uint64_t frame;   /* stack pointer as the handler began; may be on another stack */
  uint64_t end_pc;  /* where the walk ended */
  uint32_t tid;
  uint32_t duration_ns; /* of the handler */
  uint32_t count;       /* words */
  uint8_t end;          /* enum prof_walk_end */
  uint8_t flags;        /* enum prof_stack_flag */
  uint16_t cpu;
  uint64_t ticks;   /* of a CPU-time timer (perf/cputimer.h): its periods since the last; else 0 */
  uint64_t words[]; /* innermost first, see stack/unwind.h */
};

struct prof_walk;

/* Takes over where the walk ended, how, and how many words it has; flags are added. */
void prof_stack_take(struct prof_stack *self, const struct prof_walk *walk);

/* One walk of those that were left behind; valid during the call. */
typedef void prof_stack_visit(void *user, const struct prof_stack *stack);

#endif
