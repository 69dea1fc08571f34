/*
 * count_open: which events count here, and their descriptors: count.c's own, not for others.
 *
 * The caller provides a prepared struct prof_count. Refuses what count.h refuses.
 */
#ifndef RSPACK_PROF_PERF_COUNT_OPEN_H
#define RSPACK_PROF_PERF_COUNT_OPEN_H

#include "perf/count.h"
#include "perf/events.h"
#include "perf/pmu.h"

enum { COUNT_VARIANTS = 4 }; /* kinds of cores of one machine */

struct prof_count {
  const struct prof_os *os;
  enum prof_count_scope scope;
  int pid;
  int cpus[PROF_CPUS_MAX], cpu_count;
  uint64_t variants[COUNT_VARIANTS]; /* what is added to config; 0 on usual machines */
  int variant_count;
  struct prof_count_event events[PROF_EVENTS_MAX];
  int leaders[PROF_EVENTS_MAX]; /* of the event's group: its own index where it leads; -1: none */
  size_t count;
  struct prof_plan plan; /* for its notes alone */
  struct count_target {
    int tid, cpu;
    bool is_own; /* the calling thread */
  } * targets;
  size_t target_count, target_capacity;
  int *fds; /* [target][variant][event]; -1: not opened */
  size_t fd_capacity;
  int *tids;
  size_t tid_capacity;
};

/* Descriptors per target. */
static inline size_t prof_count_slots(const struct prof_count *self) {
  return (size_t)self->variant_count * self->count;
}

/* Tries each event: is_counted, reason, what of the kernel part is left out, leaders. */
int prof_count_settle(struct prof_count *self, bool optional, struct prof_error *error);

/* Opens what is counted on every target. */
int prof_count_attach(struct prof_count *self, struct prof_error *error);
void prof_count_detach(struct prof_count *self);

#endif
