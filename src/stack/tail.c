#include "stack/tail.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "stack/step.h"

/* A frame's saved registers lie below the word that is asked for first. */
enum { BELOW_BYTES = 512, PAGE = 4096 };

struct piece {
  uint64_t start, size;
};

struct prof_tail_state {
  struct prof_memory memory; /* first: fetch gets this */
  struct prof_tail *tail;
  const unsigned char *dump;
  struct piece copied;
  struct piece pieces[PROF_TAIL_PIECES]; /* the bytes of piece i at bytes + i pieces */
  unsigned piece_count;
  struct proof {
    uint64_t address, value;
  } proofs[PROF_TAIL_PROOFS];
  unsigned proof_count;
  bool ran_off; /* the copy's end, which is not the stack's */
  bool is_changed;
  unsigned char *bytes; /* PROF_TAIL_BYTES */
};

size_t prof_tail_read_self(void *unused, uint64_t address, void *out, size_t size) {
  struct iovec from = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
  struct iovec into = {.iov_base = out, .iov_len = size};
  ssize_t copied = process_vm_readv(getpid(), &into, 1, &from, 1, 0);
  (void)unused;
  return copied < 0 ? 0 : (size_t)copied;
}

int prof_tail_init(struct prof_tail *self, struct prof_unwind *unwind, prof_tail_read *read,
                   void *user) {
  *self = (struct prof_tail){.unwind = unwind, .read = read, .user = user};
  self->state = calloc(1, sizeof *self->state);
  if (!self->state)
    return -1;
  self->state->tail = self;
  self->state->bytes = read ? malloc(PROF_TAIL_BYTES) : NULL; /* touched as far as stacks go */
  return read && !self->state->bytes ? -1 : 0;
}

void prof_tail_free(struct prof_tail *self) {
  if (self->state)
    free(self->state->bytes);
  free(self->state);
  self->state = NULL;
}

static void look_at(struct prof_memory *memory, struct piece piece, const unsigned char *bytes) {
  memory->window[0].start = piece.start;
  memory->window[0].span = piece.size < 8 ? 0 : piece.size - 7;
  memory->bias = (uint64_t)(uintptr_t)bytes - piece.start;
}

static bool holds(struct piece piece, uint64_t address) {
  return address >= piece.start && address - piece.start + 8 <= piece.size;
}

/* Asked after each piece: what was read before is what these calls still return to. */
static bool is_proven(const struct prof_tail_state *self) {
  for (unsigned i = 0; i < self->proof_count; i++) {
    uint64_t now;
    if (self->tail->read(self->tail->user, self->proofs[i].address, &now, sizeof now) !=
            sizeof now ||
        now != self->proofs[i].value)
      return false;
  }
  return true;
}

/* Where to read from: some way below the address, but nothing a second time. */
static uint64_t start_of(const struct prof_tail_state *self, uint64_t address) {
  uint64_t start = address < BELOW_BYTES ? 0 : (address - BELOW_BYTES) & ~7ull;
  const struct piece *before = &self->copied;
  for (unsigned i = 0; i <= self->piece_count; before = &self->pieces[i], i++) {
    uint64_t end = before->start + before->size;
    if (end <= address && end > start)
      start = end;
  }
  return start;
}

/* Below the stack pointer: what was popped, and by now somebody else's. */
static bool is_below(const struct prof_tail_state *self, uint64_t address) {
  return address < self->copied.start && self->copied.start - address <= PAGE;
}

static bool fetch(struct prof_memory *memory, uint64_t address) {
  struct prof_tail_state *self = (struct prof_tail_state *)memory;
  if (self->is_changed || is_below(self, address))
    return false;
  if (holds(self->copied, address)) {
    look_at(memory, self->copied, self->dump);
    return true;
  }
  for (unsigned i = 0; i < self->piece_count; i++) {
    if (holds(self->pieces[i], address)) {
      look_at(memory, self->pieces[i], self->bytes + (size_t)i * PROF_TAIL_PIECE_BYTES);
      return true;
    }
  }
  if (self->piece_count == PROF_TAIL_PIECES)
    return false;
  unsigned char *bytes = self->bytes + (size_t)self->piece_count * PROF_TAIL_PIECE_BYTES;
  uint64_t start = start_of(self, address);
  size_t size = self->tail->read(self->tail->user, start, bytes, PROF_TAIL_PIECE_BYTES) & ~7ull;
  if (size == 0 && start < address) { /* a page that is not there, just below */
    start = address;
    size = self->tail->read(self->tail->user, start, bytes, PROF_TAIL_PIECE_BYTES) & ~7ull;
  }
  struct piece piece = {.start = start, .size = size};
  self->is_changed = !is_proven(self);
  if (self->is_changed || !holds(piece, address))
    return false;
  self->pieces[self->piece_count++] = piece;
  look_at(memory, piece, bytes);
  return true;
}

