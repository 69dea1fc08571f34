/*
 * session: the profiler's thread. It owns a recording from its first to its last step and runs a
 * libuv loop of its own: node's loop and thread pool are what is measured.
 *
 * The caller is any thread for start; stop, dump and discard come from one thread at a time. `done`
 * is called on the profiler's thread. One session in a process (the sampler's rule): a second start
 * is PROF_BUSY. After stop or discard the session is gone.
 */
#ifndef RSPACK_PROF_SESSION_SESSION_H
#define RSPACK_PROF_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "code/bytecode.h"
#include "perf/cpus.h"
#include "perf/events.h"
#include "session/journal_notes.h"
#include "session/result.h"

struct prof_session;

struct prof_session_options {
  char event[PROF_EVENTS_TEXT]; /* one, or a list (perf/events.h); "": the default */
  char cpus[PROF_CPUS_TEXT];    /* on these alone: "0-1,4"; "": all */
  uint64_t period_events;       /* 0: by frequency */
  char raw[4096];               /* keeps the records in this file, "": nowhere */
  char journal[4096];           /* folder of the journal, "": none is kept */
  char about[8192];             /* text that is kept in it */
  char stash[4096];             /* folder for base/stash.h, "": none */
  uint32_t frequency;
  int call_graph;       /* enum prof_call_graph */
  uint32_t stack_bytes; /* of a dump, 0: default */
  uint32_t max_frames;
  size_t ring_bytes; /* per CPU, 0: chosen */
  uint32_t drain_ms; /* how often the rings are read when they do not fill sooner, 0: 50 */
  bool has_jit;      /* code/jit.h receives V8's events */
  struct prof_bytecode_layout bytecode;
  bool fault_period; /* page faults are sampled by period, see perf/extras.h */
  bool memory;       /* resident memory over time, see session/resident.h */
  struct prof_allocations_options allocations;
  bool off_cpu;          /* the time that threads wait is recorded too; the event must be a clock */
  double budget_percent; /* 0: the rate stays as asked */
};

/* result is the receiver's; NULL: memory ended. */
typedef void prof_session_done(void *user, struct prof_result *result);

/* Returns once the events run. */
int prof_session_start(const struct prof_session_options *options, struct prof_session **out,
                       struct prof_error *error);

void prof_session_dump(struct prof_session *self, prof_session_done *done, void *user);
void prof_session_stop(struct prof_session *self, prof_session_done *done, void *user);
struct prof_result *prof_session_dump_sync(struct prof_session *self);
struct prof_result *prof_session_stop_sync(struct prof_session *self);

/* Drops the samples from before this time (CLOCK_MONOTONIC), soon; those that are still on their
 * way stay. The tree of stacks and the counters stay whole. */
void prof_session_forget(struct prof_session *self, uint64_t before_ns);

/* Lines for the journal (session/journal_notes); false: there is no room for them. */
bool prof_session_note(struct prof_session *self, const char *text, size_t bytes, bool replaces);

/* Ends the recording and forgets it; returns when no event fires any more. */
void prof_session_discard(struct prof_session *self);

#endif
