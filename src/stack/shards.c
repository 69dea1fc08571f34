#include "stack/shards.h"

#include <string.h>
#include <unistd.h>

enum { BYTES_LEAST = 1 << 17 };

static uint64_t power_of_two(uint64_t at_least) {
  uint64_t size = BYTES_LEAST;
  while (size < at_least)
    size *= 2;
  return size;
}

int prof_shards_init(struct prof_shards *self, size_t bytes, size_t least_bytes) {
  long cpus = sysconf(_SC_NPROCESSORS_CONF);
  uint32_t wanted = cpus < 1 ? 1 : cpus > PROF_SHARDS_MAX ? PROF_SHARDS_MAX : (uint32_t)cpus;
  size_t share = bytes / wanted;
  uint64_t each = power_of_two(share > least_bytes ? share : least_bytes);
  for (self->count = 0; self->count < wanted; self->count++) {
    if (prof_shard_init(&self->shard[self->count], each)) {
      prof_shards_free(self);
      return -1;
    }
  }
  return 0;
}

void prof_shards_free(struct prof_shards *self) {
  for (uint32_t i = 0; i < self->count; i++)
    prof_shard_free(&self->shard[i]);
  self->count = 0;
}

size_t prof_shards_bytes(const struct prof_shards *self) {
  return self->count * self->shard[0].capacity;
}

static struct prof_shard *shard_of(struct prof_shards *self, const struct prof_stack *stack) {
  return &self->shard[stack->cpu % self->count];
}

static uint32_t size_of(const struct prof_stack *stack) {
  return (uint32_t)(sizeof *stack + stack->count * sizeof stack->words[0]);
}

struct prof_stack *prof_shards_reserve(struct prof_shards *self, const struct prof_stack *head,
                                       const uint64_t *words) {
  struct prof_stack *stack = prof_shard_reserve(shard_of(self, head), size_of(head));
  if (stack) {
    *stack = *head;
    memcpy(stack->words, words, head->count * sizeof *words);
  }
  return stack;
}

void prof_shards_commit(struct prof_shards *self, struct prof_stack *stack) {
  struct prof_shard *shard = shard_of(self, stack);
  prof_shard_commit(stack, size_of(stack));
  if (self->wake && prof_shard_used(shard) > shard->capacity / 4 &&
      !atomic_exchange_explicit(&self->woken, 1, memory_order_relaxed))
    self->wake(self->user);
}

size_t prof_shards_drain(struct prof_shards *self, prof_stack_visit *visit, void *user) {
  size_t count = 0;
  uint32_t size;
  const struct prof_stack *stack;
  atomic_store_explicit(&self->woken, 0, memory_order_relaxed);
  for (uint32_t i = 0; i < self->count; i++) {
    while ((stack = prof_shard_peek(&self->shard[i], &size))) {
      visit(user, stack);
      prof_shard_release(&self->shard[i]);
      count++;
    }
  }
  return count;
}