/* The outermost return addresses of the walk, where they stand in the copy. They are searched from
 * its end downwards, in the walk's order: a stale word of the same value further out only makes the
 * proof harder. */
static void find_proofs(struct prof_tail_state *self, const struct prof_walk *walk) {
  uint64_t offset = self->copied.size & ~7ull;
  self->proof_count = 0;
  for (uint32_t i = walk->count; i-- > 1 && self->proof_count < PROF_TAIL_PROOFS;) {
    if (PROF_WORD_KIND(walk->words[i]) != PROF_WORD_RETURN)
      continue;
    uint64_t wanted = PROF_WORD_VALUE(walk->words[i]) + 1, word = 0;
    while (offset >= 8 && word != wanted) {
      offset -= 8;
      memcpy(&word, self->dump + offset, sizeof word);
    }
    if (word != wanted)
      return;
    self->proofs[self->proof_count++] =
        (struct proof){.address = self->copied.start + offset, .value = word};
  }
}

static bool note_miss(struct prof_memory *memory, uint64_t address) {
  struct prof_tail_state *self = (struct prof_tail_state *)memory;
  self->ran_off |= !is_below(self, address);
  return false;
}

static void walk_from(struct prof_tail_state *self, const struct prof_regs *regs, bool with_tail,
                      struct prof_walk *walk) {
  prof_memory_bytes(&self->memory, self->copied.start, self->dump, self->copied.size);
  self->memory.has_code = self->tail->read || self->tail->code;
  self->memory.code = self->tail->code;
  self->memory.code_user = self->tail->code_user;
  self->memory.fetch = with_tail ? fetch : note_miss;
  prof_unwind_walk(self->tail->unwind, &self->memory, regs, walk);
}

/* Whether all that the walk reads beyond the copy is proven. */
static bool continue_walk(struct prof_tail_state *self, const struct prof_regs *regs,
                          struct prof_walk *walk) {
  struct prof_tail_counters *counters = &self->tail->counters;
  find_proofs(self, walk);
  if (self->proof_count < PROF_TAIL_PROOFS) {
    counters->unproven++;
    return false;
  }
  self->is_changed = false;
  self->piece_count = 0;
  walk_from(self, regs, true, walk);
  if (self->is_changed) {
    counters->changed++;
    walk_from(self, regs, false, walk);
    return false;
  }
  counters->unreadable += walk->end == PROF_WALK_BAD_READ;
  counters->joined += walk->end != PROF_WALK_BAD_READ;
  return walk->end != PROF_WALK_BAD_READ;
}

/* Whether the walk could have gone on by the instructions where it ended. */
static bool has_code(const struct prof_tail *tail, const struct prof_walk *walk) {
  uint8_t byte;
  return tail->read || (tail->code && tail->code(tail->code_user, walk->end_pc, &byte, 1));
}

bool prof_tail_walk(struct prof_tail *tail, const struct prof_regs *regs, const void *dump,
                    size_t size, struct prof_walk *walk) {
  struct prof_tail_state *self = tail->state;
  self->dump = dump;
  self->copied = (struct piece){.start = regs->r[PROF_REG_SP], .size = size};
  self->ran_off = false;
  walk_from(self, regs, false, walk);
  if (!self->ran_off || walk->end == PROF_WALK_TRUNCATED)
    return false;
  tail->counters.asked++;
  if (tail->read && continue_walk(self, regs, walk))
    return true;
  /* Without code nothing can be guessed: that is no fault of the copy's length. */
  if (walk->end == PROF_WALK_BAD_READ || (walk->end != PROF_WALK_COMPLETE && has_code(tail, walk)))
    walk->end = PROF_WALK_TRUNCATED;
  return false;
}
