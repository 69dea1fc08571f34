#include "code/function.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "code/crate.h"
#include "code/demangle.h"
#include "code/v8name.h"

void prof_functions_free(struct prof_functions *self) {
  free(self->rows);
  prof_table_free(&self->by_identity);
}

int64_t prof_functions_find(const struct prof_functions *self, uint64_t identity) {
  uint32_t index = prof_table_get(&self->by_identity, identity);
  return index == PROF_TABLE_NONE ? -1 : (int64_t)index;
}

int64_t prof_functions_add(struct prof_functions *self, const struct prof_named *named) {
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows) ||
      prof_table_put(&self->by_identity, named->identity, (uint32_t)self->count))
    return -1;
  self->rows[self->count] = *named;
  return (int64_t)self->count++;
}

void prof_functions_alias(struct prof_functions *self, uint64_t key, int64_t index) {
  if (index >= 0)
    prof_table_put(&self->by_identity, key, (uint32_t)index); /* without it: found by name again */
}

const char *prof_functions_keep(struct prof_functions *self, const char *text) {
  const char *copy = prof_arena_copy_text(self->arena, text, strlen(text));
  return copy ? copy : "[out of memory]";
}

/* Fills name, symbol, crate and kind from a linker name. */
static void describe(struct prof_functions *self, const char *raw, bool is_stub,
                     struct prof_named *named) {
  enum prof_language language;
  char crate[PROF_CRATE_TEXT];
  size_t length = prof_demangle(raw, self->readable, sizeof self->readable - 4, &language);
  named->kind = language == PROF_LANGUAGE_RUST ? PROF_KIND_RUST : PROF_KIND_NATIVE;
  if (strncmp(raw, "Builtins_", 9) == 0) { /* V8's embedded builtins, where no JIT event told */
    named->kind = PROF_KIND_V8;
    named->tier = PROF_TIER_BUILTIN;
  }
  if (language == PROF_LANGUAGE_RUST && prof_crate_find(raw, self->readable, crate))
    named->crate = prof_functions_keep(self, crate);
  if (is_stub) {
    length = length < sizeof self->readable - 5 ? length : sizeof self->readable - 5;
    memcpy(self->readable + length, "@plt", 5);
  }
  named->name = named->symbol = prof_functions_keep(self, self->readable);
  named->named = 1;
}

uint64_t prof_functions_hash(const char *raw, bool is_stub) {
  return prof_hash_text(is_stub, raw) | PROF_IDENTITY_HASHED;
}

uint64_t prof_functions_identity(int32_t module, uint64_t hash) {
  return (hash ^ prof_hash_u64((uint64_t)module + 1)) | PROF_IDENTITY_HASHED;
}

int64_t prof_functions_link(struct prof_functions *self, int32_t module, char *raw, bool is_stub) {
  struct prof_named named = {.module = module};
  size_t base = prof_demangle_base_length(raw);
  int64_t index;
  raw[base] = '\0';
  named.identity = prof_functions_identity(module, prof_functions_hash(raw, is_stub));
  index = prof_functions_find(self, named.identity);
  if (index >= 0)
    return index;
  describe(self, raw, is_stub, &named);
  return prof_functions_add(self, &named);
}
