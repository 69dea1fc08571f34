/*
 * stress: jobs that threads repeat while they are sampled. Each job does one round and returns 0,
 * or the number of the error that it must not have met (EINTR above all), after a note.
 *
 * A job is run by many threads at once; what it keeps from round to round is its thread's own.
 */
#ifndef RSPACK_PROF_TEST_LIVE_STRESS_H
#define RSPACK_PROF_TEST_LIVE_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct stress_job {
  const char *name;
  int (*round)(void);
  bool by_name; /* too greedy to run beside others: only where it is asked for */
};

/* calls.c: system calls; stacks.c: stacks, signals, code that comes and goes; threads.c. name NULL
 * ends. */
extern const struct stress_job stress_calls[], stress_stacks[], stress_threads[];

/* Kernel's number of the thread that has lent its thread-local storage to a bare clone; 0: none. */
extern __thread volatile int stress_maker;

#define NO_TSAN __attribute__((no_sanitize("thread")))

extern atomic_bool stress_is_over; /* rounds that take long look at it */

/* Prints what went wrong, and where; returns number, or 1 for 0. */
int stress_note(const char *what, int number);
#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition))                                                                              \
      return stress_note(#condition, errno);                                                       \
  } while (0)

/* Arithmetic for about so many microseconds, without a system call. */
void stress_spin(unsigned us);

/* How often the program's own SIGTRAP handler was called, and how often that was right. */
extern atomic_ulong stress_traps, stress_traps_wanted;
void stress_take_traps(void); /* installs the handler: before the profiler starts */

#endif
