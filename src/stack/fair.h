/*
 * fair: whether a thread may be walked now, or has to get on with its own work.
 *
 * Where a walk takes longer than the time to the next sample (a short period, a deep stack, a slow
 * machine) walks would follow each other for ever, and the thread would never get on. So a walk is
 * a debt, which the thread's CPU time outside of the handler pays back, nanosecond for nanosecond;
 * a thread whose debt has grown is not walked until all is paid. (What is new to the unwinder takes
 * 100 to 200 us a walk: a worker's start owes 2 to 10 ms, which is no storm.) It keeps at least
 * half of its CPU time, however many others want the CPU.
 *
 * A thread's CPU time costs a system call, its time by the clock on the wall does not. So a thread
 * is calm at first: the handler's time is added up by the wall, which can only be too much, and at
 * each PROF_FAIR_LOOK_NS of it the CPU time since the last look is read once. Where that is not
 * twice as much the thread is watched: CPU time is read as the handler begins and as it ends, until
 * PROF_FAIR_WATCH samples in a row have found no debt.
 *
 * The caller passes the clock (the calling thread's CPU time), and keeps the struct, zeroed, for
 * one thread. Async-signal-safe as far as the clock is. Refuses: nothing; a clock that goes back is
 * taken as standing.
 */
#ifndef RSPACK_PROF_STACK_FAIR_H
#define RSPACK_PROF_STACK_FAIR_H

#include <stdbool.h>
#include <stdint.h>

enum { PROF_FAIR_LOOK_NS = 2000000, PROF_FAIR_DEBT_NS = 20000000, PROF_FAIR_WATCH = 64 };

typedef uint64_t prof_fair_clock(void); /* ns */

struct prof_fair {
  uint64_t spent_ns; /* calm: in the handler since the last look, by the wall */
  uint64_t mark_ns;  /* CPU time: calm, at the last look; watched, as the handler last ended */
  uint64_t entered_ns, debt_ns; /* CPU time, watched */
  uint32_t watch;               /* samples until the thread is calm; 0: it is */
  bool is_sparing;              /* until the debt is paid */
};

/* The handler begins: true: walk. */
bool prof_fair_enter(struct prof_fair *self, prof_fair_clock *cpu_ns);

/* It ends, and took spent_ns by the wall. */
void prof_fair_leave(struct prof_fair *self, uint64_t spent_ns, prof_fair_clock *cpu_ns);

#endif
