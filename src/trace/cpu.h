/*
 * cpu: CPU time of some processes, from /proc: user and system, of all their threads, ended ones
 * included. A process that has ended keeps what it had when it was read last (a moment before).
 *
 * The caller provides the processes' ids. Refuses nothing: one that cannot be read counts nothing.
 */
#ifndef RSPACK_PROF_TRACE_CPU_H
#define RSPACK_PROF_TRACE_CPU_H

#include <stddef.h>
#include <stdint.h>

struct prof_cpu {
  struct prof_cpu_row {
    uint32_t pid;
    double ns;
  } * rows;
  size_t count, capacity;
};

void prof_cpu_add(struct prof_cpu *self, uint32_t pid);
double prof_cpu_read(struct prof_cpu *self);
/* Of this process's children that have ended, and of whoever they waited for. */
double prof_cpu_children(void);
void prof_cpu_free(struct prof_cpu *self);

#endif
