/*
 * allocations: the native part of a recording of memory. Turns the program's malloc and its kin to
 * heap/hooks.h, makes rows of the samples, and ends by itself where it costs too much.
 *
 * All of it on the profiler's thread. The caller begins it once the recording runs, gives it each
 * walk with PROF_STACK_HEAP, ends it before the last drain, and settles it after that. Refuses: a
 * second one in the process (PROF_BUSY).
 */
#ifndef RSPACK_PROF_SESSION_ALLOCATIONS_H
#define RSPACK_PROF_SESSION_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "heap/sampler.h"

#define PROF_ALLOCATIONS_MOST_SAMPLES 500000 /* 50 bytes each in the end */
#define PROF_ALLOCATIONS_CAP_PERCENT 10.

/* One sample: `bytes` were asked for, by one call. */
struct prof_allocation {
  uint64_t time_ns, freed_ns; /* 0: was not freed; PROF_HEAP_UNKNOWN: not known */
  uint64_t bytes;
  uint32_t thread, node, number;
  uint16_t cpu;
  uint8_t end, flags; /* as of a sample (profile/samples.h) */
};

struct prof_allocations_options {
  uint64_t mean_bytes; /* between two samples; 0: allocations are not recorded */
  double cap_percent;  /* of the process's CPU time, when it ends by itself */
};

enum prof_allocations_end { PROF_ALLOCATIONS_ON, PROF_ALLOCATIONS_COST, PROF_ALLOCATIONS_SAMPLES };

struct prof_allocations {
  struct prof_allocation *rows;
  size_t count, capacity;
  struct prof_heap_counters counters; /* as of the last look */
  uint64_t no_memory;
  uint64_t price_ps;                /* a call and its free, more than without us */
  uint64_t start_cpu_ns, cpu_ns;    /* the process's; used since then, up to end_ns */
  uint64_t end_ns;                  /* the slots went back then; 0: not yet */
  enum prof_allocations_end reason; /* why by itself */
  uint32_t slots, modules, refused; /* that were turned; that hold them; that could not be */
  bool is_on;                       /* armed */
};

struct prof_recording;

int prof_allocations_begin(struct prof_recording *recording, struct prof_error *error);

/* A walk of the sampler's. The recording's space stands at its time. */
void prof_allocations_walk(struct prof_recording *recording, const struct prof_stack *stack);

/* One round: what was loaded since is turned too; what it costs is looked at. */
void prof_allocations_round(struct prof_recording *recording);

/* When the pieces were freed, as of now. */
void prof_allocations_settle(struct prof_allocations *self);

/* The slots go back. */
void prof_allocations_end(struct prof_recording *recording);
/* After the last drain. */
void prof_allocations_close(struct prof_recording *recording);

/* Per cent of the process's CPU time. */
double prof_allocations_cost(const struct prof_allocations *self);

#endif
