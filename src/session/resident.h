/*
 * resident: the process's resident memory over time, read from /proc/self/statm by the profiler's
 * thread between its rounds.
 *
 * The kernel's figure lags behind by up to some ten pages a thread (percpu counters, 6.2 on).
 * The caller provides the time (CLOCK_MONOTONIC). Refuses: more than PROF_RESIDENT_MAX rows: then
 * every second one is dropped, and readings are half as frequent from there on.
 */
#ifndef RSPACK_PROF_SESSION_RESIDENT_H
#define RSPACK_PROF_SESSION_RESIDENT_H

#include <stddef.h>
#include <stdint.h>

#define PROF_RESIDENT_MAX 8192

struct prof_resident_row {
  uint64_t time_ns, bytes;
};

struct prof_resident {
  struct prof_resident_row *rows;
  size_t count, capacity;
  uint64_t every_ns, last_ns;
  int file; /* -1: closed */
};

/* A machine without /proc has no rows. */
void prof_resident_open(struct prof_resident *self, uint64_t every_ns);
void prof_resident_free(struct prof_resident *self);

/* Reads, where it is time. */
void prof_resident_look(struct prof_resident *self, uint64_t now_ns);

/* The same with the figure given. */
void prof_resident_add(struct prof_resident *self, uint64_t now_ns, uint64_t bytes);

#endif
