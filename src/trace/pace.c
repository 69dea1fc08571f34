#include "trace/pace.h"

#include <stdlib.h>

/* Dearest first, and those of one price in their order. */
static int by_cost(const void *a, const void *b, void *user) {
  const double *cost_ns = user;
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  if (cost_ns[left] != cost_ns[right])
    return cost_ns[left] > cost_ns[right] ? -1 : 1;
  return left < right ? -1 : left > right;
}

size_t prof_pace_choose(const double *cost_ns, size_t count, double cpu_ns, double budget_percent,
                        uint32_t *dropped) {
  double cost = 0, own;
  size_t candidates = 0, chosen = 0;
  for (size_t i = 0; i < count; i++)
    cost += cost_ns[i];
  /* The price may be dearer than what was measured for it: never more than all but a tenth. */
  own = cpu_ns - cost > cpu_ns / 10 ? cpu_ns - cost : cpu_ns / 10;
  if (budget_percent <= 0 || cpu_ns < PROF_PACE_LEAST_NS || cost <= own * budget_percent / 100)
    return 0;
  for (uint32_t i = 0; i < count; i++)
    if (cost_ns[i] > 0)
      dropped[candidates++] = i;
  qsort_r(dropped, candidates, sizeof *dropped, by_cost, (void *)cost_ns);
  while (chosen < candidates && cost > own * budget_percent / 100 * PROF_PACE_AIM)
    cost -= cost_ns[dropped[chosen++]];
  return chosen;
}
