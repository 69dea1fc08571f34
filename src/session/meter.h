/*
 * meter: what a recording costs the build, and the rate that a budget leaves it.
 *
 * Cost is the CPU time of the profiler's thread, and for each sample: the interrupt (perf/price.h,
 * measured once at the start), the way from the record to the handler, and the handler. Those two
 * are measured on every sample that found its walk. The end of the interrupt is in the interrupt
 * and in the way: cost is rather counted too high. From the moment the events run to the last
 * round; what comes before and after is of no rate.
 *
 * The caller provides one thread, the profiler's, for all calls. Refuses nothing: where a rate does
 * not open, the recording goes on at the one it has, and says so.
 */
#ifndef RSPACK_PROF_SESSION_METER_H
#define RSPACK_PROF_SESSION_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/attach.h"
#include "session/budget.h"

struct prof_meter {
  struct prof_budget budget;      /* share 0: no budget, and nothing is metered */
  uint64_t price_ns;              /* of an interrupt */
  bool is_measured;               /* price_ns; else a guess */
  uint64_t arrival_ns, arrivals;  /* from record to handler, and of how many samples */
  uint64_t walk_ns, walks;        /* in the handler */
  uint64_t process_ns, thread_ns; /* as the events began to run */
  bool is_refused;                /* a rate did not open */
  bool must_confirm;
};

/* The rate to begin with. percent 0: no budget; the plan's, or less where that would leave the
 * build too little of its time. */
uint32_t prof_meter_open(struct prof_meter *self, double percent, const struct prof_plan *plan);
/* The plan has that rate from now on, if it is less, and a note that says so: whose time there
 * would have been too little of otherwise. */
void prof_meter_lower(const struct prof_meter *self, uint32_t hz, const char *whose,
                      struct prof_plan *plan);
void prof_meter_begin(struct prof_meter *self);
/* CPU time of the process since then, without the calling thread's (the profiler's). */
uint64_t prof_meter_used_ns(const struct prof_meter *self);
/* A sample found its walk. arrival_ns 0: it was taken in the kernel, its signal waited. */
void prof_meter_walk(struct prof_meter *self, uint64_t arrival_ns, uint64_t walk_ns);
/* Whether a round is worth its price: at most ten a second. */
bool prof_meter_is_due(const struct prof_meter *self);
/* After a drain, with all samples so far, dropped ones too; changes the rate where that is due. */
void prof_meter_round(struct prof_meter *self, struct prof_attach *attach, uint64_t samples);
/* Whether there is something left for work that can wait. */
bool prof_meter_affords(const struct prof_meter *self);

#endif
