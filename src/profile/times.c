#include "profile/times.h"

static void enter(struct prof_times *self, uint64_t time_ns, enum prof_state state) {
  self->since_ns = time_ns;
  self->state = (uint8_t)state;
  self->is_known = true;
}

static uint64_t elapsed(const struct prof_times *self, uint64_t time_ns) {
  return self->since_ns && time_ns > self->since_ns ? time_ns - self->since_ns : 0;
}

static bool is_running(const struct prof_times *self) {
  return self->is_known && self->state == PROF_STATE_RUNNING;
}

void prof_times_begin(struct prof_times *self, uint64_t time_ns) {
  self->since_ns = time_ns;
  self->is_known = false;
}

void prof_times_out(struct prof_times *self, uint64_t time_ns, bool is_preempted) {
  if (is_running(self) || !self->is_known)
    self->on_ns += elapsed(self, time_ns);
  else /* it came back without a record: when, nobody knows */
    self->lost++;
  enter(self, time_ns, is_preempted ? PROF_STATE_RUNNABLE : PROF_STATE_BLOCKED);
}

uint64_t prof_times_in(struct prof_times *self, uint64_t time_ns) {
  uint64_t off_ns = 0;
  if (is_running(self))
    self->lost++;
  else
    off_ns = elapsed(self, time_ns);
  self->off_ns += off_ns;
  enter(self, time_ns, PROF_STATE_RUNNING);
  return off_ns;
}

uint64_t prof_times_tick(struct prof_times *self, uint64_t time_ns, uint64_t period_ns) {
  if (!self->is_known && self->since_ns) {
    enter(self, self->since_ns, PROF_STATE_RUNNING);
  } else if (!is_running(self)) {
    self->lost += self->is_known;
    enter(self, time_ns, PROF_STATE_RUNNING);
    self->on_ns += period_ns;
  }
  uint64_t ran_ns = self->on_ns + elapsed(self, time_ns), weight_ns = 0;
  if (ran_ns > self->charged_ns)
    weight_ns = ran_ns - self->charged_ns;
  self->charged_ns += weight_ns;
  return weight_ns;
}

uint64_t prof_times_end(struct prof_times *self, uint64_t time_ns) {
  uint64_t off_ns = 0;
  if (is_running(self))
    self->on_ns += elapsed(self, time_ns);
  else
    off_ns = elapsed(self, time_ns);
  self->off_ns += off_ns;
  self->rest_ns = self->on_ns > self->charged_ns ? self->on_ns - self->charged_ns : 0;
  self->since_ns = 0;
  self->is_known = false;
  return off_ns;
}
