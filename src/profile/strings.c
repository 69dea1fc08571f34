#include "profile/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/table.h"

static size_t slot_of(const struct prof_strings *self, const char *text, uint64_t hash) {
  size_t slot = hash & (self->slot_count - 1);
  while (self->slots[slot] && strcmp(prof_strings_at(self, self->slots[slot] - 1), text) != 0) {
    slot = (slot + 1) & (self->slot_count - 1);
  }
  return slot;
}

static int grow_slots(struct prof_strings *self) {
  size_t wanted = self->slot_count ? self->slot_count * 2 : 1024;
  uint32_t *old = self->slots;
  uint32_t *slots = calloc(wanted, sizeof *slots);
  if (!slots)
    return -1;
  self->slots = slots;
  self->slot_count = wanted;
  for (size_t i = 0; i < self->count; i++) {
    const char *text = prof_strings_at(self, (uint32_t)i);
    slots[slot_of(self, text, prof_hash_text(0, text))] = (uint32_t)i + 1;
  }
  free(old);
  return 0;
}

int prof_strings_init(struct prof_strings *self) {
  memset(self, 0, sizeof *self);
  if (grow_slots(self))
    return -1;
  prof_strings_intern(self, "");
  return self->count == 1 ? 0 : -1;
}

void prof_strings_free(struct prof_strings *self) {
  free(self->bytes);
  free(self->offsets);
  free(self->slots);
  memset(self, 0, sizeof *self);
}

uint32_t prof_strings_intern(struct prof_strings *self, const char *text) {
  size_t length = strlen(text);
  uint64_t hash = prof_hash_text(0, text);
  size_t slot = slot_of(self, text, hash);
  if (self->slots[slot])
    return self->slots[slot] - 1;
  if (self->count * 2 >= self->slot_count) {
    if (grow_slots(self))
      return 0;
    slot = slot_of(self, text, hash);
  }
  if (self->used_bytes + length + 1 > UINT32_MAX ||
      prof_array_reserve((void **)&self->bytes, &self->capacity_bytes,
                         self->used_bytes + length + 1, 1) ||
      prof_array_reserve((void **)&self->offsets, &self->capacity, self->count + 1,
                         sizeof *self->offsets)) {
    return 0;
  }
  memcpy(self->bytes + self->used_bytes, text, length + 1);
  self->offsets[self->count] = (uint32_t)self->used_bytes;
  self->used_bytes += length + 1;
  self->slots[slot] = (uint32_t)++self->count;
  return (uint32_t)self->count - 1;
}

const char *prof_strings_at(const struct prof_strings *self, uint32_t index) {
  return self->bytes + self->offsets[index];
}
