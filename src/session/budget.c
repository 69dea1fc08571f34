#include "session/budget.h"

#include <string.h>

#define SECOND_NS 1000000000ull
#define MARK_NS (SECOND_NS / 10)
#define JUDGE_NS (SECOND_NS / 3)
#define BUILD_NS (SECOND_NS / 20) /* of CPU in a window: less is an idle process */
#define WAIT_NS (2 * SECOND_NS)
#define WAIT_NS_MAX (64 * SECOND_NS)
#define RATE_LEAST 10u /* Hz: below, a build of seconds has no samples to speak of */
#define MARGIN 0.8

void prof_budget_init(struct prof_budget *self, double share, uint32_t asked_hz,
                      uint64_t sample_ns) {
  memset(self, 0, sizeof *self);
  self->share = share;
  self->asked_hz = asked_hz;
  self->wait_ns = WAIT_NS;
  while (self->lowest < PROF_BUDGET_STEPS - 1 && asked_hz >> (self->lowest + 1) >= RATE_LEAST)
    self->lowest++;
  while (self->step < self->lowest &&
         (double)prof_budget_hz(self) * (double)sample_ns > share * (double)SECOND_NS)
    self->step++;
}

uint32_t prof_budget_hz(const struct prof_budget *self) {
  return self->asked_hz >> self->step;
}

static double share_between(const struct prof_budget_mark *from,
                            const struct prof_budget_mark *until) {
  uint64_t build_ns = until->build_ns - from->build_ns;
  return build_ns ? (double)(until->cost_ns - from->cost_ns) / (double)build_ns : 0;
}

double prof_budget_spent(const struct prof_budget *self) {
  static const struct prof_budget_mark start;
  return share_between(&start, &self->total);
}

static void change(struct prof_budget *self, int step, const struct prof_budget_mark *now) {
  bool is_rise = step < self->step;
  if (!is_rise && self->has_risen && self->wait_ns < WAIT_NS_MAX)
    self->wait_ns *= 2;
  self->has_risen = is_rise;
  self->step = step;
  self->changed_ns = now->time_ns;
  self->marks[0] = *now;
  self->mark_count = 1;
}

static void lower(struct prof_budget *self, double spent, const struct prof_budget_mark *now) {
  int step = self->step;
  while (step < self->lowest && spent > self->share) {
    spent /= 2;
    step++;
  }
  if (step != self->step)
    change(self, step, now);
}

static void add_mark(struct prof_budget *self, const struct prof_budget_mark *now) {
  if (self->mark_count == PROF_BUDGET_MARKS) {
    self->mark_count--;
    memmove(self->marks, self->marks + 1, sizeof self->marks - sizeof self->marks[0]);
  }
  self->marks[self->mark_count++] = *now;
}

uint32_t prof_budget_step(struct prof_budget *self, const struct prof_budget_mark *now) {
  self->total = *now;
  if (self->mark_count && now->time_ns - self->marks[self->mark_count - 1].time_ns < MARK_NS)
    return prof_budget_hz(self);
  add_mark(self, now);
  const struct prof_budget_mark *first = &self->marks[0];
  uint64_t window_ns = now->time_ns - first->time_ns;
  if (window_ns < JUDGE_NS || now->build_ns - first->build_ns < BUILD_NS)
    return prof_budget_hz(self);
  double spent = share_between(first, now);
  if (spent > self->share)
    lower(self, spent, now);
  else if (self->step > 0 && 2 * spent < MARGIN * self->share &&
           prof_budget_spent(self) < self->share && now->time_ns - self->changed_ns > self->wait_ns)
    change(self, self->step - 1, now);
  return prof_budget_hz(self);
}
