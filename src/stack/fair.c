#include "stack/fair.h"

/* How far a is above b; 0: it is not. */
static uint64_t above(uint64_t a, uint64_t b) {
  return a > b ? a - b : 0;
}

bool prof_fair_enter(struct prof_fair *self, prof_fair_clock *cpu_ns) {
  if (!self->watch)
    return true;
  self->entered_ns = cpu_ns();
  self->debt_ns = above(self->debt_ns, above(self->entered_ns, self->mark_ns));
  if (self->debt_ns > 0) {
    self->watch = PROF_FAIR_WATCH;
    self->is_sparing |= self->debt_ns > PROF_FAIR_DEBT_NS;
  } else {
    self->is_sparing = false;
    if (--self->watch == 0) {
      self->mark_ns = self->entered_ns;
      self->spent_ns = 0;
    }
  }
  return !self->is_sparing;
}

/* Of the window's CPU time at most spent_ns was the handler's: while that lost its CPU, the wall's
 * clock went on. What is owed for it is no more than one look's worth, which alone cuts no walk. */
static void look(struct prof_fair *self, uint64_t now_ns) {
  uint64_t window_ns = above(now_ns, self->mark_ns);
  uint64_t spent_ns = self->spent_ns < window_ns ? self->spent_ns : window_ns;
  uint64_t owed_ns = above(spent_ns, window_ns - spent_ns);
  self->mark_ns = now_ns;
  self->spent_ns = 0;
  if (!owed_ns)
    return;
  self->watch = PROF_FAIR_WATCH;
  self->debt_ns = owed_ns < PROF_FAIR_LOOK_NS ? owed_ns : PROF_FAIR_LOOK_NS;
}

void prof_fair_leave(struct prof_fair *self, uint64_t spent_ns, prof_fair_clock *cpu_ns) {
  if (self->watch) {
    self->mark_ns = cpu_ns();
    self->debt_ns += above(self->mark_ns, self->entered_ns);
    return;
  }
  self->spent_ns += spent_ns;
  if (self->spent_ns >= PROF_FAIR_LOOK_NS)
    look(self, cpu_ns());
}
