#include "code/rustv0_walk.h"

#include <ctype.h>

enum { STEPS_MAX = 200000, DEPTH_MAX = 400 };

char prof_rust_peek(const struct prof_rust_state *self) {
  return self->at < self->end ? *self->at : '\0';
}

bool prof_rust_eat(struct prof_rust_state *self, char c) {
  if (prof_rust_peek(self) != c || c == '\0')
    return false;
  self->at++;
  return true;
}

char prof_rust_next(struct prof_rust_state *self) {
  return self->at < self->end ? *self->at++ : '\0';
}

bool prof_rust_enter(struct prof_rust_state *self) {
  return ++self->steps <= STEPS_MAX && ++self->depth <= DEPTH_MAX;
}

bool prof_rust_base62(struct prof_rust_state *self, uint64_t *out) {
  uint64_t value = 0;
  if (prof_rust_eat(self, '_')) {
    *out = 0;
    return true;
  }
  for (;;) {
    char c = prof_rust_next(self);
    unsigned digit;
    if (c == '_')
      break;
    if (c >= '0' && c <= '9')
      digit = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'z')
      digit = (unsigned)(c - 'a') + 10;
    else if (c >= 'A' && c <= 'Z')
      digit = (unsigned)(c - 'A') + 36;
    else
      return false;
    if (__builtin_mul_overflow(value, 62, &value) || __builtin_add_overflow(value, digit, &value))
      return false;
  }
  return !__builtin_add_overflow(value, 1, out);
}

bool prof_rust_skip_tagged(struct prof_rust_state *self, char tag) {
  uint64_t ignored;
  return !prof_rust_eat(self, tag) || prof_rust_base62(self, &ignored);
}

bool prof_rust_identifier(struct prof_rust_state *self, struct prof_text *out) {
  size_t length = 0;
  if (!prof_rust_skip_tagged(self, 's'))
    return false;
  (void)prof_rust_eat(self, 'u');
  if (!isdigit((unsigned char)prof_rust_peek(self)))
    return false;
  if (!prof_rust_eat(self, '0'))
    while (isdigit((unsigned char)prof_rust_peek(self))) {
      length = length * 10 + (size_t)(prof_rust_next(self) - '0');
      if (length > (size_t)(self->end - self->start))
        return false;
    }
  (void)prof_rust_eat(self, '_');
  if (length > (size_t)(self->end - self->at))
    return false;
  *out = (struct prof_text){self->at, length};
  self->at += length;
  return true;
}

bool prof_rust_follow(struct prof_rust_state *self, prof_rust_rule *rule,
                      struct prof_rust_place *out) {
  const char *tag = self->at - 1, *after;
  uint64_t to;
  bool fine;
  if (!prof_rust_base62(self, &to) || to >= (uint64_t)(tag - self->start))
    return false;
  after = self->at;
  self->at = self->start + to;
  fine = rule(self, out);
  self->steps += (size_t)(self->at - (self->start + to)) / 16; /* long literals are work as well */
  self->at = after;
  return fine;
}
