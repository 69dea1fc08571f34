/*
 * strings: each text once, as an index (0 is always the empty text). What leaves for JavaScript as
 * `strings[]`.
 *
 * The caller provides nothing; the texts are copied. Refuses: removal, concurrent use.
 */
#ifndef RSPACK_PROF_PROFILE_STRINGS_H
#define RSPACK_PROF_PROFILE_STRINGS_H

#include <stddef.h>
#include <stdint.h>

struct prof_strings {
  char *bytes; /* all texts, each NUL-terminated */
  size_t used_bytes, capacity_bytes;
  uint32_t *offsets; /* of each text in bytes */
  size_t count, capacity;
  uint32_t *slots; /* open addressing: index + 1, 0 is free */
  size_t slot_count;
};

int prof_strings_init(struct prof_strings *self); /* 0, -1 where memory ends */
void prof_strings_free(struct prof_strings *self);

/* The index of text, added where it is new; 0 (the empty text) also where memory ends. */
uint32_t prof_strings_intern(struct prof_strings *self, const char *text);

/* Valid until the next intern. */
const char *prof_strings_at(const struct prof_strings *self, uint32_t index);

#endif
