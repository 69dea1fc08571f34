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
  struct prof_watch_set set;     /* in force */
  struct prof_watch_set keepers; /* prof_change_keep */
  pthread_mutex_t lock;          /* of set, keepers and type */
  uint32_t type;                 /* 0: none */
  size_t refused;                /* places that the kernel did not take */
  bool failed, started;
  atomic_bool done;
  pthread_t thread;
};

/* Keeps the probes in a process of the command. The kernel (6.18) takes them away from a process
 * when none of the event's targets has its memory; threads swap their inherited events at a context
 * switch, and those of a thread that has ended have none. An event that is held here, silent and
 * with the process's first thread as its target, always has. Soon after the process began. */
void prof_change_keep(struct prof_change *self, uint32_t pid);

/* An event of all entries, which nobody here opens and the probes' owner removes: for stacks. */
int prof_change_entries(struct prof_change *self, uint32_t *type, struct prof_error *error);

/* The first set, on the calling thread. 0 or a status. */
int prof_change_first(struct prof_change *self, struct prof_error *error);
void prof_change_start(struct prof_change *self);
bool prof_change_is_running(struct prof_change *self);
void prof_change_finish(struct prof_change *self); /* waits for one that runs */
void prof_change_close(struct prof_change *self);

#endif
