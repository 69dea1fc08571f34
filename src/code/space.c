#include "code/space.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/table.h"
#include "code/ranges.h"

/* Codes live in chunks, so that prof_space_code()'s pointers stay where they are. Ids are below
 * 2^31: the top bit marks, inside the range maps, an alias. */
enum { CODES_PER_CHUNK = 1024, UNKNOWN_MAX = 1 << 20 };
#define ALIAS_BIT 0x80000000u

struct alias {
  uint64_t start, to;
};

struct prof_space {
  struct prof_ranges modules, codes;
  struct prof_code **chunks;
  size_t chunk_count, chunk_capacity;
  size_t code_count;
  struct alias *aliases;
  size_t alias_count, alias_capacity;
  uint64_t covered;                /* counter: codes and aliases that came to lie above a module */
  struct prof_table unknown_index; /* address -> index in unknown */
  uint64_t *unknown;
  size_t unknown_count, unknown_capacity;
};

static struct prof_code *code_at(const struct prof_space *self, uint32_t id) {
  return &self->chunks[id / CODES_PER_CHUNK][id % CODES_PER_CHUNK];
}

/* Room for one more code; its id, or PROF_CODE_NONE. Not counted until the caller does. */
static uint32_t reserve_code(struct prof_space *self) {
  if (self->code_count >= ALIAS_BIT)
    return PROF_CODE_NONE;
  if (self->code_count == self->chunk_count * CODES_PER_CHUNK) {
    struct prof_code *chunk;
    if (prof_array_reserve((void **)&self->chunks, &self->chunk_capacity, self->chunk_count + 1,
                           sizeof *self->chunks))
      return PROF_CODE_NONE;
    chunk = malloc(CODES_PER_CHUNK * sizeof *chunk);
    if (!chunk)
      return PROF_CODE_NONE;
    self->chunks[self->chunk_count++] = chunk;
  }
  return (uint32_t)self->code_count;
}

struct prof_space *prof_space_create(void) {
  static const struct prof_code reserved[] = {{.kind = PROF_CODE_UNKNOWN, .module = -1},
                                              {.kind = PROF_CODE_KERNEL, .module = -1}};
  struct prof_space *self = calloc(1, sizeof *self);
  if (!self)
    return NULL;
  for (int i = 0; i < 2; i++) {
    uint32_t id = reserve_code(self);
    if (id == PROF_CODE_NONE) {
      prof_space_free(self);
      return NULL;
    }
    *code_at(self, id) = reserved[i];
    self->code_count++;
  }
  return self;
}

void prof_space_free(struct prof_space *self) {
  if (!self)
    return;
  for (size_t i = 0; i < self->chunk_count; i++)
    free(self->chunks[i]);
  free(self->chunks);
  free(self->aliases);
  free(self->unknown);
  prof_table_free(&self->unknown_index);
  prof_ranges_free(&self->modules);
  prof_ranges_free(&self->codes);
  free(self);
}

static bool is_same_text(const char *a, const char *b) {
  return a == b || (a && b && strcmp(a, b) == 0);
}

/* A module may be added after the builtins inside it: they stay. */
static bool yields_to_module(void *user, uint32_t value) {
  const struct prof_space *self = user;
  uint8_t kind = value & ALIAS_BIT ? PROF_CODE_UNKNOWN : code_at(self, value)->kind;
  return kind != PROF_CODE_BUILTIN && kind != PROF_CODE_HANDLER;
}

static bool is_bad_range(uint64_t start, uint64_t size) {
  return size == 0 || size > UINT32_MAX || start + size < start;
}

uint32_t prof_space_declare(struct prof_space *self, const struct prof_code *code) {
  uint32_t id = reserve_code(self);
  if (id == PROF_CODE_NONE)
    return PROF_CODE_NONE;
  *code_at(self, id) = *code;
  self->code_count++;
  return id;
}

uint32_t prof_space_add(struct prof_space *self, const struct prof_code *code) {
  bool is_module = code->kind == PROF_CODE_MODULE;
  struct prof_ranges *layer = is_module ? &self->modules : &self->codes;
  const struct prof_range *there = prof_ranges_find(layer, code->start);
  uint64_t end = code->start + code->size;
  uint32_t id;
  if (is_bad_range(code->start, code->size))
    return PROF_CODE_NONE;
  if (there && !(there->value & ALIAS_BIT)) {
    const struct prof_code *live = code_at(self, there->value);
    if (there->start == code->start && there->end == end && live->start == code->start &&
        live->kind == code->kind && live->module == code->module &&
        is_same_text(live->name, code->name))
      return there->value;
  }
  id = reserve_code(self);
  /* a trim can split one range in two, and the new one comes on top: room before any change */
  if (id == PROF_CODE_NONE || prof_ranges_reserve(layer))
    return PROF_CODE_NONE;
  if (is_module) {
    prof_ranges_cut(layer, code->start, end);
    prof_ranges_end(&self->codes, code->start, end, yields_to_module, self);
  } else {
    prof_ranges_end(layer, code->start, end, NULL, NULL);
    self->covered += prof_ranges_any(&self->modules, code->start, end);
  }
  prof_ranges_insert(layer, code->start, end, id);
  *code_at(self, id) = *code;
  self->code_count++;
  return id;
}

