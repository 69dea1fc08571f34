#include "stack/splice.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stack/unwind.h"

enum { GRAFT_DEPTH = 256 }; /* kernel callchains have at most 127 frames (perf_event_max_stack) */

static bool has_offset(const struct prof_code *code) {
  return !code || code->kind == PROF_CODE_MODULE || code->kind == PROF_CODE_KERNEL ||
         code->kind == PROF_CODE_UNKNOWN;
}

uint64_t prof_splice_key(struct prof_splice *self, uint64_t address) {
  struct prof_place place = prof_space_place(self->space, address);
  bool keep = has_offset(prof_space_code(self->space, place.code));
  return PROF_FRAME_KEY(place.code, keep ? place.offset : 0);
}

uint32_t prof_splice_frame(struct prof_tree *tree, uint32_t node, uint64_t key) {
  return prof_tree_child(tree, node, prof_tree_frame(tree, key));
}

/* The interpreted function that a frame's bytecode slot names; false: not known. */
static bool bytecode_key(struct prof_splice *self, uint64_t word, uint64_t *key) {
  uint64_t address = prof_bytecode_address(&self->bytecode, PROF_WORD_VALUE(word));
  struct prof_place place;
  if (!address || !prof_space_find(self->space, address, &place))
    return false;
  const struct prof_code *code = prof_space_code(self->space, place.code);
  /* A slot may hold what a frame before left there: only a function's very start is believed. */
  if (!code || code->kind != PROF_CODE_BYTECODE || place.offset != 0)
    return false;
  *key = PROF_FRAME_KEY(place.code, 0);
  return true;
}

/* The bytes are rounded up to a power of two, so that equal paths stay one path. */
static uint64_t skipped_key(struct prof_splice *self, uint64_t bytes, uint64_t callee) {
  struct prof_place place = prof_space_place(self->space, PROF_WORD_VALUE(callee));
  const struct prof_code *code = prof_space_code(self->space, place.code);
  uint32_t module = PROF_SKIPPED_NO_MODULE, power = 3;
  if (code && code->module >= 0 && (uint32_t)code->module < PROF_SKIPPED_NO_MODULE)
    module = (uint32_t)code->module;
  while (power < 40 && (uint64_t)1 << power < bytes)
    power++;
  return PROF_FRAME_KEY(PROF_FRAME_SKIPPED, power << 24 | module);
}

/* The frame of a word that stands for one, from the two look-ups (space, then tree) or from the
 * last time. What is unknown may become known: it is looked up each time. */
static uint32_t frame_of(struct prof_splice *self, uint64_t word) {
  uint32_t generation = (uint32_t)prof_space_generation(self->space);
  struct prof_splice_slot *slot =
      &self->slots[prof_hash_u64(word) % (sizeof self->slots / sizeof *self->slots)];
  uint64_t key;
  if (word && slot->word == word && slot->generation == generation)
    return slot->frame;
  if (PROF_WORD_KIND(word) != PROF_WORD_BYTECODE)
    key = prof_splice_key(self, PROF_WORD_VALUE(word));
  else if (!bytecode_key(self, word, &key))
    return PROF_TREE_NO_FRAME;
  uint32_t frame = prof_tree_frame(self->tree, key);
  if (key >> 32 != PROF_SPACE_UNKNOWN && frame != PROF_TREE_NO_FRAME)
    *slot = (struct prof_splice_slot){.word = word, .frame = frame, .generation = generation};
  return frame;
}

