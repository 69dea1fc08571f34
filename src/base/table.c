#include "base/table.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void prof_table_free(struct prof_table *self) {
  free(self->keys);
  free(self->values);
  *self = (struct prof_table){0};
}

/* The slot that holds key, or the free one where it would go. The table is never full. */
static size_t find_slot(const struct prof_table *self, uint64_t key) {
  size_t mask = self->capacity - 1;
  size_t slot = prof_hash_u64(key) & mask;
  while (self->values[slot] != PROF_TABLE_NONE && self->keys[slot] != key)
    slot = (slot + 1) & mask;
  return slot;
}

uint32_t prof_table_get(const struct prof_table *self, uint64_t key) {
  return self->capacity ? self->values[find_slot(self, key)] : PROF_TABLE_NONE;
}

static int grow(struct prof_table *self) {
  struct prof_table larger = {.capacity = self->capacity ? self->capacity * 2 : FIRST_CAPACITY,
                              .count = self->count};
  if (larger.capacity > (size_t)-1 / sizeof *larger.keys)
    return -1;
  larger.keys = malloc(larger.capacity * sizeof *larger.keys);
  larger.values = malloc(larger.capacity * sizeof *larger.values);
  if (!larger.keys || !larger.values) {
    prof_table_free(&larger);
    return -1;
  }
  memset(larger.values, 0xff, larger.capacity * sizeof *larger.values);
  for (size_t i = 0; i < self->capacity; i++) {
    if (self->values[i] != PROF_TABLE_NONE) {
      size_t slot = find_slot(&larger, self->keys[i]);
      larger.keys[slot] = self->keys[i];
      larger.values[slot] = self->values[i];
    }
  }
  prof_table_free(self);
  *self = larger;
  return 0;
}

int prof_table_put(struct prof_table *self, uint64_t key, uint32_t value) {
  size_t slot;
  /* at most three quarters full, so that probes stay short */
  if (self->count + 1 > self->capacity / 4 * 3 && grow(self))
    return -1;
  slot = find_slot(self, key);
  if (self->values[slot] == PROF_TABLE_NONE)
    self->count++;
  self->keys[slot] = key;
  self->values[slot] = value;
  return 0;
}
