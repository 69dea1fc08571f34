/*
 * choose: from what the user asked for to what opens here, each step down said aloud in a note.
 *
 *   hardware cycles u+k -> hardware cycles u -> cpu-clock u+k -> cpu-clock u
 *   -> timers of each thread's CPU time, where perf events are refused (cputimer.h) -> an error
 *
 * Only events that measure CPU time (cycles, ref-cycles) are replaced by cpu-clock; cache-misses or
 * instructions without a PMU are PROF_NO_PMU: another event would be another question.
 * Other steps: sigtrap -> stack dump (kernel before 5.19), precise -> imprecise, kernel part left
 * out (perf_event_paranoid; kernels 5.19 to 6.0, where sigtrap on kernel samples is not sound),
 * frequency lowered to perf_event_max_sample_rate.
 * The caller provides struct prof_os. Refuses: frequencies outside 1..PROF_FREQUENCY_MAX.
 */
#ifndef RSPACK_PROF_PERF_CHOOSE_H
#define RSPACK_PROF_PERF_CHOOSE_H

#include <stdint.h>

#include "base/status.h"
#include "perf/os.h"
#include "perf/plan.h"

#define PROF_EVENT_DEFAULT "cycles:uk"
#define PROF_FREQUENCY_MAX 100000u /* cpu-clock's timer does no less than 10 us (kernel 6.18) */
#define PROF_STACK_BYTES_DEFAULT 8192u

enum prof_call_graph {
  PROF_CALL_GRAPH_NONE = 0,  /* leaf only */
  PROF_CALL_GRAPH_FULL = 1,  /* sigtrap; a stack dump where that is missing */
  PROF_CALL_GRAPH_DWARF = 2, /* a stack dump */
};

int prof_choose_plan(const struct prof_os *os, const char *event /* NULL: the default */,
                     uint32_t frequency, int call_graph, struct prof_plan *out,
                     struct prof_error *error);

#endif
