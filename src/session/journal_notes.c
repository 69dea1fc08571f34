#include "session/journal_notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void prof_journal_notes_init(struct prof_journal_notes *self) {
  *self = (struct prof_journal_notes){.text = NULL};
  pthread_mutex_init(&self->lock, NULL);
}

void prof_journal_notes_free(struct prof_journal_notes *self) {
  pthread_mutex_lock(&self->lock);
  free(self->text);
  self->text = NULL;
  self->used = self->capacity = self->written = 0;
  self->replaces = false;
  pthread_mutex_unlock(&self->lock);
}

bool prof_journal_notes_add(struct prof_journal_notes *self, const char *text, size_t bytes,
                            bool replaces) {
  pthread_mutex_lock(&self->lock);
  size_t before = replaces ? 0 : self->used;
  bool fits = bytes <= PROF_JOURNAL_NOTES_BYTES - before &&
              prof_array_reserve((void **)&self->text, &self->capacity, before + bytes, 1) == 0;
  if (fits && bytes)
    memcpy(self->text + before, text, bytes);
  if (fits) {
    self->used = before + bytes;
    self->replaces |= replaces;
    self->written = replaces ? 0 : self->written;
  }
  pthread_mutex_unlock(&self->lock);
  return fits;
}

void prof_journal_notes_take(struct prof_journal_notes *self,
                             void (*put)(void *user, const char *text, size_t bytes, bool replaces),
                             void *user) {
  pthread_mutex_lock(&self->lock);
  if (self->used > self->written || self->replaces)
    put(user, self->text + self->written, self->used - self->written, self->replaces);
  self->written = self->used;
  self->replaces = false;
  pthread_mutex_unlock(&self->lock);
}

void prof_journal_notes_rewind(struct prof_journal_notes *self) {
  pthread_mutex_lock(&self->lock);
  self->written = 0;
  pthread_mutex_unlock(&self->lock);
}
