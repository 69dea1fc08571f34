/*
 * budget: which rate keeps the profiler's cost below a share of the build's CPU time.
 *
 * Rates are the one that was asked for and its halves: few, so that few sets of events are ever
 * opened, and far enough apart that a noisy cost does not move between two of them. Above the
 * budget (over a sliding second, from a third of one on) the rate falls at once, as far as the cost
 * says; it rises by one step where twice the cost would leave a fifth of the budget, and each rise
 * that had to be taken back makes the next one wait twice as long.
 *
 * The caller passes what the build used and what the profiler cost since its start, with the time:
 * no clock is read here. Refuses nothing; windows in which the build hardly ran decide nothing.
 */
#ifndef RSPACK_PROF_SESSION_BUDGET_H
#define RSPACK_PROF_SESSION_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define PROF_BUDGET_PERCENT_MIN 0.1
#define PROF_BUDGET_PERCENT_MAX 50

enum { PROF_BUDGET_MARKS = 11, PROF_BUDGET_STEPS = 8 };

/* Since the start of the recording. build_ns: CPU time without the profiler's. */
struct prof_budget_mark {
  uint64_t time_ns, build_ns, cost_ns;
};

struct prof_budget {
  double share;      /* 0.02 for 2 % */
  uint32_t asked_hz; /* step 0; step n is asked_hz >> n */
  int step, lowest;
  struct prof_budget_mark marks[PROF_BUDGET_MARKS]; /* of this rate, oldest first */
  int mark_count;
  struct prof_budget_mark total; /* the last one seen */
  uint64_t changed_ns, wait_ns;
  bool has_risen; /* the last change was a rise */
};

/* Begins at the rate that sample_ns (what one sample will cost, as far as is known) allows. */
void prof_budget_init(struct prof_budget *self, double share, uint32_t asked_hz,
                      uint64_t sample_ns);
uint32_t prof_budget_hz(const struct prof_budget *self);

/* What happened until now: the rate to go on with. */
uint32_t prof_budget_step(struct prof_budget *self, const struct prof_budget_mark *now);

/* The cost so far, as a share of what the build used; 0 before it used any. */
double prof_budget_spent(const struct prof_budget *self);

#endif
