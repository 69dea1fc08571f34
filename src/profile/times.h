/*
 * times: where a thread's wall time goes: on a CPU, blocked, or ready and without a CPU.
 *
 * A thread is told of in order of time: it went off its CPU, came onto one, was seen running by the
 * sampling clock. What it ran since it was last charged is the weight of the next running sample,
 * so that these sum up to the time on the CPU and not to the ticks that happened to fall into it.
 * What is left when it ends, less than a period, is nobody's (`rest_ns`).
 *
 * The caller provides CLOCK_MONOTONIC times. Pure. Refuses nothing: a transition that the records
 * lack (they were lost) is taken to have happened when it shows, and counted.
 */
#ifndef RSPACK_PROF_PROFILE_TIMES_H
#define RSPACK_PROF_PROFILE_TIMES_H

#include <stdbool.h>
#include <stdint.h>

/* Of a sample: what its weight is time of. */
enum prof_state {
  PROF_STATE_RUNNING,
  PROF_STATE_BLOCKED,  /* it waits for something else than a CPU */
  PROF_STATE_RUNNABLE, /* preempted: it waits for a CPU */
};

struct prof_times {
  uint64_t since_ns;   /* of the present state; 0: it had not begun */
  uint64_t on_ns;      /* on a CPU so far, the present stretch excluded */
  uint64_t charged_ns; /* of that, in samples */
  uint64_t off_ns;     /* off, the present stretch excluded */
  uint64_t rest_ns;    /* at the end: on a CPU and in no sample */
  uint32_t lost;       /* transitions that no record told of */
  uint8_t state;       /* enum prof_state */
  bool is_known;       /* the state; else only since when */
};

/* The thread existed as the recording began: what comes first tells what it did until then. */
void prof_times_begin(struct prof_times *self, uint64_t time_ns);

/* It leaves its CPU. */
void prof_times_out(struct prof_times *self, uint64_t time_ns, bool is_preempted);

/* It is on a CPU again. How long it was off; 0: that is not known. */
uint64_t prof_times_in(struct prof_times *self, uint64_t time_ns);

/* It was seen running: the time to charge to that sample. period_ns: of the clock, for a thread of
 * which nothing is known. */
uint64_t prof_times_tick(struct prof_times *self, uint64_t time_ns, uint64_t period_ns);

/* It, or the recording, has ended. How long it has been off until then; 0: it ran. */
uint64_t prof_times_end(struct prof_times *self, uint64_t time_ns);

#endif
