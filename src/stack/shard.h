/*
 * shard: a ring of records with many writers (signal handlers on any thread) and one reader (the
 * profiler's thread), without locks.
 *
 * A writer reserves space by compare-and-swap, fills it, then commits by storing the record's size;
 * the reader stops at the first record that is not committed, and zeroes what it has read, so that
 * a commit word is never old bytes. A writer that dies between the two (its thread was killed)
 * would stop the shard: only the end of the process kills a thread in a handler.
 *
 * The caller provides memory for the whole life. Refuses (returns NULL, the caller counts): records
 * while the ring is full, records beyond half of it.
 */
#ifndef RSPACK_PROF_STACK_SHARD_H
#define RSPACK_PROF_STACK_SHARD_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct prof_shard {
  _Alignas(64) _Atomic uint64_t head; /* bytes reserved since the start */
  _Alignas(64) _Atomic uint64_t tail; /* bytes read since the start */
  unsigned char *bytes;               /* zeroed at the start */
  uint64_t capacity;                  /* power of two */
  uint64_t touched; /* the reader's: bytes from the start that were written and not given back */
};

/* 0, -1 where memory ends. The pages are taken from the system when first written. */
int prof_shard_init(struct prof_shard *self, uint64_t capacity);
void prof_shard_free(struct prof_shard *self);

/* Room for size bytes, 8-aligned and contiguous, or NULL. Async-signal-safe. */
void *prof_shard_reserve(struct prof_shard *self, uint32_t size);
void prof_shard_commit(void *payload, uint32_t size); /* of the reserve; async-signal-safe */

/* Bytes reserved and not released yet. */
static inline uint64_t prof_shard_used(const struct prof_shard *self) {
  return atomic_load_explicit(&self->head, memory_order_relaxed) -
         atomic_load_explicit(&self->tail, memory_order_relaxed);
}

/* The oldest committed record (and its size as reserved, rounded up to 8), or NULL: then the ring
 * begins anew at its first bytes, so that those behind are not touched while little waits, and are
 * given back where more had once piled up. */
const void *prof_shard_peek(struct prof_shard *self, uint32_t *size);
void prof_shard_release(struct prof_shard *self); /* what peek gave */

#endif
