#include "session/meter.h"

#include <string.h>

#include "base/clock.h"
#include "perf/price.h"

enum {
  /* Signal, walk and the work of the profiler's thread for one sample, before there is a measure:
   * the first rate is chosen by it. */
  WALK_NS_GUESS = 12000,
  /* Longer: the thread lost its CPU on the way. A mean of the others stands for it. */
  PREEMPTED_NS = 100000,
  ROUND_NS = 90000000,
  SAFE_HZ = 20000,       /* at 25 us a sample, half of a CPU: no machine's price was above that */
  SAFE_HZ_COPIES = 4000, /* 8 KB of stack in each: 43 us on a VM that others kept busy */
};

#define SPARE 0.75 /* of the budget: above, what can wait waits */

/* Above the safe rate samples may take more than there is, and the build would hardly get on: the
 * rate is halved until they leave it half of its time. */
static uint32_t bearable(struct prof_meter *self, const struct prof_plan *plan) {
  uint32_t hz = plan->frequency, safe_hz = plan->stack_dump ? SAFE_HZ_COPIES : SAFE_HZ;
  if (hz <= safe_hz)
    return hz;
  self->is_measured = prof_price_measure(&prof_os_real, plan, prof_now_ns, &self->price_ns);
  while (hz > safe_hz && (self->price_ns + WALK_NS_GUESS) * hz > 500000000u)
    hz /= 2;
  return hz < safe_hz ? safe_hz : hz;
}

uint32_t prof_meter_open(struct prof_meter *self, double percent, const struct prof_plan *plan) {
  memset(self, 0, sizeof *self);
  if (percent <= 0)
    return bearable(self, plan);
  self->is_measured = prof_price_measure(&prof_os_real, plan, prof_now_ns, &self->price_ns);
  /* Each event samples at the rate that is asked for. */
  uint64_t round_ns = (self->price_ns + WALK_NS_GUESS) * (1 + (uint64_t)plan->extra_count);
  prof_budget_init(&self->budget, percent / 100, plan->frequency, round_ns);
  return prof_budget_hz(&self->budget);
}

void prof_meter_lower(const struct prof_meter *self, uint32_t hz, const char *whose,
                      struct prof_plan *plan) {
  if (plan->period_events || hz >= plan->frequency)
    return;
  prof_plan_note(plan, "frequency-lowered", "",
                 "%u Hz are used: an interrupt takes %.1f us here, and %u Hz would leave %s less "
                 "than half of its time",
                 hz, (double)self->price_ns / 1e3, plan->frequency, whose);
  plan->frequency = hz;
}

void prof_meter_begin(struct prof_meter *self) {
  self->process_ns = prof_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  self->thread_ns = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t prof_meter_used_ns(const struct prof_meter *self) {
  uint64_t process_ns = prof_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - self->process_ns;
  uint64_t thread_ns = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - self->thread_ns;
  return self->process_ns && process_ns > thread_ns ? process_ns - thread_ns : 0;
}

void prof_meter_walk(struct prof_meter *self, uint64_t arrival_ns, uint64_t walk_ns) {
  if (arrival_ns && arrival_ns <= PREEMPTED_NS) {
    self->arrival_ns += arrival_ns;
    self->arrivals++;
  }
  if (walk_ns <= PREEMPTED_NS) {
    self->walk_ns += walk_ns;
    self->walks++;
  }
}

static uint64_t mean(uint64_t sum, uint64_t count) {
  return count ? sum / count : 0;
}

static void measure(const struct prof_meter *self, uint64_t samples, struct prof_budget_mark *out) {
  uint64_t sample_ns =
      self->price_ns + mean(self->arrival_ns, self->arrivals) + mean(self->walk_ns, self->walks);
  uint64_t process_ns = prof_clock_ns(CLOCK_PROCESS_CPUTIME_ID) - self->process_ns;
  out->time_ns = prof_now_ns();
  out->cost_ns = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - self->thread_ns + samples * sample_ns;
  out->build_ns = process_ns > out->cost_ns ? process_ns - out->cost_ns : 0;
}

bool prof_meter_is_due(const struct prof_meter *self) {
  return self->budget.share > 0 && prof_now_ns() - self->budget.total.time_ns >= ROUND_NS;
}

void prof_meter_round(struct prof_meter *self, struct prof_attach *attach, uint64_t samples) {
  struct prof_budget_mark now;
  if (self->must_confirm)
    prof_attach_confirm(attach);
  self->must_confirm = false;
  measure(self, samples, &now);
  uint32_t before_hz = prof_budget_hz(&self->budget);
  uint32_t hz = prof_budget_step(&self->budget, &now);
  if (hz == before_hz || self->is_refused)
    return;
  self->is_refused = prof_attach_change(attach, hz, NULL) != 0;
  self->must_confirm = true;
}

bool prof_meter_affords(const struct prof_meter *self) {
  return self->budget.share <= 0 || prof_budget_spent(&self->budget) <= SPARE * self->budget.share;
}
