#include "stack/splice.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "stack/unwind.h"

enum {
  CHAIN_DEPTH = 256, /* kernel callchains have at most 127 frames (perf_event_max_stack) */
  LEVELS = 64,       /* of a walk, looked up together */
};

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

/* The frame of a place: that of its function, as soon as this is known. Places that were seen
 * before keep the nodes that they have by then. */
static uint32_t intern(const struct prof_splice *self, struct prof_tree *tree, uint64_t key) {
  uint32_t frame = prof_tree_known(tree, key), id = (uint32_t)(key >> 32);
  const struct prof_code *code = self->symbols ? prof_space_code(self->space, id) : NULL;
  uint64_t same = key;
  if (frame != PROF_TREE_NO_FRAME && tree->keys[frame] != key)
    return frame;
  if (code)
    same = PROF_FRAME_KEY(id, prof_symbols_same(self->symbols, code, (uint32_t)key));
  frame = prof_tree_frame(tree, same);
  if (same != key)
    prof_tree_alias(tree, key, frame);
  return frame;
}

void prof_splice_forget(struct prof_splice *self) {
  memset(self->slots, 0, sizeof self->slots);
  memset(self->chain, 0, sizeof self->chain);
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

static struct prof_splice_slot *slot_of(struct prof_splice *self, uint64_t word) {
  return &self->slots[prof_hash_u64(word) % (sizeof self->slots / sizeof *self->slots)];
}

/* The frame of a word that stands for one, from the two look-ups (space, then tree) or from the
 * last time. What is unknown may become known: it is looked up each time. */
static uint32_t frame_of(struct prof_splice *self, uint64_t word) {
  uint32_t generation = (uint32_t)prof_space_generation(self->space);
  struct prof_splice_slot *slot = slot_of(self, word);
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
  uint32_t frame = intern(self, self->tree, key);
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

/* The frame of words[at], PROF_TREE_NO_FRAME where it has none. Innermost first: the caller's word
 * is at + 1, the callee's at - 1. */
static uint32_t frame_at(struct prof_splice *self, const uint64_t *words, uint32_t count,
                         uint32_t at) {
  uint64_t word = words[at], outer = at + 1 < count ? words[at + 1] : 0, key;
  switch (PROF_WORD_KIND(word)) {
  case PROF_WORD_BYTECODE:
    return PROF_TREE_NO_FRAME; /* tells of the next word's frame */
  case PROF_WORD_GAP:
    key = at ? skipped_key(self, PROF_WORD_VALUE(word), words[at - 1]) : PROF_FRAME_GAP;
    return prof_tree_frame(self->tree, key);
  default:
    break;
  }
  if (PROF_WORD_KIND(outer) == PROF_WORD_BYTECODE) {
    uint32_t frame;
    bool is_machine = is_machine_code(self, word, outer, &frame);
    if (!is_machine)
      frame = frame_of(self, outer);
    if (frame != PROF_TREE_NO_FRAME)
      return frame;
    self->unnamed_interpreter += !is_machine;
  }
  return frame_of(self, word);
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
  for (uint32_t here; done < count; done += here) {
    uint32_t frames[LEVELS], nodes[LEVELS];
    here = count - done < LEVELS ? count - done : LEVELS;
    for (uint32_t i = 0; i < here; i++)
      __builtin_prefetch(slot_of(self, words[count - 1 - (done + i)]));
    for (uint32_t i = 0; i < here; i++)
      frames[i] = frame_at(self, words, count, count - 1 - (done + i));
    node = prof_tree_path(self->tree, node, frames, here, nodes);
    for (uint32_t i = 0; keep && i < here; i++) {
      memo->words[done + i] = words[count - 1 - (done + i)];
      memo->nodes[done + i] = nodes[i];
    }
  }
  if (memo) {
    memo->count = keep ? count : 0;
    memo->base = base;
    memo->generation = generation;
  }
  return node;
}

/* Kernel code does not move: what was found once holds. */
static uint32_t chain_frame(struct prof_splice *self, struct prof_tree *kernel, uint64_t address) {
  struct prof_splice_chain *slot =
      &self->chain[prof_hash_u64(address) % (sizeof self->chain / sizeof *self->chain)];
  if (address && slot->address == address)
    return slot->frame;
  uint32_t frame = intern(self, kernel, PROF_FRAME_KEY(PROF_SPACE_KERNEL, (uint32_t)address));
  if (frame != PROF_TREE_NO_FRAME)
    *slot = (struct prof_splice_chain){.address = address, .frame = frame};
  return frame;
}

uint32_t prof_splice_kernel(struct prof_splice *self, struct prof_tree *kernel,
                            const uint64_t *chain, uint32_t count) {
  uint32_t frames[LEVELS], nodes[LEVELS], node = PROF_TREE_ROOT;
  while (count > 0) {
    uint32_t depth = 0;
    while (count > 0 && depth < LEVELS)
      frames[depth++] = chain_frame(self, kernel, chain[--count]);
    node = prof_tree_path(kernel, node, frames, depth, nodes);
  }
  return node;
}

/* The frame in tree of one of the kernel's tree. */
static uint32_t graft_frame(struct prof_splice *self, const struct prof_tree *kernel,
                            uint32_t frame) {
  size_t before = self->grafted_capacity;
  if (prof_array_reserve((void **)&self->grafted, &self->grafted_capacity, (size_t)frame + 1,
                         sizeof *self->grafted))
    return prof_tree_frame(self->tree, kernel->keys[frame]);
  memset(self->grafted + before, 0, (self->grafted_capacity - before) * sizeof *self->grafted);
  if (!self->grafted[frame])
    self->grafted[frame] = prof_tree_frame(self->tree, kernel->keys[frame]) + 1;
  return self->grafted[frame] - 1; /* no frame, UINT32_MAX, is 0 here: asked again */
}

uint32_t prof_splice_graft(struct prof_splice *self, uint32_t node, const struct prof_tree *kernel,
                           uint32_t leaf) {
  uint32_t frames[CHAIN_DEPTH], nodes[CHAIN_DEPTH], first = CHAIN_DEPTH;
  for (; leaf != PROF_TREE_ROOT && first > 0; leaf = kernel->nodes[leaf].parent)
    frames[--first] = graft_frame(self, kernel, kernel->nodes[leaf].frame);
  return prof_tree_path(self->tree, node, frames + first, CHAIN_DEPTH - first, nodes);
}

void prof_splice_free(struct prof_splice *self) {
  free(self->grafted);
  self->grafted = NULL;
  self->grafted_capacity = 0;
}

void prof_splice_memo_free(struct prof_splice_memo *memo) {
  free(memo->words);
  free(memo->nodes);
  memset(memo, 0, sizeof *memo);
}
