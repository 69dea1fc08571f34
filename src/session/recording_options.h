/*
 * recording_options: what a recording is asked for.
 *
 * The caller keeps the texts as long as the recording. Refuses: nothing.
 */
#ifndef RSPACK_PROF_SESSION_RECORDING_OPTIONS_H
#define RSPACK_PROF_SESSION_RECORDING_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code/bytecode.h"
#include "perf/plan.h"
#include "session/allocations.h"

enum { PROF_MAX_FRAMES_DEFAULT = 4096 };

struct prof_recording_options {
  struct prof_plan plan;
  uint32_t max_words;
  size_t ring_bytes;       /* 0: chosen */
  const char *cpus;        /* "0-1,4": these alone; NULL or "": all */
  int skip_tid;            /* the profiler's thread */
  bool has_jit;            /* code/jit.h receives; else a perf-map is read if there is one */
  uint32_t replay_pid;     /* a perf.data's process (session/replay.h); 0: this one, live */
  const char *journal;     /* folder for session/journal.h, NULL: none */
  const char *about;       /* text that is kept in it */
  const char *stash;       /* folder for base/stash.h; NULL or "": none */
  const char *raw_path;    /* keeps the records there (session/rawfile.h), NULL: nowhere */
  const char *kernel_path; /* of kallsyms; NULL: this kernel's */
  uint32_t max_chain;      /* replay: the kernel cut callchains there */
  bool whole_chains; /* replay: its callchains are whole, or say themselves that they are not */
  struct prof_bytecode_layout bytecode;
  double budget_percent; /* 0: none */
  bool memory;           /* resident memory over time is kept */
  struct prof_allocations_options allocations;
  /* Called from signal handlers when a drain should not wait for its time. May be NULL. */
  void (*wake)(void *user);
  void *wake_user;
};

#endif
