/*
 * system: every process of the machine, sampled on each CPU, into a perf.data: for `record -a`.
 *
 * Other processes cannot walk their own stacks for us: each sample has a copy of its stack's
 * innermost bytes, or its leaf alone, and session/replay makes profiles of the file, one for each
 * process. In front of the samples stand the threads and the executable mappings that were there
 * already. The caller stops it, from any thread. Needs kernel.perf_event_paranoid 0 or below,
 * CAP_PERFMON, or root.
 *
 * Refuses: several events, events that only threads have, machines where it is not allowed
 * (PROF_PERMISSION, with the command that would). What the kernel lost is counted in the file.
 */
#ifndef RSPACK_PROF_SESSION_SYSTEM_H
#define RSPACK_PROF_SESSION_SYSTEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "perf/plan.h"

struct prof_system;

struct prof_system_options {
  const char *path;  /* of the file */
  const char *event; /* NULL: the default */
  const char *cpus;  /* NULL or "": all */
  uint32_t frequency;
  uint64_t period_events; /* 0: by frequency */
  int call_graph;         /* PROF_CALL_GRAPH_DWARF or _NONE */
  uint32_t stack_bytes;   /* 0: the default */
  size_t ring_bytes;      /* 0: chosen */
};

int prof_system_start(const struct prof_system_options *options, struct prof_system **out,
                      struct prof_error *error);

/* What was opened; until stop. */
const struct prof_plan *prof_system_plan(const struct prof_system *self);

/* 0, or why the file is not whole. self is gone. */
int prof_system_stop(struct prof_system *self, struct prof_error *error);

#endif
