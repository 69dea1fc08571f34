/*
 * live: address -> number, for the sampled pieces of memory that nobody has freed yet. Any thread
 * puts and takes, without locks.
 *
 * Each free of the program asks here first, and nearly all ask in vain: a byte for each of 131,072
 * groups of addresses counts what is held of it, so that the question is one load. What is held
 * stands in one of a few neighbouring lines of eight addresses.
 *
 * The caller provides addresses that are nobody else's while it puts or takes them (that is what a
 * program owes its allocator too), and numbers other than 0. Async-signal-safe but for init.
 * Refuses: an address whose lines are full (PROF_LIVE_MAX in all).
 */
#ifndef RSPACK_PROF_HEAP_LIVE_H
#define RSPACK_PROF_HEAP_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  PROF_LIVE_GROUP_BITS = 17,
  PROF_LIVE_LINE_BITS = 15,
  PROF_LIVE_WAYS = 8,
  PROF_LIVE_MAX = PROF_LIVE_WAYS << PROF_LIVE_LINE_BITS
};

struct prof_live_line {
  _Alignas(64) _Atomic uint64_t addresses[PROF_LIVE_WAYS]; /* 0: free, 1: being put */
};

struct prof_live {
  _Atomic uint8_t groups[1 << PROF_LIVE_GROUP_BITS]; /* 255: so many or more, for good */
  struct prof_live_line lines[1 << PROF_LIVE_LINE_BITS];
  uint64_t numbers[1 << PROF_LIVE_LINE_BITS][PROF_LIVE_WAYS];
};

/* Memory for one, empty; its pages are taken when they are first written. NULL where it ends. */
struct prof_live *prof_live_create(void);

/* Empties it. Who puts or takes at this moment may leave what it had: hence a number should tell
 * which time it is of. */
void prof_live_reset(struct prof_live *self);

int prof_live_put(struct prof_live *self, uint64_t address, uint64_t number); /* 0, -1: full */

/* Its number, and it is held no more; 0: it was not held. */
uint64_t prof_live_take(struct prof_live *self, uint64_t address);

static inline uint64_t prof_live_hash(uint64_t address) {
  return (address >> 4) * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio; malloc aligns to 16 */
}

/* false: certainly not held. */
static inline bool prof_live_may_hold(const struct prof_live *self, uint64_t address) {
  uint64_t group = prof_live_hash(address) >> (64 - PROF_LIVE_GROUP_BITS);
  return atomic_load_explicit(&self->groups[group], memory_order_relaxed) != 0;
}

#endif
