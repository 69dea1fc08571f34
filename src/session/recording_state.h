/*
 * recording_state: what a recording holds: every stage, and what is kept between the rounds.
 *
 * For the files of session/ that each do one part of a round; all of it is the profiler's thread's.
 * Whoever asks a recording for something uses session/recording.h. Refuses: nothing.
 */
#ifndef RSPACK_PROF_SESSION_RECORDING_STATE_H
#define RSPACK_PROF_SESSION_RECORDING_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "code/kernel.h"
#include "code/module.h"
#include "code/perfmap.h"
#include "code/space.h"
#include "code/symbol.h"
#include "perf/attach.h"
#include "perf/order.h"
#include "profile/samples.h"
#include "profile/tree.h"
#include "session/allocations.h"
#include "session/journal.h"
#include "session/kept.h"
#include "session/meter.h"
#include "session/recording_counters.h"
#include "session/recording_options.h"
#include "session/resident.h"
#include "session/unindexed.h"
#include "session/waits.h"
#include "session/walks.h"
#include "stack/join.h"
#include "stack/splice.h"
#include "stack/tail.h"
#include "stack/unwind.h"

struct prof_timers;

struct prof_recording {
  struct prof_recording_options options;
  struct prof_attach *attach;
  struct prof_timers *timers; /* in place of perf events (session/timers.h); NULL: there are */
  struct prof_order *order;
  struct prof_rows *rows;
  struct prof_kept kept; /* rows from and for other recordings */
  struct prof_unwind unwind;
  struct prof_space *space;
  struct prof_modules *modules;
  struct prof_unindexed unindexed;
  struct prof_kernel *kernel;
  struct prof_symbols *symbols;
  struct prof_perfmap perfmap;
  struct prof_arena arena;
  struct prof_tree tree, kernel_tree;
  struct prof_splice splice;
  struct prof_unlisted unlisted;
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
  struct prof_allocations allocations;
  struct prof_waits waits; /* of threads that are off their CPU */
  struct prof_journal journal;
  struct prof_datasave *raw; /* NULL: records are not kept */
  char raw_failure[512];     /* why not, or not all of them; "" */
  uint64_t start_ns, end_ns, start_unix_ms;
  uint64_t used_ns;                        /* CPU time of the build's threads, once it has ended */
  uint64_t frozen_ns;                      /* spent on stacks of sleeping threads */
  uint64_t prefetched;                     /* frames that were named ahead */
  uint64_t thread_start, thread_start_end; /* pc range of libc's start_thread, 0 unknown */
  bool is_held;                            /* a thread stands in a walk that reads this: it stays */
  bool signal_taken;                       /* another SIGTRAP handler replaced ours */
};

#endif
