/*
 * result: a recording, named and folded: places become functions, and the columns are what
 * docs/raw-profile.md describes. Nothing in it points back into the recording.
 *
 * Built on the profiler's thread (symbol tables are read there), read by any one thread after that.
 * May be built while the recording goes on. Refuses: nothing; memory that ends gives NULL.
 */
#ifndef RSPACK_PROF_SESSION_RESULT_H
#define RSPACK_PROF_SESSION_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/choose.h"
#include "profile/samples.h"
#include "profile/strings.h"
#include "session/recording.h"
#include "session/result_rows.h"

struct prof_result {
  struct prof_strings strings;
  struct prof_result_module *modules;
  struct prof_result_func *funcs;
  struct prof_result_node *nodes;
  struct prof_result_thread *threads;
  struct prof_result_broken *broken;
  struct prof_sample *samples;
  size_t module_count, func_count, node_count, thread_count, broken_count, sample_count;
  size_t func_capacity, node_capacity, broken_capacity;
  struct prof_resident_row *resident; /* where it was asked for */
  size_t resident_count;
  struct prof_allocation *allocations; /* where they were asked for */
  size_t allocation_count;
  struct prof_allocations allocated; /* without rows: what was counted */
  uint64_t mean_bytes;
  struct prof_result_quality quality;
  struct prof_result_budget budget;
  struct prof_plan plan;
  double scaled_by[PROF_EXTRAS_MAX + 1]; /* of each event: prof_attach_scale_of */
  struct prof_plan_note notes[24];       /* beside the plan's; more than notes.c has */
  int note_count;
  uint64_t start_ns, end_ns, start_unix_ms;
  int cpus;
  uint32_t pid;
  const char *call_graph; /* meta.callGraph of a replay; NULL: as planned */
  char journal[4096];     /* its file, which the receiver removes once the profile is safe; "" */
  char command[256];      /* a replay: what was recorded; "": this process */
  char kernel[65];        /* release */
  char arch[65];          /* uname's word for the machine */
};

struct prof_result *prof_result_build(struct prof_recording *recording);
void prof_result_free(struct prof_result *self); /* NULL is fine */

#endif
