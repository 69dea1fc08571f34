/*
 * journal_rows: the sections and fixed rows of a journal, shared by its writer and its reader. Of
 * one build of the addon: sizes are in the head, and a journal of other sizes is refused.
 */
#ifndef RSPACK_PROF_SESSION_JOURNAL_ROWS_H
#define RSPACK_PROF_SESSION_JOURNAL_ROWS_H

#include "session/journal_file.h"
#include "session/recording.h"

enum { PROF_JOURNAL_VERSION = 3 };
/* Sections of a piece: tag, count, then so many rows. In this order, those that are not empty. */
enum prof_journal_tag {
  PROF_JOURNAL_HEAD = 1,   /* struct prof_journal_head, once, first */
  PROF_JOURNAL_ABOUT,      /* bytes of text: the caller's, opaque here */
  PROF_JOURNAL_NOTES,      /* bytes of text: the caller's too, in addition to those before */
  PROF_JOURNAL_NOTES_ANEW, /* instead of those before */
  PROF_JOURNAL_MODULES,    /* struct prof_journal_module and its texts */
  PROF_JOURNAL_THREADS,    /* u32 index, struct prof_thread_row: new ones and changed ones */
  PROF_JOURNAL_CODES,      /* struct prof_journal_code and its text */
  PROF_JOURNAL_KEYS,       /* u64 key, u64 address (of code 0) */
  PROF_JOURNAL_NODES,      /* struct prof_tree_node */
  PROF_JOURNAL_SAMPLES,    /* struct prof_sample */
  PROF_JOURNAL_STATE,      /* struct prof_journal_state */
  PROF_JOURNAL_TAGS
};

struct prof_journal_code {
  uint32_t id;
  int32_t module;
  uint64_t start, size;
  uint8_t kind, tier, has_name;
  uint8_t unused;
  uint32_t name_bytes;
};

struct prof_journal_module {
  uint64_t start, end, bias;
  uint32_t flags, path_bytes, id_bytes; /* texts without NUL: path, build id */
  uint32_t unused;
};

struct prof_journal_head {
  uint32_t version;
  uint32_t head_bytes, sample_bytes, thread_bytes, state_bytes; /* sizeof */
  uint32_t pid, cpus;
  uint64_t start_ns, start_unix_ms;
  struct prof_plan plan;
  char kernel[65], boot_id[PROF_BOOT_ID_BYTES];
};

struct prof_journal_state {
  uint64_t end_ns, forgotten, peak_bytes;
  double cpu_ms; /* of the profiler's thread */
  struct prof_recording_counters counters;
};

#endif
