/*
 * shards: walks on their way from the threads that took them to the profiler's: a ring for each CPU
 * (stack/shard.h).
 *
 * The caller provides the struct, zeroed (it is large), and drains from one thread. Reserve and
 * commit are async-signal-safe. Refuses (NULL, the caller counts) walks that their CPU's ring has
 * no room for.
 */
#ifndef RSPACK_PROF_STACK_SHARDS_H
#define RSPACK_PROF_STACK_SHARDS_H

#include "stack/shard.h"
#include "stack/stack.h"

enum { PROF_SHARDS_MAX = 256 }; /* more CPUs share */

struct prof_shards {
  /* By commit, once after each drain, as a ring is a quarter full. Async-signal-safe; NULL: none */
  void (*wake)(void *user);
  void *user;
  uint32_t count;
  _Atomic uint32_t woken; /* since the last drain */
  struct prof_shard shard[PROF_SHARDS_MAX];
};

/* Room for `bytes` on all CPUs together, and for least_bytes on each. 0, or -1 where memory ends:
 * what was made is freed. */
int prof_shards_init(struct prof_shards *self, size_t bytes, size_t least_bytes);
void prof_shards_free(struct prof_shards *self);
size_t prof_shards_bytes(const struct prof_shards *self);

/* A copy of the walk's head and its head->count words, in the ring of head->cpu; the head may be
 * changed until it is committed. */
struct prof_stack *prof_shards_reserve(struct prof_shards *self, const struct prof_stack *head,
                                       const uint64_t *words);
void prof_shards_commit(struct prof_shards *self, struct prof_stack *stack);

/* Calls visit for each walk so far, oldest first within one CPU. How many there were. */
size_t prof_shards_drain(struct prof_shards *self, prof_stack_visit *visit, void *user);

#endif
