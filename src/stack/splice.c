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

/* The function that a frame's bytecode names, as the bytecode's id; PROF_CODE_NONE: not known. */
static uint32_t bytecode_of(const struct prof_splice *self, uint64_t word) {
  uint64_t address = prof_bytecode_address(&self->bytecode, PROF_WORD_VALUE(word));
  struct prof_place place;
  if (!address || !prof_space_find(self->space, address, &place))
    return PROF_CODE_NONE;
  const struct prof_code *code = prof_space_code(self->space, place.code);
  /* A slot may hold what a frame before left there: only a function's very start is believed. */
  if (!code || code->kind != PROF_CODE_BYTECODE || place.offset != 0)
    return PROF_CODE_NONE;
  return place.code;
}

/* Code that nobody knows: by an answer of before, or asked about. */
static uint64_t unknown_key(struct prof_splice *self, uint64_t address, uint64_t otherwise) {
  uint32_t code = self->unlisted ? prof_unlisted_find(self->unlisted, address) : PROF_CODE_NONE;
  if (code != PROF_CODE_NONE)
    return PROF_FRAME_KEY(code, 0);
  if (self->unlisted)
    prof_unlisted_ask(self->unlisted, address);
  return otherwise;
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
  uint64_t key, address = PROF_WORD_VALUE(word);
  if (word && slot->word == word && slot->generation == generation)
    return slot->frame;
  if (PROF_WORD_KIND(word) != PROF_WORD_BYTECODE) {
    key = prof_splice_key(self, address);
    if (key >> 32 == PROF_SPACE_UNKNOWN)
      return prof_tree_frame(self->tree, unknown_key(self, address, key));
  } else {
    uint32_t code = bytecode_of(self, word);
    if (code == PROF_CODE_NONE)
      return PROF_TREE_NO_FRAME;
    key = PROF_FRAME_KEY(code, 0);
  }
  uint32_t frame = prof_tree_frame(self->tree, key);
  if (frame != PROF_TREE_NO_FRAME)
    *slot = (struct prof_splice_slot){.word = word, .frame = frame, .generation = generation};
  return frame;
}

/* Whether word's frame is no interpreter's, though the word outside of it names its bytecode:
 * *frame is then its own, or PROF_TREE_NO_FRAME. Only where something was asked about
 * (stack/unlisted.h). */
static bool is_machine_code(struct prof_splice *self, uint64_t word, uint64_t bytecode,
                            uint32_t *frame) {
  struct prof_place place;
  uint32_t code;
  *frame = PROF_TREE_NO_FRAME;
  if (!self->unlisted || !self->unlisted->asked_count)
    return false;
  if (prof_space_find(self->space, PROF_WORD_VALUE(word), &place))
    return prof_space_code(self->space, place.code)->kind != PROF_CODE_BUILTIN;
  code = bytecode_of(self, bytecode);
  if (code != PROF_CODE_NONE)
    code = prof_unlisted_answer(self->unlisted, self->space, PROF_WORD_VALUE(word), code);
  if (code != PROF_CODE_NONE)
    *frame = prof_tree_frame(self->tree, PROF_FRAME_KEY(code, 0));
  return true;
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
    uint32_t frame;
    bool is_machine = is_machine_code(self, word, outer, &frame);
    if (!is_machine)
      frame = frame_of(self, outer);
    if (frame != PROF_TREE_NO_FRAME)
      return prof_tree_child(self->tree, node, frame);
    self->unnamed_interpreter += !is_machine;
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
