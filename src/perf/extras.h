/*
 * extras: several events in one recording. Each samples by itself and signals its own thread, so
 * that every sample of every event has its stack; all write into the rings of the first. Only the
 * first event's records tell of threads and mappings.
 *
 * Which events have their stacks walked was decided by measuring: each (docs/events.md).
 * The caller provides the list as events.h reads it. Refuses: what choose.h refuses, of each event;
 * events that get their stacks in another way than the first one; groups whose members do not fit
 * on the counters together; several events where there are no perf events at all.
 */
#ifndef RSPACK_PROF_PERF_EXTRAS_H
#define RSPACK_PROF_PERF_EXTRAS_H

#include <stdint.h>

#include <linux/perf_event.h>

#include "base/status.h"
#include "perf/choose.h"
#include "perf/os.h"

/* prof_choose_plan for each of a list; period: of samples, in events; 0: by frequency. */
int prof_extras_choose(const struct prof_os *os, const char *events /* NULL: the default */,
                       uint32_t frequency, uint64_t period, int call_graph, struct prof_plan *out,
                       struct prof_error *error);

/* Page faults between two samples where nobody says how many: of 256 KB, and ten times what a walk
 * may cause. */
enum { PROF_FAULT_PERIOD = 64 };

/* Faults come in bursts, of which a rate makes few samples of great weight: where they are the only
 * event they are sampled by period. The plan keeps its frequency, for timers in their stead. */
void prof_extras_prefer_fault_period(struct prof_plan *plan);

/* The attr of event index (1, ..: plan->extras[index - 1]). */
void prof_extras_fill(const struct prof_plan *plan, int index, uint64_t sig_data,
                      struct perf_event_attr *out);

/* The group of event index (0: the first); -1: none. */
int prof_extras_group(const struct prof_plan *plan, int index);

#endif
