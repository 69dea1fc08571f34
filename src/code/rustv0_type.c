#include <ctype.h>
#include <string.h>

#include "code/rustv0_walk.h"

static bool walk_const_place(struct prof_rust_state *self, struct prof_rust_place *out) {
  (void)out;
  return prof_rust_const(self);
}

static bool walk_function_type(struct prof_rust_state *self) {
  struct prof_rust_place ignored;
  struct prof_text abi;
  if (!prof_rust_skip_tagged(self, 'G'))
    return false;
  (void)prof_rust_eat(self, 'U');
  if (prof_rust_eat(self, 'K') && !prof_rust_eat(self, 'C') && !prof_rust_identifier(self, &abi))
    return false;
  while (!prof_rust_eat(self, 'E'))
    if (!prof_rust_type(self, &ignored))
      return false;
  return prof_rust_type(self, &ignored);
}

static bool walk_dyn(struct prof_rust_state *self) {
  struct prof_rust_place ignored;
  struct prof_text name;
  uint64_t lifetime;
  if (!prof_rust_skip_tagged(self, 'G'))
    return false;
  while (!prof_rust_eat(self, 'E')) {
    if (!prof_rust_path(self, &ignored))
      return false;
    while (prof_rust_eat(self, 'p'))
      if (!prof_rust_identifier(self, &name) ||
          !(prof_rust_eat(self, 'K') ? prof_rust_const(self) : prof_rust_type(self, &ignored)))
        return false;
  }
  return prof_rust_eat(self, 'L') && prof_rust_base62(self, &lifetime);
}

static bool walk_pattern(struct prof_rust_state *self) {
  switch (prof_rust_next(self)) {
  case 'R':
    return prof_rust_const(self) && prof_rust_const(self);
  case 'O':
    while (!prof_rust_eat(self, 'E'))
      if (!walk_pattern(self))
        return false;
    return true;
  case 'N':
    return true;
  default:
    return false;
  }
}

bool prof_rust_type(struct prof_rust_state *self, struct prof_rust_place *out) {
  bool fine = false;
  char tag = prof_rust_peek(self);
  *out = (struct prof_rust_place){0};
  if (!prof_rust_enter(self))
    return false;
  if (tag && strchr("abcdefhijlmnopstuvxyz", tag)) {
    self->at++;
    fine = true;
    goto out;
  }
  if (tag && strchr("CMXYNI", tag)) {
    fine = prof_rust_path(self, out);
    goto out;
  }
  switch (prof_rust_next(self)) {
  case 'A':
    fine = prof_rust_type(self, out) && prof_rust_const(self);
    break;
  case 'R':
  case 'Q':
    fine = prof_rust_skip_tagged(self, 'L') && prof_rust_type(self, out);
    break;
  case 'S':
  case 'P':
  case 'O':
    fine = prof_rust_type(self, out);
    break;
  case 'T':
    for (fine = true; fine && !prof_rust_eat(self, 'E');)
      fine = prof_rust_type(self, out);
    break;
  case 'F':
    fine = walk_function_type(self);
    break;
  case 'D':
    fine = walk_dyn(self);
    break;
  case 'W':
    fine = prof_rust_type(self, out) && walk_pattern(self);
    break;
  case 'B':
    fine = prof_rust_follow(self, prof_rust_type, out);
    break;
  default:
    break;
  }
out:
  self->depth--;
  return fine;
}

static bool walk_hex(struct prof_rust_state *self) {
  while (isxdigit((unsigned char)prof_rust_peek(self)) &&
         !isupper((unsigned char)prof_rust_peek(self)))
    self->at++;
  return prof_rust_eat(self, '_');
}

static bool walk_const_list(struct prof_rust_state *self) {
  while (!prof_rust_eat(self, 'E'))
    if (!prof_rust_const(self))
      return false;
  return true;
}

/* A struct or variant value: its path, then unit, tuple or named fields. */
static bool walk_const_value(struct prof_rust_state *self) {
  struct prof_rust_place ignored;
  struct prof_text name;
  if (!prof_rust_path(self, &ignored))
    return false;
  switch (prof_rust_next(self)) {
  case 'U':
    return true;
  case 'T':
    return walk_const_list(self);
  case 'S':
    while (!prof_rust_eat(self, 'E'))
      if (!prof_rust_identifier(self, &name) || !prof_rust_const(self))
        return false;
    return true;
  default:
    return false;
  }
}

bool prof_rust_const(struct prof_rust_state *self) {
  bool fine = false;
  struct prof_rust_place ignored;
  char tag;
  if (!prof_rust_enter(self))
    return false;
  tag = prof_rust_next(self);
  switch (tag) {
  case 'p':
    fine = true;
    break;
  case 'B':
    fine = prof_rust_follow(self, walk_const_place, &ignored);
    break;
  case 'R':
  case 'Q':
    fine = prof_rust_const(self);
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
      (void)prof_rust_eat(self, 'n');
      fine = walk_hex(self);
    }
  }
  self->depth--;
  return fine;
}
