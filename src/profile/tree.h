/*
 * tree: the calling-context tree as columns. Node 0 is the root; a parent stands before its
 * children, so totals are one reverse pass.
 *
 * A frame is what the caller interns: any u64 (while sampling a place, at the end a function).
 * Nodes are found by the hash of their whole path, so that all levels of a stack can be fetched at
 * once, before the first is known: a large tree is in no cache, and else each level would wait for
 * the one above.
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
  uint32_t *hashes; /* of each node's path */
  size_t hash_capacity;
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
/* The same of a key that was interned; PROF_TREE_NO_FRAME: it was not. */
uint32_t prof_tree_known(const struct prof_tree *self, uint64_t key);
/* From now on key has this frame, which is another key's. */
void prof_tree_alias(struct prof_tree *self, uint64_t key, uint32_t frame);

/* The child of parent with this frame, added where it is new. Where memory ends: parent itself, so
 * that a sample is charged to its callers rather than lost; the caller sees count unchanged. */
uint32_t prof_tree_child(struct prof_tree *self, uint32_t parent, uint32_t frame);

/* A path below parent: nodes[i] becomes the child with frames[i] of the node before. A frame that
 * is PROF_TREE_NO_FRAME stays at that node. The last node, or parent. */
uint32_t prof_tree_path(struct prof_tree *self, uint32_t parent, const uint32_t *frames,
                        uint32_t count, uint32_t *nodes);

size_t prof_tree_bytes(const struct prof_tree *self); /* memory held */

#endif
