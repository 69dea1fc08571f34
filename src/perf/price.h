/*
 * price: what one interrupt of an event costs on this machine.
 *
 * The calling thread spins for a few milliseconds with the plan's event on itself (without signals)
 * and looks at the holes between two readings of the clock: the median hole is the interrupt, from
 * the way in to the way out, with the record written, all of it in warm caches. Events that a
 * spinning thread does not cause are measured by cycles (hardware) or cpu-clock instead: it is the
 * same interrupt. What the signal and the handler cost is not in it.
 *
 * The caller provides the plan and a thread that is not profiled and has nothing else to do.
 * Refuses nothing: where too few interrupts came, PROF_PRICE_GUESS_NS and false.
 */
#ifndef RSPACK_PROF_PERF_PRICE_H
#define RSPACK_PROF_PERF_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/choose.h"
#include "perf/os.h"

#define PROF_PRICE_GUESS_NS 5000u

/* now: a clock in ns. */
bool prof_price_measure(const struct prof_os *os, const struct prof_plan *plan,
                        uint64_t (*now)(void), uint64_t *price_ns);

/* The middle one of count holes (sorted in place), 0 where they are too few to say. */
uint64_t prof_price_median(uint64_t *holes_ns, size_t count);

#endif
