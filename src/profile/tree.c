#include "profile/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { FIRST_SLOTS = 1024 };

int prof_tree_init(struct prof_tree *self) {
  memset(self, 0, sizeof *self);
  if (prof_array_reserve((void **)&self->nodes, &self->capacity, 1, sizeof *self->nodes))
    return -1;
  self->nodes[0] = (struct prof_tree_node){PROF_TREE_ROOT, PROF_TREE_NO_FRAME};
  self->count = 1;
  return 0;
}

void prof_tree_free(struct prof_tree *self) {
  free(self->nodes);
  free(self->keys);
  free(self->slots);
  prof_table_free(&self->frame_of);
  memset(self, 0, sizeof *self);
}

uint32_t prof_tree_frame(struct prof_tree *self, uint64_t key) {
  uint32_t frame = prof_table_get(&self->frame_of, key);
  if (frame != PROF_TABLE_NONE)
    return frame;
  if (self->key_count >= UINT32_MAX - 1 ||
      prof_array_reserve((void **)&self->keys, &self->key_capacity, self->key_count + 1,
                         sizeof *self->keys) ||
      prof_table_put(&self->frame_of, key, (uint32_t)self->key_count)) {
    return PROF_TREE_NO_FRAME;
  }
  self->keys[self->key_count] = key;
  return (uint32_t)self->key_count++;
}

/* The slot that holds the child, or the free one where it would go. The node itself is the key:
 * with 4 bytes a slot more of the index stays in the cache than with the key beside it. */
static uint32_t *find_slot(const struct prof_tree *self, struct prof_tree_node wanted) {
  size_t mask = self->slot_count - 1;
  size_t at = prof_hash_u64((uint64_t)wanted.parent << 32 | wanted.frame) & mask;
  for (; self->slots[at]; at = (at + 1) & mask) {
    const struct prof_tree_node *node = &self->nodes[self->slots[at]];
    if (node->parent == wanted.parent && node->frame == wanted.frame)
      break;
  }
  return &self->slots[at];
}

int prof_tree_reserve(struct prof_tree *self, size_t nodes) {
  size_t wanted = self->slot_count ? self->slot_count : FIRST_SLOTS;
  while (wanted / 2 < nodes)
    wanted *= 2;
  if (wanted == self->slot_count)
    return 0;
  uint32_t *slots = calloc(wanted, sizeof *slots);
  if (!slots)
    return -1;
  free(self->slots);
  self->slots = slots;
  self->slot_count = wanted;
  for (size_t i = 1; i < self->count; i++)
    *find_slot(self, self->nodes[i]) = (uint32_t)i;
  return 0;
}

uint32_t prof_tree_child(struct prof_tree *self, uint32_t parent, uint32_t frame) {
  struct prof_tree_node wanted = {parent, frame};
  if (frame == PROF_TREE_NO_FRAME)
    return parent;
  /* A path that was added at once has its nodes side by side: no look-up in a large table then. */
  uint32_t next = parent + 1;
  if (next < self->count && self->nodes[next].parent == parent && self->nodes[next].frame == frame)
    return next;
  if (prof_tree_reserve(self, self->count + 1))
    return parent;
  uint32_t *slot = find_slot(self, wanted);
  if (*slot)
    return *slot;
  if (self->count >= UINT32_MAX - 1 || prof_array_reserve((void **)&self->nodes, &self->capacity,
                                                          self->count + 1, sizeof *self->nodes))
    return parent;
  self->nodes[self->count] = wanted;
  *slot = (uint32_t)self->count;
  return (uint32_t)self->count++;
}

size_t prof_tree_bytes(const struct prof_tree *self) {
  return self->capacity * sizeof *self->nodes + self->key_capacity * sizeof *self->keys +
         self->slot_count * sizeof *self->slots +
         self->frame_of.capacity * sizeof *self->frame_of.slots;
}
