#include "profile/tree.h"

#include <stdbool.h>
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

/* A path that is new is added at once: its nodes stand side by side. So a parent's first child is
 * mostly the node behind it, is looked for there first, and then has no slot. */
static bool is_beside(const struct prof_tree *self, uint32_t node) {
  return self->nodes[node].parent + 1 == node;
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

/* Room for one more slot. */
static int reserve_slot(struct prof_tree *self) {
  size_t wanted = self->slot_count ? self->slot_count * 2 : FIRST_SLOTS;
  if (self->slots_used < self->slot_count / 2)
    return 0;
  /* Not calloc: pages that are first read and then written cost the process a TLB flush each. */
  uint32_t *slots = malloc(wanted * sizeof *slots);
  if (!slots)
    return -1;
  memset(slots, 0, wanted * sizeof *slots);
  free(self->slots);
  self->slots = slots;
  self->slot_count = wanted;
  for (uint32_t node = 1; node < self->count; node++)
    if (!is_beside(self, node))
      *find_slot(self, self->nodes[node]) = node;
  return 0;
}

uint32_t prof_tree_child(struct prof_tree *self, uint32_t parent, uint32_t frame) {
  struct prof_tree_node wanted = {parent, frame};
  uint32_t node = (uint32_t)self->count, beside = parent + 1, *slot = NULL;
  if (frame == PROF_TREE_NO_FRAME)
    return parent;
  if (beside < node) {
    if (self->nodes[beside].parent == parent && self->nodes[beside].frame == frame)
      return beside;
    if (reserve_slot(self))
      return parent;
    slot = find_slot(self, wanted);
    if (*slot)
      return *slot;
  }
  if (node >= UINT32_MAX - 1 || prof_array_reserve((void **)&self->nodes, &self->capacity,
                                                   self->count + 1, sizeof *self->nodes))
    return parent;
  self->nodes[node] = wanted;
  self->count++;
  if (slot) {
    *slot = node;
    self->slots_used++;
  }
  return node;
}

size_t prof_tree_bytes(const struct prof_tree *self) {
  return self->capacity * sizeof *self->nodes + self->key_capacity * sizeof *self->keys +
         self->slot_count * sizeof *self->slots +
         self->frame_of.capacity * sizeof *self->frame_of.slots;
}
