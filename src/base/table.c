#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void prof_table_free(struct prof_table *self) {
  free(self->slots);
  *self = (struct prof_table){0};
}

/* The slot that holds key, or the free one where it would go. The table is never full. */
static struct prof_table_slot *find_slot(const struct prof_table *self, uint64_t key) {
  size_t mask = self->capacity - 1;
  size_t at = prof_hash_u64(key) & mask;
  while (self->slots[at].value != PROF_TABLE_NONE && self->slots[at].key != key)
    at = (at + 1) & mask;
  return &self->slots[at];
}

uint32_t prof_table_get(const struct prof_table *self, uint64_t key) {
  return self->capacity ? find_slot(self, key)->value : PROF_TABLE_NONE;
}

static int resize(struct prof_table *self, size_t capacity) {
  struct prof_table larger = {.capacity = capacity, .count = self->count};
  if (capacity > (size_t)-1 / sizeof *larger.slots)
    return -1;
  larger.slots = malloc(capacity * sizeof *larger.slots);
  if (!larger.slots)
    return -1;
  memset(larger.slots, 0xff, capacity * sizeof *larger.slots);
  for (size_t i = 0; i < self->capacity; i++) {
    const struct prof_table_slot *slot = &self->slots[i];
    if (slot->value != PROF_TABLE_NONE)
      *find_slot(&larger, slot->key) = *slot;
  }
  prof_table_free(self);
  *self = larger;
  return 0;
}

/* Room for one more: at most half full, so that probes stay within a cache line or two. */
static int reserve(struct prof_table *self) {
  if (self->count < self->capacity / 2)
    return 0;
  return resize(self, self->capacity ? self->capacity * 2 : FIRST_CAPACITY);
}

int prof_table_put(struct prof_table *self, uint64_t key, uint32_t value) {
  if (reserve(self))
    return -1;
  struct prof_table_slot *slot = find_slot(self, key);
  if (slot->value == PROF_TABLE_NONE)
    self->count++;
  slot->key = key;
  slot->value = value;
  return 0;
}

uint64_t prof_hash_text(uint64_t hash, const char *text) {
  for (; text && *text; text++)
    hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
  return prof_hash_u64(hash + 1);
}
