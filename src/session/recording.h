/*
 * recording: the stages wired together, from rings and walks to samples in the calling-context
 * tree.
 *
 * All of it belongs to one thread (the profiler's), which creates, drains, finishes and frees it.
 * In it data flows one way: rings -> order -> records -> join with the walks -> splice -> tree.
 *
 * The caller provides the plan and where V8 keeps its bytecode; the JIT receiver (code/jit.h) is
 * process-wide and started by the caller. Refuses: what attach, rows and modules refuse.
 */
#ifndef RSPACK_PROF_SESSION_RECORDING_H
#define RSPACK_PROF_SESSION_RECORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "code/bytecode.h"
#include "code/kernel.h"
#include "code/module.h"
#include "code/perfmap.h"
#include "code/space.h"
#include "code/symbol.h"
#include "perf/attach.h"
#include "perf/choose.h"
#include "perf/order.h"
#include "profile/samples.h"
#include "profile/tree.h"
#include "stack/join.h"
#include "stack/splice.h"
#include "stack/tail.h"
#include "session/journal.h"
#include "session/meter.h"
#include "session/resident.h"
#include "session/waits.h"
#include "session/walks.h"
#include "stack/unwind.h"

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
  const char *raw_path;    /* keeps the records there (session/rawfile.h), NULL: nowhere */
  const char *kernel_path; /* of kallsyms; NULL: this kernel's */
  uint32_t max_chain;      /* replay: the kernel cut callchains there */
  bool whole_chains; /* replay: its callchains are whole, or say themselves that they are not */
  struct prof_bytecode_layout bytecode;
  double budget_percent; /* 0: none */
  bool memory;           /* resident memory over time is kept */
  /* Called from signal handlers when a drain should not wait for its time. May be NULL. */
  void (*wake)(void *user);
  void *wake_user;
};

/* A sample's `reason`, where it is broken: enum prof_walk_end, or this plus enum prof_join_fate. */
enum { PROF_REASON_JOIN = 16 };

struct prof_recording_counters {
  uint64_t lost;      /* records that the kernel had no room for */
  uint64_t throttled; /* times */
  uint64_t doubles;   /* samples dropped: their thread had the event twice */
  uint64_t malformed, no_memory;
  uint64_t handler_dropped; /* walks that found no room */
  uint64_t handler_ns, signals;
  uint64_t unmatched;  /* walks that no sample asked for */
  uint64_t ring_bytes; /* read from the rings */
};

struct prof_timers;

struct prof_recording {
  struct prof_recording_options options;
  struct prof_attach *attach;
  struct prof_timers
      *timers; /* where there are no perf events (session/timers.h); NULL: there are */
  struct prof_order *order;
  struct prof_rows *rows;
  struct prof_unwind unwind;
  struct prof_space *space;
  struct prof_modules *modules;
  struct prof_kernel *kernel;
  struct prof_symbols *symbols;
  struct prof_perfmap perfmap;
  struct prof_arena arena;
  struct prof_tree tree, kernel_tree;
  struct prof_splice splice;
  struct prof_join join;
  struct prof_samples samples;
  struct prof_threads threads;
  struct prof_walks walks; /* copied from the shards, waiting for their turn */
  struct prof_recording_counters counters;
  uint64_t *words;       /* room for one walk, or for the longest callchain of a record */
  unsigned char *record; /* room for a rewritten one */
  struct prof_tail tail;
  struct prof_meter meter;
  struct prof_resident resident;
  struct prof_waits waits; /* of threads that are off their CPU */
  struct prof_journal journal;
  struct prof_datasave *raw; /* NULL: records are not kept */
  char raw_failure[512];     /* why not, or not all of them; "" */
  uint64_t start_ns, end_ns, start_unix_ms;
  uint64_t frozen_ns;                      /* spent on stacks of sleeping threads */
  uint64_t prefetched;                     /* frames that were named ahead */
  uint64_t thread_start, thread_start_end; /* pc range of libc's start_thread, 0 unknown */
  bool signal_taken;                       /* another SIGTRAP handler replaced ours */
};

/* The stages alone: without events, sampler or anything of this process where replay_pid is set. 0,
 * or a status with nothing left open. */
int prof_recording_open(struct prof_recording *self, const struct prof_recording_options *options,
                        struct prof_error *error);

/* Opens everything and enables the events. 0, or a status with nothing left open. */
int prof_recording_start(struct prof_recording *self, const struct prof_recording_options *options,
                         struct prof_error *error);

/* One round; the timer's. */
void prof_recording_drain(struct prof_recording *self);

/* Only what a ring's wake-up asks for where stacks are dumps: nothing is decided. */
void prof_recording_take(struct prof_recording *self);

/* Disables the events and decides every sample that still waits. */
void prof_recording_finish(struct prof_recording *self);

/* May block on kernels 6.10 to 6.14 while a thread with a signal pending sleeps: call it when
 * nobody waits. */
void prof_recording_free(struct prof_recording *self);

/* The sampler's part is of the process: valid until the next recording. */
void prof_recording_counters(const struct prof_recording *self,
                             struct prof_recording_counters *out);
size_t prof_recording_bytes(const struct prof_recording *self); /* memory held */

#endif
