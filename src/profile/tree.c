#include "profile/tree.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { FIRST_SLOTS = 1024 };

/* Room for one more node. */
static int reserve_node(struct prof_tree *self) {
  return prof_array_reserve((void **)&self->nodes, &self->capacity, self->count + 1,
                            sizeof *self->nodes) ||
         prof_array_reserve((void **)&self->hashes, &self->hash_capacity, self->count + 1,
                            sizeof *self->hashes);
}

int prof_tree_init(struct prof_tree *self) {
  memset(self, 0, sizeof *self);
  if (reserve_node(self))
    return -1;
  self->nodes[0] = (struct prof_tree_node){PROF_TREE_ROOT, PROF_TREE_NO_FRAME};
  self->hashes[0] = 0;
  self->count = 1;
  return 0;
}

void prof_tree_free(struct prof_tree *self) {
  free(self->nodes);
  free(self->hashes);
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

uint32_t prof_tree_known(const struct prof_tree *self, uint64_t key) {
  _Static_assert(PROF_TREE_NO_FRAME == PROF_TABLE_NONE, "not in the table: no frame");
  return prof_table_get(&self->frame_of, key);
}

void prof_tree_alias(struct prof_tree *self, uint64_t key, uint32_t frame) {
  if (frame != PROF_TREE_NO_FRAME)
    prof_table_put(&self->frame_of, key, frame); /* without memory: interned again by the caller */
}

/* Of the path that goes on from one with this hash. Fibonacci hashing (Knuth, The Art of Computer
 * Programming 3, 6.4): the product's upper half depends on all bits of the lower. */
static uint32_t hash_below(uint32_t hash, uint32_t frame) {
  uint64_t product = ((uint64_t)hash << 32 | frame) * 0x9e3779b97f4a7c15ull;
  return (uint32_t)(product >> 32 ^ product >> 15);
}

/* A path that is new is added at once: its nodes stand side by side. So a parent's first child is
 * mostly the node behind it, is looked for there first, and then has no slot. */
static bool is_beside(const struct prof_tree *self, uint32_t node) {
  return self->nodes[node].parent + 1 == node;
}

/* The slot that holds the child, or the free one where it would go. The node itself is the key:
 * with 4 bytes a slot more of the index stays in the cache than with the key beside it. */
static uint32_t *find_slot(const struct prof_tree *self, struct prof_tree_node wanted,
                           uint32_t hash) {
  size_t mask = self->slot_count - 1;
  size_t at = hash & mask;
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
      *find_slot(self, self->nodes[node], self->hashes[node]) = node;
  return 0;
}

/* hash: of the child's path. */
static uint32_t child_at(struct prof_tree *self, uint32_t parent, uint32_t frame, uint32_t hash) {
  struct prof_tree_node wanted = {parent, frame};
  uint32_t node = (uint32_t)self->count, beside = parent + 1, *slot = NULL;
  if (beside < node) {
    if (self->nodes[beside].parent == parent && self->nodes[beside].frame == frame)
      return beside;
    if (reserve_slot(self))
      return parent;
    slot = find_slot(self, wanted, hash);
    if (*slot)
      return *slot;
  }
  if (node >= UINT32_MAX - 1 || reserve_node(self))
    return parent;
  self->nodes[node] = wanted;
  self->hashes[node] = hash;
  self->count++;
  if (slot) {
    *slot = node;
    self->slots_used++;
  }
  return node;
}

uint32_t prof_tree_child(struct prof_tree *self, uint32_t parent, uint32_t frame) {
  return frame == PROF_TREE_NO_FRAME
             ? parent
             : child_at(self, parent, frame, hash_below(self->hashes[parent], frame));
}

/* Asks for the slots of all levels, then for the nodes that these name. */
static void fetch(const struct prof_tree *self, uint32_t parent, const uint32_t *frames,
                  uint32_t count) {
  uint32_t hash = self->hashes[parent];
  size_t mask = self->slot_count - 1;
  for (uint32_t i = 0; i < count; i++)
    if (frames[i] != PROF_TREE_NO_FRAME)
      __builtin_prefetch(&self->slots[(hash = hash_below(hash, frames[i])) & mask]);
  hash = self->hashes[parent];
  for (uint32_t i = 0; i < count; i++)
    if (frames[i] != PROF_TREE_NO_FRAME)
      __builtin_prefetch(&self->nodes[self->slots[(hash = hash_below(hash, frames[i])) & mask]]);
}

uint32_t prof_tree_path(struct prof_tree *self, uint32_t parent, const uint32_t *frames,
                        uint32_t count, uint32_t *nodes) {
  uint32_t hash = self->hashes[parent];
  if (self->slot_count)
    fetch(self, parent, frames, count);
  for (uint32_t i = 0; i < count; i++) {
    if (frames[i] != PROF_TREE_NO_FRAME) {
      uint32_t below = hash_below(hash, frames[i]);
      uint32_t node = child_at(self, parent, frames[i], below);
      hash = node == parent ? hash : below; /* the parent itself: memory has ended */
      parent = node;
    }
    nodes[i] = parent;
  }
  return parent;
}

size_t prof_tree_bytes(const struct prof_tree *self) {
  return self->capacity * sizeof *self->nodes + self->hash_capacity * sizeof *self->hashes +
         self->key_capacity * sizeof *self->keys + self->slot_count * sizeof *self->slots +
         self->frame_of.capacity * sizeof *self->frame_of.slots;
}
