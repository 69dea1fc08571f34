/*
 * journal_notes: lines that the recording's caller wants in its journal (marks, spans, phases of
 * the build), opaque here. Taken from any thread, without waking the profiler's; the journal's next
 * piece has what is new.
 *
 * All of it is kept, since a journal may begin anew: the caller replaces it where it grows for
 * long. Refuses what would make it more than PROF_JOURNAL_NOTES_BYTES.
 */
#ifndef RSPACK_PROF_SESSION_JOURNAL_NOTES_H
#define RSPACK_PROF_SESSION_JOURNAL_NOTES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum { PROF_JOURNAL_NOTES_BYTES = 4 << 20 };

struct prof_journal_notes {
  pthread_mutex_t lock;
  char *text; /* under lock, as all that follows */
  size_t used, capacity;
  size_t written; /* bytes of it that are in the journal */
  bool replaces;  /* what is in the journal already is no longer so */
};

void prof_journal_notes_init(struct prof_journal_notes *self);
void prof_journal_notes_free(struct prof_journal_notes *self);

/* replaces: instead of all before. false, and nothing has changed: too much, or no memory. */
bool prof_journal_notes_add(struct prof_journal_notes *self, const char *text, size_t bytes,
                            bool replaces);

/* What the journal has not: `put` gets it, under the lock, once; nothing: it is not called. */
void prof_journal_notes_take(struct prof_journal_notes *self,
                             void (*put)(void *user, const char *text, size_t bytes, bool replaces),
                             void *user);

/* The journal begins anew: all of it is new to it. */
void prof_journal_notes_rewind(struct prof_journal_notes *self);

#endif
