/*
 * recover: the journal of a process that ended without its profile (session/journal.h) -> a result,
 * named by the files of this machine. Any thread, several at once.
 *
 * A journal that was cut or damaged gives what stands before that place, and a note says so.
 * Refuses (PROF_BAD_FILE): files that are no journal, of another build of the addon, without one
 * sample; (PROF_BUSY) journals of a process that still runs.
 */
#ifndef RSPACK_PROF_SESSION_RECOVER_H
#define RSPACK_PROF_SESSION_RECOVER_H

#include <stdbool.h>

#include "base/status.h"
#include "session/result.h"

struct prof_recovered {
  struct prof_result *result;
  char *about, *notes; /* what the recorder's caller wrote down (malloc'ed); NULL: nothing */
};

int prof_recover_file(const char *path, struct prof_recovered *out, struct prof_error *error);
void prof_recovered_free(struct prof_recovered *self);

/* Whether the process that writes it still lives. false too where the file cannot be opened. */
bool prof_recover_is_held(const char *path);

#endif
