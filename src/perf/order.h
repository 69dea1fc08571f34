/*
 * order: records of all rings in one order of time.
 *
 * The caller pushes each ring's records as it drains them (nearly in order within one CPU), and
 * flushes up to a time before which no ring can still hold anything: the clock read before the
 * drain began, less PROF_ORDER_LAG_NS (the time between a record's time stamp and its commit).
 * Bytes are copied; in the steady state nothing is allocated. Equal times keep the order of the
 * CPUs, and of arrival within one CPU. A record from before what was flushed comes first at the
 * next flush and is counted in `late`. Refuses: records that the limit has no room for (-1, counted
 * in `dropped`).
 */
#ifndef RSPACK_PROF_PERF_ORDER_H
#define RSPACK_PROF_PERF_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "perf/ring.h"

#define PROF_ORDER_LAG_NS 10000000ull /* 10 ms */

struct prof_order;

struct prof_order_counts {
  uint64_t pushed, visited, late, dropped;
  size_t waiting;    /* records kept */
  size_t held_bytes; /* memory taken */
};

/* NULL where memory ends. limit_bytes: of copied records, all CPUs together (0: none). */
struct prof_order *prof_order_create(size_t limit_bytes);
void prof_order_free(struct prof_order *self);

/* record->size bytes are copied. 0, or -1. */
int prof_order_push(struct prof_order *self, const struct perf_event_header *record, int cpu,
                    uint64_t time_ns);

/* Visits all records with time_ns < until_ns in order. How many. The visitor must not push. */
size_t prof_order_flush(struct prof_order *self, uint64_t until_ns, prof_ring_visit *visit,
                        void *user);
/* Visits all that is left. */
size_t prof_order_finish(struct prof_order *self, prof_ring_visit *visit, void *user);

struct prof_order_counts prof_order_counts(const struct prof_order *self);

#endif
