#include "code/rustv0.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "code/crate.h"
#include "code/rustv0_walk.h"

static bool walk_arguments(struct prof_rust_state *self) {
  struct prof_rust_place ignored;
  uint64_t lifetime;
  while (!prof_rust_eat(self, 'E')) {
    if (prof_rust_eat(self, 'L')) {
      if (!prof_rust_base62(self, &lifetime))
        return false;
    } else if (prof_rust_eat(self, 'K')) {
      if (!prof_rust_const(self))
        return false;
    } else if (!prof_rust_type(self, &ignored)) {
      return false;
    }
  }
  return true;
}

/* Compiler-made code belongs to the type that it is made for: nobody can change core's part. */
static bool is_glue(const struct prof_rust_place *place) {
  return prof_text_is(place->crate, "core") &&
         (prof_text_is(place->last, "drop_in_place") || prof_text_is(place->last, "drop_glue"));
}

static bool is_call_trait(const struct prof_rust_place *trait) {
  return prof_text_is(trait->crate, "core") &&
         (prof_text_is(trait->last, "FnOnce") || prof_text_is(trait->last, "FnMut") ||
          prof_text_is(trait->last, "Fn"));
}

/* Data of one crate, walked by code of a second, for a visitor of a third: time is the visitor's.
 * An element type (rayon, serde) is mostly of the data's crate, and changes nothing. */
static void charge_visitor(struct prof_rust_place *out, struct prof_text visitor) {
  if (!out->data.at || !visitor.at || prof_text_same(visitor, out->data))
    return;
  out->crate = visitor;
  out->data = (struct prof_text){0};
}

static bool walk_generic(struct prof_rust_state *self, struct prof_rust_place *out) {
  struct prof_text before, beside = self->beside;
  if (!prof_rust_path(self, out))
    return false;
  before = self->foreign;
  self->foreign = (struct prof_text){0};
  if (out->data.at)
    self->beside = out->crate;
  if (!walk_arguments(self))
    return false;
  if (is_glue(out) && self->foreign.at)
    out->crate = self->foreign;
  charge_visitor(out, self->foreign);
  self->foreign = before.at ? before : self->foreign;
  self->beside = beside;
  return true;
}

static bool walk_trait_impl(struct prof_rust_state *self, struct prof_rust_place *out) {
  struct prof_rust_place type, trait;
  struct prof_text before, data, beside = self->beside;
  if (!prof_rust_skip_tagged(self, 's') || !prof_rust_path(self, out))
    return false;
  before = self->foreign;
  self->foreign = (struct prof_text){0};
  self->beside = out->crate;
  if (!prof_rust_type(self, &type))
    return false;
  data = self->foreign;
  self->foreign = (struct prof_text){0};
  if (!prof_rust_path(self, &trait))
    return false;
  if (prof_text_same(trait.crate, out->crate) && !prof_text_same(type.crate, out->crate) &&
      !prof_crate_is_std(out->crate))
    out->data = data;
  charge_visitor(out, self->foreign);
  self->foreign = before.at ? before : data.at ? data : self->foreign;
  self->beside = beside;
  return true;
}

static bool walk_inherent_impl(struct prof_rust_state *self, struct prof_rust_place *out) {
  struct prof_rust_place ignored;
  return prof_rust_skip_tagged(self, 's') && prof_rust_path(self, out) &&
         prof_rust_type(self, &ignored);
}

static bool walk_trait_method(struct prof_rust_state *self, struct prof_rust_place *out) {
  struct prof_rust_place type, trait;
  struct prof_text before = self->foreign;
  self->foreign = (struct prof_text){0};
  if (!prof_rust_type(self, &type))
    return false;
  out->self = self->foreign.at ? self->foreign : type.crate;
  if (!prof_rust_path(self, &trait))
    return false;
  self->foreign = before.at ? before : self->foreign;
  out->crate = is_call_trait(&trait) && out->self.at ? out->self : trait.crate;
  out->last = trait.last;
  return true;
}

static bool walk_nested(struct prof_rust_state *self, struct prof_rust_place *out) {
  char namespace = prof_rust_next(self);
  struct prof_text name;
  if (!isalpha((unsigned char)namespace) || !prof_rust_path(self, out) ||
      !prof_rust_identifier(self, &name))
    return false;
  if (namespace == 'S' && out->self.at) /* shim */
    out->crate = out->self;
  if (name.length) /* closures have none */
    out->last = name;
  return true;
}

bool prof_rust_path(struct prof_rust_state *self, struct prof_rust_place *out) {
  bool fine = false;
  *out = (struct prof_rust_place){0};
  if (!prof_rust_enter(self))
    return false;
  switch (prof_rust_next(self)) {
  case 'C':
    fine = prof_rust_identifier(self, &out->crate);
    out->last = out->crate;
    if (fine && !self->foreign.at && !prof_text_same(out->crate, self->beside) &&
        !prof_crate_is_std(out->crate))
      self->foreign = out->crate;
    break;
  case 'M':
    fine = walk_inherent_impl(self, out);
    break;
  case 'X':
    fine = walk_trait_impl(self, out);
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
    fine = prof_rust_follow(self, prof_rust_path, out);
    break;
  default:
    break;
  }
  self->depth--;
  return fine;
}

bool prof_rustv0_walk(const char *name, struct prof_rust_walk *out) {
  struct prof_rust_state self = {0};
  struct prof_rust_place place;
  bool fine;
  *out = (struct prof_rust_walk){0};
  if (strncmp(name, "_R", 2) != 0 || !isupper((unsigned char)name[2]))
    return false;
  self.start = self.at = name + 2;
  self.end = self.at + strcspn(self.at, ".$");
  fine = prof_rust_path(&self, &place) && self.depth == 0;
  out->steps = self.steps;
  out->source = place.crate;
  if (fine && self.at < self.end) /* who asked for this instance of a generic */
    fine = prof_rust_path(&self, &place);
  return fine && self.at == self.end && out->source.at;
}
