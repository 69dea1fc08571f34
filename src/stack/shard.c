#include "stack/shard.h"

#include <string.h>
#include <sys/mman.h>

#include "base/pages.h"

/* Before each payload: 0 while it is being written, then its length with this header; PAD fills the
 * end of the ring where a record would wrap. */
struct header {
  _Atomic uint32_t length;
  uint32_t kind;
};

enum {
  KIND_RECORD = 1,
  KIND_PAD = 2,
  REWIND_SHARE = 8, /* of the capacity */
  PAGE_BYTES = 4096,
};

int prof_shard_init(struct prof_shard *self, uint64_t capacity) {
  memset(self, 0, sizeof *self);
  self->bytes = prof_pages_reserve(capacity);
  if (!self->bytes)
    return -1;
  self->capacity = capacity;
  return 0;
}

void prof_shard_free(struct prof_shard *self) {
  if (self->bytes)
    munmap(self->bytes, self->capacity);
  memset(self, 0, sizeof *self);
}

static struct header *header_at(struct prof_shard *self, uint64_t position) {
  return (struct header *)(self->bytes + (position & (self->capacity - 1)));
}

static uint32_t length_of(uint32_t size) {
  return (uint32_t)sizeof(struct header) + ((size + 7) & ~7u);
}

void *prof_shard_reserve(struct prof_shard *self, uint32_t size) {
  if (size > self->capacity / 2 - sizeof(struct header) - 8)
    return NULL;
  uint32_t length = length_of(size);
  uint64_t head = atomic_load_explicit(&self->head, memory_order_relaxed);
  uint64_t pad;
  do {
    uint64_t to_end = self->capacity - (head & (self->capacity - 1));
    pad = length <= to_end ? 0 : to_end;
    uint64_t tail = atomic_load_explicit(&self->tail, memory_order_acquire);
    if (head + pad + length - tail > self->capacity)
      return NULL;
  } while (!atomic_compare_exchange_weak_explicit(&self->head, &head, head + pad + length,
                                                  memory_order_acq_rel, memory_order_relaxed));
  if (pad) {
    struct header *filler = header_at(self, head);
    filler->kind = KIND_PAD;
    atomic_store_explicit(&filler->length, (uint32_t)pad, memory_order_release);
  }
  struct header *header = header_at(self, head + pad);
  header->kind = KIND_RECORD;
  return header + 1;
}

void prof_shard_commit(void *payload, uint32_t size) {
  struct header *header = (struct header *)payload - 1;
  atomic_store_explicit(&header->length, length_of(size), memory_order_release);
}

static void consume(struct prof_shard *self, uint64_t tail, uint32_t length) {
  uint64_t offset = tail & (self->capacity - 1);
  memset(self->bytes + offset, 0, length);
  if (self->touched < offset + length)
    self->touched = offset + length;
  atomic_store_explicit(&self->tail, tail + length, memory_order_release);
}

/* What a late drain had let pile up behind offset, where nobody writes now. Pages that are gone
 * read as the zeros that a new record needs. */
static void give_back(struct prof_shard *self, uint64_t offset) {
  uint64_t first = (offset + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
  if (first < self->touched && !madvise(self->bytes + first, self->capacity - first, MADV_DONTNEED))
    self->touched = first;
}

/* Empty, and not near its start: goes on at its start, so that only as much of the buffer is
 * touched as lately waited in it. Until the tail follows, the rest counts as used: what is before
 * it is room enough meanwhile. */
static void rewind_empty(struct prof_shard *self, uint64_t tail) {
  uint64_t offset = tail & (self->capacity - 1), start = tail + self->capacity - offset;
  if (offset >= self->capacity / REWIND_SHARE &&
      atomic_compare_exchange_strong_explicit(&self->head, &tail, start, memory_order_acq_rel,
                                              memory_order_relaxed)) {
    give_back(self, offset);
    atomic_store_explicit(&self->tail, start, memory_order_release);
  }
}

const void *prof_shard_peek(struct prof_shard *self, uint32_t *size) {
  for (;;) {
    uint64_t tail = atomic_load_explicit(&self->tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&self->head, memory_order_acquire)) {
      rewind_empty(self, tail);
      return NULL;
    }
    struct header *header = header_at(self, tail);
    uint32_t length = atomic_load_explicit(&header->length, memory_order_acquire);
    if (!length)
      return NULL;
    if (header->kind == KIND_RECORD) {
      *size = length - (uint32_t)sizeof *header;
      return header + 1;
    }
    consume(self, tail, length);
  }
}

void prof_shard_release(struct prof_shard *self) {
  uint64_t tail = atomic_load_explicit(&self->tail, memory_order_relaxed);
  consume(self, tail, atomic_load_explicit(&header_at(self, tail)->length, memory_order_relaxed));
}
