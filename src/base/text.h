/*
 * text: a piece of text that needs no NUL, and what is asked of such pieces. Pure; refuses nothing.
 */
#ifndef RSPACK_PROF_BASE_TEXT_H
#define RSPACK_PROF_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct prof_text {
  const char *at; /* NULL: there is none */
  size_t length;
};

static inline struct prof_text prof_text_skip(struct prof_text self, size_t bytes) {
  return (struct prof_text){.at = self.at + bytes, .length = self.length - bytes};
}

static inline bool prof_text_starts(struct prof_text self, const char *prefix) {
  size_t bytes = strlen(prefix);
  return self.length >= bytes && memcmp(self.at, prefix, bytes) == 0;
}

static inline bool prof_text_is(struct prof_text self, const char *word) {
  return self.length == strlen(word) && prof_text_starts(self, word);
}

/* Two that are there, and equal. */
static inline bool prof_text_same(struct prof_text a, struct prof_text b) {
  return a.at && b.at && a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

/* Whether it is one of count words. */
static inline bool prof_text_among(struct prof_text self, const char *const *words, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (prof_text_is(self, words[i]))
      return true;
  return false;
}

/* The value of a digit of hex, of either case; -1: it is none. */
static inline int prof_hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
