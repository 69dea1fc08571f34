/*
 * cursor: what is left of some bytes. Every read goes through it; one that does not fit marks it
 * bad and gives zeros (NULL), so that a decoder checks once, at its end.
 */
#ifndef RSPACK_PROF_BASE_CURSOR_H
#define RSPACK_PROF_BASE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct prof_cursor {
  const unsigned char *at, *end;
  bool bad;
};

static inline const unsigned char *prof_cursor_take(struct prof_cursor *self, uint64_t bytes) {
  const unsigned char *at = self->at;
  if (self->bad || bytes > (uint64_t)(self->end - self->at)) {
    self->bad = true;
    return NULL;
  }
  self->at += bytes;
  return at;
}

static inline uint32_t prof_cursor_u32(struct prof_cursor *self) {
  uint32_t value = 0;
  const unsigned char *at = prof_cursor_take(self, sizeof value);
  if (at)
    memcpy(&value, at, sizeof value);
  return value;
}

static inline uint64_t prof_cursor_u64(struct prof_cursor *self) {
  uint64_t value = 0;
  const unsigned char *at = prof_cursor_take(self, sizeof value);
  if (at)
    memcpy(&value, at, sizeof value);
  return value;
}

#endif
