/*
 * counter: instructions in user mode of a process and all that it starts, by perf_event_open.
 *
 * Opened on a process before it calls exec, counting from there on (enable_on_exec) with every
 * thread and child of it (inherit). A machine with several kinds of cores has a PMU for each
 * (cpu_core, cpu_atom), all of which are opened and added up: event and PMU are told as
 * PERF_TYPE_HARDWARE with the PMU's type in the upper half of config (Linux 5.13,
 * include/uapi/linux/perf_event.h, PERF_PMU_TYPE_SHIFT).
 *
 * Refuses machines without such a counter and users who may not open it: prof_counter_open gives
 * -errno, and there is no count. Where a seccomp filter kills whoever asks (perf/lethal), -EPERM.
 */
#ifndef RSPACK_PROF_RUNNER_COUNTER_H
#define RSPACK_PROF_RUNNER_COUNTER_H

#include <stdint.h>

enum { PROF_COUNTER_PMUS = 4 };

struct prof_counter {
  int fds[PROF_COUNTER_PMUS];
  int count;
};

struct prof_count {
  uint64_t value;    /* scaled up where the counter had to be shared */
  double time_share; /* 0 to 1: of the time, in which it counted */
};

/* 0, or -errno of the first that did not open (none stays open then). */
int prof_counter_open(struct prof_counter *self, int pid);

/* After the process has ended. Closes it. 0, or -1 where nothing was counted. */
int prof_counter_take(struct prof_counter *self, struct prof_count *count);

#endif
