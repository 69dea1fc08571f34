#include "stack/fair.h"

bool prof_fair_enter(struct prof_fair *self, uint64_t now_ns) {
  uint64_t own_ns = now_ns > self->left_ns ? now_ns - self->left_ns : 0;
  self->debt_ns = self->debt_ns > own_ns ? self->debt_ns - own_ns : 0;
  if (self->debt_ns > PROF_FAIR_DEBT_NS)
    self->is_sparing = true;
  else if (self->debt_ns == 0)
    self->is_sparing = false;
  return !self->is_sparing;
}

void prof_fair_leave(struct prof_fair *self, uint64_t entered_ns, uint64_t now_ns) {
  uint64_t spent_ns = now_ns > entered_ns ? now_ns - entered_ns : 0;
  self->debt_ns += spent_ns < PROF_FAIR_LONGEST_NS ? spent_ns : PROF_FAIR_LONGEST_NS;
  self->left_ns = now_ns;
}
