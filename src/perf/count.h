/*
 * count: several events counted side by side, without samples: of this process and all that it
 * starts, of what the calling thread starts next, of another process, or of whole CPUs.
 *
 * Where there are more hardware events than counters the kernel takes turns: each reading says how
 * long its event was wanted and how long it was on a counter. On hybrid CPUs an event is opened
 * once per kind of core, and added up. The caller provides struct prof_os and uses one thread: the
 * one that opened. Refuses: events that do not count here (unless optional: they say why), that
 * cannot be in their group (PROF_BAD_EVENT), CPUs that are not online (PROF_BAD_OPTION), processes
 * that are not there or not ours (PROF_BAD_OPTION, PROF_PERMISSION).
 */
#ifndef RSPACK_PROF_PERF_COUNT_H
#define RSPACK_PROF_PERF_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "perf/choose.h"
#include "perf/event.h"
#include "perf/os.h"

enum prof_count_scope {
  PROF_COUNT_SELF,    /* every thread of this process, threads and processes that they start */
  PROF_COUNT_COMMAND, /* what the calling thread starts, each from its exec on */
  PROF_COUNT_PROCESS, /* every thread of pid, and what they start */
  PROF_COUNT_CPUS,    /* everything that runs on the CPUs */
};

struct prof_count_options {
  const char *events; /* events.h */
  enum prof_count_scope scope;
  bool optional; /* an event that does not count here is left out, with a reason */
  int pid;
  const char *cpus; /* "0-1,4"; NULL or "": all that are online */
};

struct prof_count_event {
  struct prof_event event; /* as opened */
  char requested[96];
  int group;        /* -1: alone */
  bool is_counted;  /* false: reason says why */
  char reason[160]; /* a few words */
};

struct prof_count_value {
  uint64_t value;
  uint64_t enabled_ns, running_ns; /* of all threads or CPUs together */
};

struct prof_count;

/* Nothing counts yet, but for PROF_COUNT_COMMAND, where an exec begins it. */
int prof_count_open(const struct prof_os *os, const struct prof_count_options *options,
                    struct prof_count **out, struct prof_error *error);
void prof_count_enable(struct prof_count *self);
void prof_count_disable(struct prof_count *self);
void prof_count_close(struct prof_count *self); /* NULL is fine */

size_t prof_count_size(const struct prof_count *self); /* events */
const struct prof_count_event *prof_count_event(const struct prof_count *self, size_t index);
/* values: prof_count_size. ending: the calling thread's counters are read first, not last, so that
 * reading at both ends of an interval adds little of itself to it. */
void prof_count_read(const struct prof_count *self, bool ending, struct prof_count_value *values);
const struct prof_plan_note *prof_count_notes(const struct prof_count *self, int *count);

#endif
