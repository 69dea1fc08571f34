/*
 * dropper: counts each function's calls and what its hits cost, and decides at the end of each
 * moment which functions are called too often: above the limit of calls, or the dearest ones while
 * the hits cost more than the budget (pace.h). Taking their probes or sleds away is the caller's.
 *
 * The caller provides a plan, whose `is_dropped` is written here, the price of each hit and CPU
 * time. Refuses nothing: what there is no memory to note is not dropped.
 */
#ifndef RSPACK_PROF_TRACE_DROPPER_H
#define RSPACK_PROF_TRACE_DROPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_call_plan;

#define PROF_DROPPER_MOMENT_NS 200000000ull

enum prof_drop_reason { PROF_DROP_LIMIT, PROF_DROP_BUDGET };

struct prof_drop {
  uint32_t func;
  uint8_t reason;
  uint64_t calls, at_ns; /* when the decision fell; the probes go some 100 ms later */
};

struct prof_dropper {
  struct prof_call_plan *plan;
  uint64_t limit_calls;  /* of one function; 0: none */
  double budget_percent; /* 0: none */
  double cost_ns;        /* of all hits so far */
  double *moment_ns;     /* by function: what its hits of this moment cost */
  uint64_t *calls;       /* by function: entries so far */
  uint32_t *chosen;
  double cpu_ns; /* at the end of the last moment */
  struct prof_drop *drops;
  size_t drop_count, drop_capacity;
};

/* -1 where memory ends. */
int prof_dropper_init(struct prof_dropper *self, struct prof_call_plan *plan, uint64_t limit_calls,
                      double budget_percent);
void prof_dropper_free(struct prof_dropper *self);

void prof_dropper_hit(struct prof_dropper *self, uint32_t func, double price_ns, bool is_call);

/* cpu_ns: of the watched processes so far. Whether there is something to take away. */
bool prof_dropper_end_moment(struct prof_dropper *self, double cpu_ns, uint64_t now_ns);

#endif
