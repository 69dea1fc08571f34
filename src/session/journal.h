/*
 * journal: what a recording has so far, appended to a file about every half second, so that a
 * process that is killed or crashes leaves a profile that lacks its last second (session/recover).
 *
 * FOLDER/<time>-<pid>/journal, made at the first append (a shorter recording leaves nothing),
 * readable by its user alone, never through a symbolic link; locked (flock) for as long as the
 * process lives. Each append is one checked piece (base/chunks) of what is new since the last: the
 * caller's notes, modules with their build ids, threads, sampled code with V8's names, frames,
 * tree, samples, counters (session/journal_rows). Places are named when it is recovered. Nothing is
 * synced to disk: it outlives the process, not the machine.
 *
 * The caller provides the recording, one thread, and rounds. Refuses: nothing; what cannot be
 * written is said in failure, and the recording goes on without.
 */
#ifndef RSPACK_PROF_SESSION_JOURNAL_H
#define RSPACK_PROF_SESSION_JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/journal_notes.h"

struct prof_recording;
struct prof_journal {
  const char *folder, *about; /* the caller's; folder NULL: no journal */
  char path[PATH_MAX];        /* "": not made yet */
  char failure[256];          /* "" */
  int fd;                     /* -1: not open */
  bool has_piece;             /* a whole one is in the file */
  uint32_t number;
  uint64_t written_ns, bytes;
  size_t modules, keys, nodes, samples;
  struct prof_thread_row *threads; /* as they were written */
  size_t thread_count, thread_capacity;
  uint8_t *codes; /* by id: 1 where it was written */
  size_t code_count;
  unsigned char *piece;
  size_t used, capacity;
  struct prof_journal_notes notes;
};

void prof_journal_init(struct prof_journal *self, const char *folder, const char *about);
/* Appends when half a second has passed since the last time. */
void prof_journal_round(struct prof_recording *recording);
/* Appends now; before samples are put in order, and before some are forgotten. */
void prof_journal_flush(struct prof_recording *recording);
/* Some samples were forgotten since the flush: a journal that has grown large begins anew. */
void prof_journal_forgot(struct prof_recording *recording);
void prof_journal_close(struct prof_journal *self);  /* keeps the file */
void prof_journal_remove(struct prof_journal *self); /* with its folder, if nothing else is in it */

#endif
