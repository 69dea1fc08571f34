/*
 * fair: whether a thread may be walked now, or has to get on with its own work.
 *
 * Where a walk takes longer than the time to the next sample (a short period, a deep stack, a slow
 * machine) walks would follow each other for ever, and the thread would never get on. So a walk is
 * a debt, which time outside of the handler pays back, nanosecond for nanosecond; a thread whose
 * debt has grown is not walked until all is paid. It keeps at least half of its time.
 *
 * The caller passes the time (CLOCK_MONOTONIC), and keeps the struct, zeroed, for one thread.
 * Async-signal-safe. Refuses to count more than PROF_FAIR_LONGEST_NS of a walk: what takes longer
 * lost its CPU on the way.
 */
#ifndef RSPACK_PROF_STACK_FAIR_H
#define RSPACK_PROF_STACK_FAIR_H

#include <stdbool.h>
#include <stdint.h>

enum { PROF_FAIR_LONGEST_NS = 1000000, PROF_FAIR_DEBT_NS = 4000000 };

struct prof_fair {
  uint64_t left_ns; /* when the handler was left, 0: never */
  uint64_t debt_ns;
  bool is_sparing; /* until the debt is paid */
};

/* The handler begins: true: walk. */
bool prof_fair_enter(struct prof_fair *self, uint64_t now_ns);

/* It ends. */
void prof_fair_leave(struct prof_fair *self, uint64_t entered_ns, uint64_t now_ns);

#endif
