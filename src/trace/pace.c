#include "trace/pace.h"

/* The dearest of those that are not yet among the chosen. */
static size_t dearest(const double *cost_ns, size_t count, const uint32_t *dropped, size_t chosen) {
  size_t best = count;
  for (size_t i = 0; i < count; i++) {
    size_t j = 0;
    while (j < chosen && dropped[j] != i)
      j++;
    if (j == chosen && cost_ns[i] > 0 && (best == count || cost_ns[i] > cost_ns[best]))
      best = i;
  }
  return best;
}

size_t prof_pace_choose(const double *cost_ns, size_t count, double cpu_ns, double budget_percent,
                        uint32_t *dropped) {
  double cost = 0, own;
  size_t chosen = 0;
  for (size_t i = 0; i < count; i++)
    cost += cost_ns[i];
  /* The price may be dearer than what was measured for it: never more than all but a tenth. */
  own = cpu_ns - cost > cpu_ns / 10 ? cpu_ns - cost : cpu_ns / 10;
  if (budget_percent <= 0 || cpu_ns < PROF_PACE_LEAST_NS || cost <= own * budget_percent / 100)
    return 0;
  while (cost > own * budget_percent / 100 * PROF_PACE_AIM) {
    size_t best = dearest(cost_ns, count, dropped, chosen);
    if (best == count)
      break;
    cost -= cost_ns[best];
    dropped[chosen++] = (uint32_t)best;
  }
  return chosen;
}
