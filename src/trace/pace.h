/*
 * pace: which functions are called too often, from the hits of the last moment. Pure: times are
 * passed in.
 *
 * The cost of a moment is its hits at their measured prices; the command's own time is its CPU time
 * less that. Where the share is above the budget, the dearest functions go until what is left of
 * them is below PROF_PACE_AIM of it.
 *
 * The caller provides the functions' costs and whether they are still traced. Refuses: moments in
 * which the command used less than PROF_PACE_LEAST_NS (they are added to the next one).
 */
#ifndef RSPACK_PROF_TRACE_PACE_H
#define RSPACK_PROF_TRACE_PACE_H

#include <stddef.h>
#include <stdint.h>

#define PROF_PACE_AIM 0.8
#define PROF_PACE_LEAST_NS 50000000.0

/* cost_ns[i]: of function i in this moment, 0 for one that is no longer traced; at least 0. Fills
 * dropped[] (room for count) with those to drop, dearest first, and returns how many. */
size_t prof_pace_choose(const double *cost_ns, size_t count, double cpu_ns, double budget_percent,
                        uint32_t *dropped);

#endif
