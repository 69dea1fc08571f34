/*
 * spent: what handlers took of their threads' CPU time, from clocks on the wall.
 *
 * A thread's CPU time costs a system call at each sample; the time on the wall counts what a
 * handler waited for a CPU, which on a busy machine is more than all it worked. A walk that took
 * PROF_SPENT_WAITED_NS was in all likelihood waiting, and is taken for as long as the others were.
 *
 * The caller keeps one for each thread, zeroed; one thread writes, any reads. Async-signal-safe.
 * Refuses nothing: where most walks are that long, they are believed.
 */
#ifndef RSPACK_PROF_STACK_SPENT_H
#define RSPACK_PROF_STACK_SPENT_H

#include <stdatomic.h>
#include <stdint.h>

/* Walks take 2 to 100 us; a thread that lost its CPU waits for a slice of another's, 1 ms and more
 * (EEVDF's base slice is 0.7 ms times the CPUs' logarithm, CFS's 0.75 ms the same, 6.18 and 5.10).
 */
enum { PROF_SPENT_WAITED_NS = 1000000 };

struct prof_spent {
  _Atomic uint64_t worked_ns, worked; /* of walks that did not wait: the sum, and how many */
  _Atomic uint64_t waited_ns, waited; /* of those that did */
};

/* A walk took so long by the wall. */
void prof_spent_add(struct prof_spent *self, uint64_t wall_ns);

/* Their CPU time, as well as it is known. */
uint64_t prof_spent_ns(const struct prof_spent *self);

void prof_spent_clear(struct prof_spent *self);

#endif