/* words[at] below node. Innermost first: the caller's word is at + 1, the callee's at - 1. */
static uint32_t add_word(struct prof_splice *self, uint32_t node, const uint64_t *words,
                         uint32_t count, uint32_t at) {
  uint64_t word = words[at], outer = at + 1 < count ? words[at + 1] : 0, key;
  switch (PROF_WORD_KIND(word)) {
  case PROF_WORD_BYTECODE:
    return node; /* tells of the next word's frame */
  case PROF_WORD_GAP:
    key = at ? skipped_key(self, PROF_WORD_VALUE(word), words[at - 1]) : PROF_FRAME_GAP;
    return prof_splice_frame(self->tree, node, key);
  default:
    break;
  }
  if (PROF_WORD_KIND(outer) == PROF_WORD_BYTECODE) {
    uint32_t frame = frame_of(self, outer);
    if (frame != PROF_TREE_NO_FRAME)
      return prof_tree_child(self->tree, node, frame);
    self->unnamed_interpreter++;
  }
  return prof_tree_child(self->tree, node, frame_of(self, word));
}

/* How many of the outermost words are the memo's. */
static uint32_t shared_words(const struct prof_splice_memo *memo, const uint64_t *words,
                             uint32_t count) {
  uint32_t most = memo->count < count ? memo->count : count;
  uint32_t shared = 0;
  while (shared < most && memo->words[shared] == words[count - 1 - shared])
    shared++;
  /* Not between a bytecode word and its frame, nor between a gap and what was skipped. */
  if (shared && (PROF_WORD_KIND(memo->words[shared - 1]) == PROF_WORD_BYTECODE ||
                 PROF_WORD_KIND(memo->words[shared - 1]) == PROF_WORD_GAP))
    shared--;
  return shared;
}

static bool reserve(struct prof_splice_memo *memo, uint32_t count) {
  if (count <= memo->capacity)
    return true;
  uint32_t capacity = count + count / 2 + 32;
  uint64_t *words = realloc(memo->words, capacity * sizeof *words);
  if (words)
    memo->words = words;
  uint32_t *nodes = words ? realloc(memo->nodes, capacity * sizeof *nodes) : NULL;
  if (!nodes)
    return false;
  memo->nodes = nodes;
  memo->capacity = capacity;
  return true;
}

uint32_t prof_splice_user(struct prof_splice *self, struct prof_splice_memo *memo,
                          const uint64_t *words, uint32_t count, uint64_t base) {
  uint32_t node = PROF_TREE_ROOT;
  if (base)
    node = prof_splice_frame(self->tree, node, base);
  bool keep = memo && reserve(memo, count);
  uint32_t generation = (uint32_t)prof_space_generation(self->space);
  bool is_as_before = keep && memo->base == base && memo->generation == generation;
  uint32_t done = is_as_before ? shared_words(memo, words, count) : 0;
  if (done)
    node = memo->nodes[done - 1];
  for (uint32_t i = done; i < count; i++) {
    uint64_t word = words[count - 1 - i];
    node = add_word(self, node, words, count, count - 1 - i);
    if (keep) {
      memo->words[i] = word;
      memo->nodes[i] = node;
    }
  }
  if (memo) {
    memo->count = keep ? count : 0;
    memo->base = base;
    memo->generation = generation;
  }
  return node;
}

uint32_t prof_splice_kernel(struct prof_tree *tree, uint32_t node, const uint64_t *chain,
                            uint32_t count) {
  for (uint32_t i = count; i-- > 0;) {
    node = prof_splice_frame(tree, node, PROF_FRAME_KEY(PROF_SPACE_KERNEL, (uint32_t)chain[i]));
  }
  return node;
}

uint32_t prof_splice_graft(struct prof_tree *tree, uint32_t node, const struct prof_tree *from,
                           uint32_t leaf) {
  uint32_t path[GRAFT_DEPTH];
  uint32_t depth = 0;
  for (; leaf != PROF_TREE_ROOT && depth < GRAFT_DEPTH; leaf = from->nodes[leaf].parent) {
    path[depth++] = leaf;
  }
  while (depth-- > 0) {
    node = prof_splice_frame(tree, node, from->keys[from->nodes[path[depth]].frame]);
  }
  return node;
}

void prof_splice_memo_free(struct prof_splice_memo *memo) {
  free(memo->words);
  free(memo->nodes);
  memset(memo, 0, sizeof *memo);
}
