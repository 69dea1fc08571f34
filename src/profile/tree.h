/*
 * tree: the calling-context tree as columns. Node 0 is the root; a parent stands before its
 * children, so totals are one reverse pass.
 *
 * A frame is what the caller interns: any u64 (while sampling a place, at the end a function).
 * Refuses: removal, concurrent use, more than 2^32 - 2 nodes or frames.
 */
#ifndef RSPACK_PROF_PROFILE_TREE_H
#define RSPACK_PROF_PROFILE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/table.h"

#define PROF_TREE_ROOT 0u
#define PROF_TREE_NO_FRAME UINT32_MAX /* the root's */

struct prof_tree_node {
  uint32_t parent;
  uint32_t frame; /* index into keys */
};

struct prof_tree {
  struct prof_tree_node *nodes;
  size_t count, capacity;
  uint64_t *keys; /* of each frame: what was interned */
  size_t key_count, key_capacity;
  uint32_t *slots; /* nodes that do not stand behind their parent, by parent and frame; 0: free */
  size_t slot_count, slots_used; /* a power of two; at most half of it */
  struct prof_table frame_of;    /* key -> frame */
};

int prof_tree_init(struct prof_tree *self); /* 0, -1 where memory ends */
void prof_tree_free(struct prof_tree *self);

/* The frame of a key; PROF_TREE_NO_FRAME where memory ends. */
uint32_t prof_tree_frame(struct prof_tree *self, uint64_t key);

/* The child of parent with this frame, added where it is new. Where memory ends: parent itself, so
 * that a sample is charged to its callers rather than lost; the caller sees count unchanged. */
uint32_t prof_tree_child(struct prof_tree *self, uint32_t parent, uint32_t frame);

size_t prof_tree_bytes(const struct prof_tree *self); /* memory held */

#endif
