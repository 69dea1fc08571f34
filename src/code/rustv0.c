#include "code/rustv0.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "code/crate.h"

enum { STEPS_MAX = 200000, DEPTH_MAX = 400 };

struct text {
  const char *at;
  size_t length;
};

/* What a path or type says of where code stands. */
struct place {
  struct text crate; /* whose source it is */
  struct text self;  /* of a trait's own method ("Y"): the crate of the type that it is made for */
  struct text last;  /* last identifier */
};

struct walk {
  const char *start, *end, *at; /* start: what back references count from */
  size_t steps;
  unsigned depth;
  struct text foreign; /* first crate met that does not belong to std, since it was reset */
};

static bool walk_path(struct walk *self, struct place *out);
static bool walk_type(struct walk *self, struct place *out);
static bool walk_const(struct walk *self);

static bool is_text(struct text text, const char *word) {
  return text.at && text.length == strlen(word) && memcmp(text.at, word, text.length) == 0;
}

static char peek(const struct walk *self) {
  return self->at < self->end ? *self->at : '\0';
}

static bool eat(struct walk *self, char c) {
  if (peek(self) != c || c == '\0')
    return false;
  self->at++;
  return true;
}

static char next(struct walk *self) {
  return self->at < self->end ? *self->at++ : '\0';
}

static bool enter(struct walk *self) {
  return ++self->steps <= STEPS_MAX && ++self->depth <= DEPTH_MAX;
}

