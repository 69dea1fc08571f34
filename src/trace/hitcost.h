/*
 * hitcost: what one hit of a probe costs on this machine, measured on two functions of our own: one
 * that begins with an instruction which the kernel emulates, and one that it has to step through.
 *
 * Some ten ms of CPU time, and 0.2 s of the kernel's waits. The caller provides opened probes.
 * Refuses: where the probes do not open (a status).
 */
#ifndef RSPACK_PROF_TRACE_HITCOST_H
#define RSPACK_PROF_TRACE_HITCOST_H

struct prof_error;
struct prof_os;
struct prof_probes;

struct prof_hit_cost {
  double emulated_ns, stepped_ns;
};

int prof_hit_cost_measure(struct prof_probes *probes, const struct prof_os *os,
                          struct prof_hit_cost *out, struct prof_error *error);

#endif
