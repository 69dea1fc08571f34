/*
 * switches: how a recording learns when its threads leave a CPU and come back, and where they
 * stood.
 *
 *   an event of its own (context-switches, period 1): a sample at each switch, with the kernel's
 *   callchain and, by sigtrap or a dump, the user stack; its switch records tell the times
 *   -> switch records of the sampling event alone: the times, without stacks
 *
 * The event samples in the scheduler, which is kernel mode: it needs perf_event_paranoid 1, and for
 * signals kernel 6.1 ("perf: Fix missing SIGTRAPs"), where the signal of a kernel-mode sample waits
 * for the way back to user mode and ends no system call early. Checked on 6.18: 1,000 sleeps,
 * polls, waits and reads, none ended with EINTR.
 *
 * The caller provides a chosen plan. Refuses: plans whose weight is not time (PROF_BAD_OPTION), or
 * that have no perf event at all (PROF_PERMISSION).
 */
#ifndef RSPACK_PROF_PERF_SWITCHES_H
#define RSPACK_PROF_PERF_SWITCHES_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "base/status.h"
#include "perf/choose.h"
#include "perf/os.h"
#include "perf/record.h"

/* Sets plan->switches, with a note where it is not the event. */
int prof_switches_choose(const struct prof_os *os, struct prof_plan *plan,
                         struct prof_error *error);

/* The second event's attr; only where plan->switches is PROF_SWITCHES_EVENT. */
void prof_switches_fill(const struct prof_plan *plan, uint64_t sig_data,
                        struct perf_event_attr *out);

/* A sample of that event: its period is 1, while no clock's is below 10,000 ns (kernel 6.18). */
bool prof_switches_is_sample(const struct prof_plan *plan, const struct prof_record *record);

#endif