/* "_" is 0, "0_" is 1, and so on in base 62. */
static bool walk_base62(struct walk *self, uint64_t *out) {
  uint64_t value = 0;
  if (eat(self, '_')) {
    *out = 0;
    return true;
  }
  for (;;) {
    char c = next(self);
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

static bool skip_tagged(struct walk *self, char tag) {
  uint64_t ignored;
  return !eat(self, tag) || walk_base62(self, &ignored);
}

static bool walk_identifier(struct walk *self, struct text *out) {
  size_t length = 0;
  if (!skip_tagged(self, 's'))
    return false;
  (void)eat(self, 'u');
  if (!isdigit((unsigned char)peek(self)))
    return false;
  if (!eat(self, '0'))
    while (isdigit((unsigned char)peek(self))) {
      length = length * 10 + (size_t)(next(self) - '0');
      if (length > (size_t)(self->end - self->start))
        return false;
    }
  (void)eat(self, '_');
  if (length > (size_t)(self->end - self->at))
    return false;
  *out = (struct text){self->at, length};
  self->at += length;
  return true;
}

/* Runs walk at an earlier place of the name, then goes on after the reference. */
static bool follow(struct walk *self, bool (*walk)(struct walk *, struct place *),
                   struct place *out) {
  const char *tag = self->at - 1, *after;
  uint64_t to;
  bool fine;
  if (!walk_base62(self, &to) || to >= (uint64_t)(tag - self->start))
    return false;
  after = self->at;
  self->at = self->start + to;
  fine = walk(self, out);
  self->steps += (size_t)(self->at - (self->start + to)) / 16; /* long literals are work as well */
  self->at = after;
  return fine;
}

static bool walk_const_place(struct walk *self, struct place *out) {
  (void)out;
  return walk_const(self);
}

static bool walk_arguments(struct walk *self) {
  struct place ignored;
  uint64_t lifetime;
  while (!eat(self, 'E')) {
    if (eat(self, 'L')) {
      if (!walk_base62(self, &lifetime))
        return false;
    } else if (eat(self, 'K')) {
      if (!walk_const(self))
        return false;
    } else if (!walk_type(self, &ignored)) {
      return false;
    }
  }
  return true;
}

/* Compiler-made code belongs to the type that it is made for: nobody can change core's part. */
static bool is_glue(const struct place *place) {
  return is_text(place->crate, "core") &&
         (is_text(place->last, "drop_in_place") || is_text(place->last, "drop_glue"));
}

static bool is_call_trait(const struct place *trait) {
  return is_text(trait->crate, "core") &&
         (is_text(trait->last, "FnOnce") || is_text(trait->last, "FnMut") ||
          is_text(trait->last, "Fn"));
}

static bool walk_generic(struct walk *self, struct place *out) {
  struct text before = self->foreign;
  if (!walk_path(self, out))
    return false;
  self->foreign = (struct text){0};
  if (!walk_arguments(self))
    return false;
  if (is_glue(out) && self->foreign.at)
    out->crate = self->foreign;
  self->foreign = before.at ? before : self->foreign;
  return true;
}

static bool walk_impl(struct walk *self, bool of_trait, struct place *out) {
  struct place ignored;
  return skip_tagged(self, 's') && walk_path(self, out) && walk_type(self, &ignored) &&
         (!of_trait || walk_path(self, &ignored));
}

static bool walk_trait_method(struct walk *self, struct place *out) {
  struct place type, trait;
  struct text before = self->foreign;
  self->foreign = (struct text){0};
  if (!walk_type(self, &type))
    return false;
  out->self = self->foreign.at ? self->foreign : type.crate;
  if (!walk_path(self, &trait))
    return false;
  self->foreign = before.at ? before : self->foreign;
  out->crate = is_call_trait(&trait) && out->self.at ? out->self : trait.crate;
  out->last = trait.last;
  return true;
}

static bool walk_nested(struct walk *self, struct place *out) {
  char namespace = next(self);
  struct text name;
  if (!isalpha((unsigned char)namespace) || !walk_path(self, out) || !walk_identifier(self, &name))
    return false;
  if (namespace == 'S' && out->self.at) /* shim */
    out->crate = out->self;
  if (name.length) /* closures have none */
    out->last = name;
  return true;
}

static bool walk_path(struct walk *self, struct place *out) {
  bool fine = false;
  *out = (struct place){0};
  if (!enter(self))
    return false;
  switch (next(self)) {
  case 'C':
    fine = walk_identifier(self, &out->crate);
    out->last = out->crate;
    if (fine && !self->foreign.at && !prof_crate_is_std(out->crate.at, out->crate.length))
      self->foreign = out->crate;
    break;
  case 'M':
    fine = walk_impl(self, false, out);
    break;
  case 'X':
    fine = walk_impl(self, true, out);
    break;
  case 'Y':
    fine = walk_trait_method(self, out);
    break;
  case 'N':
    fine = walk_nested(self, out);
    break;
  case 'I':
    fine = walk_generic(self, out);
    break;
  case 'B':
    fine = follow(self, walk_path, out);
    break;
  default:
    break;
  }
  self->depth--;
  return fine;
}

static bool walk_function_type(struct walk *self) {
  struct place ignored;
  struct text abi;
  if (!skip_tagged(self, 'G'))
    return false;
  (void)eat(self, 'U');
  if (eat(self, 'K') && !eat(self, 'C') && !walk_identifier(self, &abi))
    return false;
  while (!eat(self, 'E'))
    if (!walk_type(self, &ignored))
      return false;
  return walk_type(self, &ignored);
}

static bool walk_dyn(struct walk *self) {
  struct place ignored;
  struct text name;
  uint64_t lifetime;
  if (!skip_tagged(self, 'G'))
    return false;
  while (!eat(self, 'E')) {
    if (!walk_path(self, &ignored))
      return false;
    while (eat(self, 'p'))
      if (!walk_identifier(self, &name) ||
          !(eat(self, 'K') ? walk_const(self) : walk_type(self, &ignored)))
        return false;
  }
  return eat(self, 'L') && walk_base62(self, &lifetime);
}

static bool walk_pattern(struct walk *self) {
  switch (next(self)) {
  case 'R':
    return walk_const(self) && walk_const(self);
  case 'O':
    while (!eat(self, 'E'))
      if (!walk_pattern(self))
        return false;
    return true;
  case 'N':
    return true;
  default:
    return false;
  }
}

static bool walk_type(struct walk *self, struct place *out) {
  bool fine = false;
  char tag = peek(self);
  *out = (struct place){0};
  if (!enter(self))
    return false;
  if (tag && strchr("abcdefhijlmnopstuvxyz", tag)) {
    self->at++;
    fine = true;
    goto out;
  }
  if (tag && strchr("CMXYNI", tag)) {
    fine = walk_path(self, out);
    goto out;
  }
  switch (next(self)) {
  case 'A':
    fine = walk_type(self, out) && walk_const(self);
    break;
  case 'R':
  case 'Q':
    fine = skip_tagged(self, 'L') && walk_type(self, out);
    break;
  case 'S':
  case 'P':
  case 'O':
    fine = walk_type(self, out);
    break;
  case 'T':
    for (fine = true; fine && !eat(self, 'E');)
      fine = walk_type(self, out);
    break;
  case 'F':
    fine = walk_function_type(self);
    break;
  case 'D':
    fine = walk_dyn(self);
    break;
  case 'W':
    fine = walk_type(self, out) && walk_pattern(self);
    break;
  case 'B':
    fine = follow(self, walk_type, out);
    break;
  default:
    break;
  }
out:
  self->depth--;
  return fine;
}

static bool walk_hex(struct walk *self) {
  while (isxdigit((unsigned char)peek(self)) && !isupper((unsigned char)peek(self)))
    self->at++;
  return eat(self, '_');
}

static bool walk_const_list(struct walk *self) {
  while (!eat(self, 'E'))
    if (!walk_const(self))
      return false;
  return true;
}

/* A struct or variant value: its path, then unit, tuple or named fields. */
static bool walk_const_value(struct walk *self) {
  struct place ignored;
  struct text name;
  if (!walk_path(self, &ignored))
    return false;
  switch (next(self)) {
  case 'U':
    return true;
  case 'T':
    return walk_const_list(self);
  case 'S':
    while (!eat(self, 'E'))
      if (!walk_identifier(self, &name) || !walk_const(self))
        return false;
    return true;
  default:
    return false;
  }
}

static bool walk_const(struct walk *self) {
  bool fine = false;
  struct place ignored;
  char tag;
  if (!enter(self))
    return false;
  tag = next(self);
  switch (tag) {
  case 'p':
    fine = true;
    break;
  case 'B':
    fine = follow(self, walk_const_place, &ignored);
    break;
  case 'R':
  case 'Q':
    fine = walk_const(self);
    break;
  case 'A':
  case 'T':
    fine = walk_const_list(self);
    break;
  case 'V':
    fine = walk_const_value(self);
    break;
  default:
    if (tag && strchr("abcehijlmnostxy", tag)) {
      (void)eat(self, 'n');
      fine = walk_hex(self);
    }
  }
  self->depth--;
  return fine;
}

bool prof_rustv0_walk(const char *name, struct prof_rust_walk *out) {
  struct walk self = {0};
  struct place place;
  bool fine;
  *out = (struct prof_rust_walk){0};
  if (strncmp(name, "_R", 2) != 0 || !isupper((unsigned char)name[2]))
    return false;
  self.start = self.at = name + 2;
  self.end = self.at + strcspn(self.at, ".$");
  fine = walk_path(&self, &place) && self.depth == 0;
  out->steps = self.steps;
  out->source = (struct prof_rust_crate){place.crate.at, place.crate.length};
  if (fine && self.at < self.end) {
    fine = walk_path(&self, &place);
    out->instantiating = (struct prof_rust_crate){place.crate.at, place.crate.length};
  }
  return fine && self.at == self.end && out->source.text;
}
