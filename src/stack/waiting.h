/*
 * waiting: the rows of stack/join.h: a sample that waits for its thread's walk, what is kept of the
 * thread's last walk, and what becomes of the sample.
 *
 * Refuses: nothing.
 */
#ifndef RSPACK_PROF_STACK_WAITING_H
#define RSPACK_PROF_STACK_WAITING_H

#include <stdbool.h>
#include <stdint.h>

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

const char *prof_join_fate_name(enum prof_join_fate fate);

#endif