int prof_space_alias(struct prof_space *self, uint64_t start, uint64_t size, uint64_t to) {
  const struct prof_range *there = prof_ranges_find(&self->codes, start);
  if (is_bad_range(start, size) || to + size < to || (start < to + size && to < start + size))
    return -1;
  if (there && there->start == start && there->end == start + size && (there->value & ALIAS_BIT) &&
      self->aliases[there->value & ~ALIAS_BIT].to == to)
    return 0;
  if (self->alias_count >= ALIAS_BIT - 1 ||
      prof_array_reserve((void **)&self->aliases, &self->alias_capacity, self->alias_count + 1,
                         sizeof *self->aliases) ||
      prof_ranges_reserve(&self->codes))
    return -1;
  prof_ranges_end(&self->codes, start, start + size, NULL, NULL);
  self->covered += prof_ranges_any(&self->modules, start, start + size);
  prof_ranges_insert(&self->codes, start, start + size, ALIAS_BIT | (uint32_t)self->alias_count);
  self->aliases[self->alias_count++] = (struct alias){.start = start, .to = to};
  return 0;
}

uint64_t prof_space_canonical(const struct prof_space *self, uint64_t address) {
  const struct prof_range *range = prof_ranges_find(&self->codes, address);
  if (range && (range->value & ALIAS_BIT)) {
    const struct alias *alias = &self->aliases[range->value & ~ALIAS_BIT];
    return address - alias->start + alias->to;
  }
  return address;
}

void prof_space_remove(struct prof_space *self, uint64_t start) {
  struct prof_ranges *layers[] = {&self->codes, &self->modules};
  for (int i = 0; i < 2; i++) {
    const struct prof_range *range = prof_ranges_find(layers[i], start);
    if (range && range->start == start) {
      prof_ranges_end(layers[i], start, start + 1, NULL, NULL);
      return;
    }
  }
}

void prof_space_move(struct prof_space *self, uint64_t from, uint64_t to) {
  const struct prof_range *range = prof_ranges_find(&self->codes, from);
  struct prof_code *code;
  uint32_t id;
  if (!range || range->start != from || from == to || (range->value & ALIAS_BIT))
    return;
  id = range->value;
  code = code_at(self, id);
  if (is_bad_range(to, code->size) || prof_ranges_reserve(&self->codes))
    return;
  prof_ranges_end(&self->codes, from, from + 1, NULL, NULL);
  prof_ranges_end(&self->codes, to, to + code->size, NULL, NULL);
  prof_ranges_insert(&self->codes, to, to + code->size, id);
  code->start = to;
}

void prof_space_unmap(struct prof_space *self, uint64_t start, uint64_t size) {
  if (is_bad_range(start, size) || prof_ranges_reserve(&self->modules))
    return;
  prof_ranges_cut(&self->modules, start, start + size);
  prof_ranges_end(&self->codes, start, start + size, NULL, NULL);
}

bool prof_space_find(const struct prof_space *self, uint64_t address, struct prof_place *out) {
  const struct prof_range *range = prof_ranges_find(&self->codes, address);
  uint64_t offset;
  if (range && (range->value & ALIAS_BIT)) {
    const struct alias *alias = &self->aliases[range->value & ~ALIAS_BIT];
    address = address - alias->start + alias->to;
    range = prof_ranges_find(&self->codes, address);
    if (range && (range->value & ALIAS_BIT)) /* an alias of an alias: nobody makes those */
      range = NULL;
  }
  if (!range)
    range = prof_ranges_find(&self->modules, address);
  if (!range)
    return false;
  offset = address - code_at(self, range->value)->start;
  *out = (struct prof_place){.code = range->value, .offset = (uint32_t)offset};
  return true;
}

struct prof_place prof_space_place(struct prof_space *self, uint64_t address) {
  struct prof_place place = {.code = PROF_SPACE_UNKNOWN};
  uint32_t index;
  if (address >= PROF_KERNEL_BASE)
    return (struct prof_place){.code = PROF_SPACE_KERNEL, .offset = (uint32_t)address};
  if (prof_space_find(self, address, &place))
    return place;
  index = prof_table_get(&self->unknown_index, address);
  if (index == PROF_TABLE_NONE && self->unknown_count < UNKNOWN_MAX &&
      !prof_array_reserve((void **)&self->unknown, &self->unknown_capacity, self->unknown_count + 1,
                          sizeof *self->unknown) &&
      !prof_table_put(&self->unknown_index, address, (uint32_t)self->unknown_count)) {
    index = (uint32_t)self->unknown_count;
    self->unknown[self->unknown_count++] = address;
  }
  place.offset = index == PROF_TABLE_NONE ? 0 : index + 1;
  return place;
}

uint64_t prof_space_address(const struct prof_space *self, struct prof_place place) {
  if (place.code == PROF_SPACE_UNKNOWN)
    return place.offset && place.offset <= self->unknown_count ? self->unknown[place.offset - 1]
                                                               : 0;
  if (place.code == PROF_SPACE_KERNEL)
    return PROF_KERNEL_BASE | place.offset;
  return place.code < self->code_count ? code_at(self, place.code)->start + place.offset : 0;
}

uint64_t prof_space_generation(const struct prof_space *self) {
  return self->modules.ended + self->codes.ended + self->covered;
}

const struct prof_code *prof_space_code(const struct prof_space *self, uint32_t id) {
  return id < self->code_count ? code_at(self, id) : NULL;
}

size_t prof_space_count(const struct prof_space *self) {
  return self->code_count;
}

size_t prof_space_live(const struct prof_space *self) {
  return self->modules.count + self->codes.count;
}

const char *prof_code_kind_name(uint8_t kind) {
  static const char *const names[] = {"module", "jit",  "bytecode", "builtin", "handler",
                                      "regexp", "wasm", "perfmap",  "kernel",  "unknown"};
  return kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}
