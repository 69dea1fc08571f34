/*
 * change: the probes in force, and how they are replaced by fewer while the command runs.
 *
 * Probes of one event cannot be taken away singly: the functions that stay get a new event, and
 * when that is on everywhere the old one is closed, on a thread of its own (0.2 to 0.5 s). In
 * between a hit comes by both; match.h counts it once.
 *
 * The caller provides plan, probes and watch, and decides in the plan which functions are dropped
 * before each start. Refuses nothing: a change that fails leaves the probes as they were
 * (`failed`).
 */
#ifndef RSPACK_PROF_TRACE_CHANGE_H
#define RSPACK_PROF_TRACE_CHANGE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/watch.h"

struct prof_call_plan;
struct prof_error;
struct prof_probes;

struct prof_change {
  const struct prof_call_plan *plan;
  struct prof_probes *probes;
  struct prof_watch *watch;
  struct prof_watch_set set; /* in force */
  uint32_t type;             /* 0: none */
  size_t refused;            /* places that the kernel did not take */
  bool failed, started;
  atomic_bool done;
  pthread_t thread;
};

/* The first set, on the calling thread. 0 or a status. */
int prof_change_first(struct prof_change *self, struct prof_error *error);
void prof_change_start(struct prof_change *self);
bool prof_change_is_running(struct prof_change *self);
void prof_change_finish(struct prof_change *self); /* waits for one that runs */
void prof_change_close(struct prof_change *self);

#endif
