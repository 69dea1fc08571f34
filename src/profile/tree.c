#include "profile/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

int prof_tree_init(struct prof_tree *self) {
  memset(self, 0, sizeof *self);
  if (prof_array_reserve((void **)&self->parents, &self->capacity, 1, sizeof *self->parents) ||
      prof_array_reserve((void **)&self->frames, &self->frame_capacity, 1, sizeof *self->frames)) {
    prof_tree_free(self);
    return -1;
  }
  self->parents[0] = PROF_TREE_ROOT;
  self->frames[0] = PROF_TREE_NO_FRAME;
  self->count = 1;
  return 0;
}

void prof_tree_free(struct prof_tree *self) {
  free(self->parents);
  free(self->frames);
  free(self->keys);
  prof_table_free(&self->node_of);
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

uint32_t prof_tree_child(struct prof_tree *self, uint32_t parent, uint32_t frame) {
  uint64_t key = (uint64_t)parent << 32 | frame;
  if (frame == PROF_TREE_NO_FRAME)
    return parent;
  /* A path that was added at once has its nodes side by side: no look-up in a large table then. */
  uint32_t node = parent + 1;
  if (node < self->count && self->parents[node] == parent && self->frames[node] == frame)
    return node;
  node = prof_table_get(&self->node_of, key);
  if (node != PROF_TABLE_NONE)
    return node;
  if (self->count >= UINT32_MAX - 1 ||
      prof_array_reserve((void **)&self->parents, &self->capacity, self->count + 1,
                         sizeof *self->parents) ||
      prof_array_reserve((void **)&self->frames, &self->frame_capacity, self->count + 1,
                         sizeof *self->frames) ||
      prof_table_put(&self->node_of, key, (uint32_t)self->count)) {
    return parent;
  }
  self->parents[self->count] = parent;
  self->frames[self->count] = frame;
  return (uint32_t)self->count++;
}

int prof_tree_reserve(struct prof_tree *self, size_t nodes) {
  return prof_table_reserve(&self->node_of, nodes);
}

size_t prof_tree_bytes(const struct prof_tree *self) {
  size_t slot_bytes = sizeof *self->node_of.slots;
  return (self->capacity + self->frame_capacity) * sizeof *self->parents +
         self->key_capacity * sizeof *self->keys +
         (self->node_of.capacity + self->frame_of.capacity) * slot_bytes;
}
