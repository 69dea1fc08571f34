/*
 * journal_rows: the fixed rows of a journal, shared by its writer and its reader. Of one build of
 * the addon: sizes are in the head, and a journal of other sizes is refused.
 */
#ifndef RSPACK_PROF_SESSION_JOURNAL_ROWS_H
#define RSPACK_PROF_SESSION_JOURNAL_ROWS_H

#include "session/recording.h"

struct prof_journal_head {
  uint32_t version;
  uint32_t head_bytes, sample_bytes, thread_bytes, state_bytes; /* sizeof */
  uint32_t pid, cpus;
  uint64_t start_ns, start_unix_ms;
  struct prof_plan plan;
  char kernel[65], boot_id[40];
};

struct prof_journal_state {
  uint64_t end_ns, forgotten, peak_bytes;
  double cpu_ms; /* of the profiler's thread */
  struct prof_recording_counters counters;
};

#endif
