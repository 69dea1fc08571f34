/*
 * flow: who handed a job over that another thread runs. Pure.
 *
 * A job is known by its address, which is an argument both of the function that takes it into a
 * queue and of the one that runs it (checked with the debug binding of rspack 2.2.7,
 * rayon-core 1.12 and tokio 1.4x, System V calls): rayon  crossbeam_deque::{deque::Worker,
 * deque::Injector}<JobRef>::push(&self, JobRef)     rsi <rayon_core::job::{StackJob, HeapJob,
 * ArcJob} as Job>::execute(*const ())          rdi tokio  OwnedTasks::bind_inner(&self, Task,
 * Notified), blocking::Spawner::spawn_task(..)   rsi
 *          tokio::runtime::task::{raw::poll(NonNull<Header>), harness::Harness::poll(self)}   rdi
 * A rayon job runs once; a task is polled often, each time for who spawned it. An address that is
 * used again belongs to the last one who handed it over.
 *
 * The caller provides what happened in the order of time. Refuses: more than PROF_FLOW_JOBS_MAX
 * jobs under way (all are forgotten, and counted).
 */
#ifndef RSPACK_PROF_TRACE_FLOW_H
#define RSPACK_PROF_TRACE_FLOW_H

#include <stddef.h>
#include <stdint.h>

#include "base/table.h"

#define PROF_FLOW_JOBS_MAX (1u << 20)

/* What a function is to flows. */
enum prof_flow_role {
  PROF_FLOW_NONE,
  PROF_FLOW_RAYON_PUSH,
  PROF_FLOW_RAYON_RUN,
  PROF_FLOW_TOKIO_SPAWN,
  PROF_FLOW_TOKIO_RUN,
};

struct prof_flow_spawn {
  uint64_t job, time_ns;
  uint64_t frame; /* of the innermost traced call then, 0: it has no events */
  uint32_t tid, func;
};

struct prof_flow {
  struct prof_flow_spawn *spawns;
  size_t count, capacity;
  struct prof_table by_job;
  uint64_t forgotten;
};

void prof_flow_free(struct prof_flow *self);
/* -1 where memory ends. */
int prof_flow_put(struct prof_flow *self, const struct prof_flow_spawn *spawn);
/* NULL: nobody was seen. Valid until the next put. */
const struct prof_flow_spawn *prof_flow_find(const struct prof_flow *self, uint64_t job);

#endif
