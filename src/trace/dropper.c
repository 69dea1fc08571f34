#include "trace/dropper.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "trace/pace.h"
#include "trace/plan.h"

int prof_dropper_init(struct prof_dropper *self, struct prof_call_plan *plan, uint64_t limit_calls,
                      double budget_percent) {
  size_t count = plan->func_count;
  *self = (struct prof_dropper){
      .plan = plan, .limit_calls = limit_calls, .budget_percent = budget_percent};
  self->moment_ns = calloc(count, sizeof *self->moment_ns);
  self->calls = calloc(count, sizeof *self->calls);
  self->chosen = calloc(count, sizeof *self->chosen);
  return self->moment_ns && self->calls && self->chosen ? 0 : -1;
}

void prof_dropper_free(struct prof_dropper *self) {
  free(self->moment_ns);
  free(self->calls);
  free(self->chosen);
  free(self->drops);
  *self = (struct prof_dropper){0};
}

void prof_dropper_hit(struct prof_dropper *self, uint32_t func, double price_ns, bool is_call) {
  self->moment_ns[func] += price_ns;
  self->cost_ns += price_ns;
  self->calls[func] += is_call;
}

static void drop(struct prof_dropper *self, uint32_t func, uint8_t reason, uint64_t now_ns) {
  struct prof_call_func *row = &self->plan->funcs[func];
  if (row->is_dropped || prof_array_reserve((void **)&self->drops, &self->drop_capacity,
                                            self->drop_count + 1, sizeof *self->drops))
    return;
  row->is_dropped = true;
  self->drops[self->drop_count++] = (struct prof_drop){
      .func = func, .reason = reason, .calls = self->calls[func], .at_ns = now_ns};
}

bool prof_dropper_end_moment(struct prof_dropper *self, double cpu_ns, uint64_t now_ns) {
  size_t count = self->plan->func_count, before = self->drop_count, chosen;
  for (uint32_t i = 0; self->limit_calls && i < count; i++)
    if (self->calls[i] > self->limit_calls)
      drop(self, i, PROF_DROP_LIMIT, now_ns);
  for (size_t i = 0; i < count; i++)
    if (self->plan->funcs[i].is_dropped)
      self->moment_ns[i] = 0;
  chosen = prof_pace_choose(self->moment_ns, count, cpu_ns - self->cpu_ns, self->budget_percent,
                            self->chosen);
  for (size_t i = 0; i < chosen; i++)
    drop(self, self->chosen[i], PROF_DROP_BUDGET, now_ns);
  self->cpu_ns = cpu_ns;
  memset(self->moment_ns, 0, count * sizeof *self->moment_ns);
  return self->drop_count > before;
}
