/*
 * clock: a clock's time as one number. Async-signal-safe where clock_gettime is (vdso).
 */
#ifndef RSPACK_PROF_BASE_CLOCK_H
#define RSPACK_PROF_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t prof_clock_ns(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A thread's CPU time, as the scheduler counts it: linux/posix-timers.h, MAKE_THREAD_CPUCLOCK(tid,
 * CPUCLOCK_SCHED). */
static inline clockid_t prof_thread_clock(int tid) {
  return (clockid_t)(~(unsigned)tid << 3 | 4 | 2);
}

/* CLOCK_MONOTONIC: the clock of samples, of V8's events and of process.hrtime. */
static inline uint64_t prof_now_ns(void) {
  return prof_clock_ns(CLOCK_MONOTONIC);
}

#endif
