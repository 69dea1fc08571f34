/*
 * rustv0_walk: the parts of the walk over a Rust v0 name (see rustv0.h): paths in rustv0.c, types
 * and constants in rustv0_type.c, letters and numbers in rustv0_walk.c. For these three alone.
 */
#ifndef RSPACK_PROF_CODE_RUSTV0_WALK_H
#define RSPACK_PROF_CODE_RUSTV0_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* What a path or type says of where code stands. */
struct prof_rust_place {
  struct prof_text crate; /* whose source it is */
  struct prof_text self;  /* of a trait's own method ("Y"): the crate of its type */
  struct prof_text last;  /* last identifier */
  struct prof_text data;  /* of an impl beside its trait: the crate of the type, if another */
};

struct prof_rust_state {
  const char *start, *end, *at; /* start: what back references count from */
  size_t steps;
  unsigned depth;
  struct prof_text foreign; /* first crate met since it was reset: not std's, not beside */
  struct prof_text beside;
};

typedef bool prof_rust_rule(struct prof_rust_state *self, struct prof_rust_place *out);

/* All return false for what is malformed or beyond the budget. */
prof_rust_rule prof_rust_path, prof_rust_type;
bool prof_rust_const(struct prof_rust_state *self);

char prof_rust_peek(const struct prof_rust_state *self);  /* NUL at the end */
char prof_rust_next(struct prof_rust_state *self);        /* NUL at the end */
bool prof_rust_eat(struct prof_rust_state *self, char c); /* only if it is next */
bool prof_rust_enter(struct prof_rust_state *self);       /* counts a step, one deeper */
bool prof_rust_skip_tagged(struct prof_rust_state *self, char tag);
/* "_" is 0, "0_" is 1, and so on in base 62. */
bool prof_rust_base62(struct prof_rust_state *self, uint64_t *out);
bool prof_rust_identifier(struct prof_rust_state *self, struct prof_text *out);
/* Runs a rule at an earlier place of the name, then goes on after the reference. */
bool prof_rust_follow(struct prof_rust_state *self, prof_rust_rule *rule,
                      struct prof_rust_place *out);

#endif
