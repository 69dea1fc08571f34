/*
 * tracer: the functions of a plan, traced by probes while a command (or this process) runs: rings
 * -> order of time -> calls -> figures and the file of events. Wires the parts of trace/ together
 * and owns the thread that does the work.
 *
 * Functions that are called more often than `limit_calls`, and the dearest ones while the probes
 * cost more than `budget_percent` of the command's own CPU time, are dropped as it goes: their
 * probes are taken away and what was counted stays.
 *
 * The caller provides a plan and keeps it until the tracer is freed; starts and stops on one
 * thread, for a command the one that starts it next. Refuses: what probes.h and watch.h refuse.
 */
#ifndef RSPACK_PROF_TRACE_TRACER_H
#define RSPACK_PROF_TRACE_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/dropper.h"
#include "trace/hitcost.h"
#include "trace/match.h"
#include "trace/plan.h"
#include "trace/tally.h"

struct prof_error;
struct prof_tracer;

struct prof_tracer_options {
  struct prof_call_plan *plan;
  bool is_command;
  int spill_fd;          /* taken over; -1: no events are kept */
  uint32_t depth;        /* 0: all */
  uint64_t limit_calls;  /* of one function; 0: none */
  double budget_percent; /* 0: none */
  uint32_t sample_hz;    /* of the clock beside it; 0: none */
  bool has_stacks;       /* an event of the entries alone is made, for who samples stacks */
};

struct prof_trace_thread {
  uint32_t pid, tid;
  char name[16];
};

struct prof_tracer_result {
  struct prof_hit_cost cost;
  uint64_t start_ns, end_ns;
  struct prof_match_counts match;
  uint64_t lost, samples, sample_period_ns, refused_sites;
  uint64_t events, event_bytes, missed_events;
  int spill_errno;
  double cost_ns, cpu_ns; /* of the probes; of the watched processes, that included */
  const struct prof_drop *drops;
  size_t drop_count;
  const struct prof_trace_thread *threads;
  size_t thread_count;
  const struct prof_tally *tally;
  bool drop_failed; /* probes could not be taken away */
};

int prof_tracer_start(const struct prof_tracer_options *options, struct prof_tracer **out,
                      struct prof_error *error);
/* The number of the entries' event, until the tracer is freed; 0: none was wanted. */
uint32_t prof_tracer_entries(const struct prof_tracer *self);
/* The command was started: at once, from any thread. */
void prof_tracer_begun(struct prof_tracer *self, uint32_t pid);
/* Ends the recording and fills *out, whose pointers live until the tracer is freed. */
void prof_tracer_stop(struct prof_tracer *self, struct prof_tracer_result *out);
void prof_tracer_free(struct prof_tracer *self); /* of a stopped one; NULL is fine */

#endif
