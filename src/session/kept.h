/*
 * kept: the unwind rows of the modules, from the last recording and for the next one
 * (stack/rows_kept.h, base/stash.h).
 *
 * The profiler's thread; a recording with a stash folder. Refuses modules that are not the file at
 * their path.
 */
#ifndef RSPACK_PROF_SESSION_KEPT_H
#define RSPACK_PROF_SESSION_KEPT_H

#include <stddef.h>

struct prof_recording;

struct prof_kept {
  size_t *counts; /* of each module that was looked for: rows that were there */
  size_t count, capacity;
};

/* Of the modules that are new since the last time. */
void prof_kept_recall(struct prof_recording *recording);

/* At the end; nothing is written of a module with few new rows. */
void prof_kept_save(const struct prof_recording *recording);

void prof_kept_free(struct prof_kept *self);

#endif
