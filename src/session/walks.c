#include "session/walks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/pages.h"
#include "heap/sampler.h"
#include "stack/sampler.h"

/* Of walks copied at once: some hundred are usual, thousands where the drain came late. In pages of
 * their own, since malloc would keep what it once gave (glibc's arenas do not shrink). */
enum { USUAL_BYTES = 1 << 18 };

static int reserve_bytes(struct prof_walks *self, size_t wanted) {
  size_t grown = self->capacity_bytes ? self->capacity_bytes : USUAL_BYTES;
  void *bytes;
  if (wanted <= self->capacity_bytes)
    return 0;
  while (grown < wanted)
    grown *= 2;
  bytes = self->bytes ? mremap(self->bytes, self->capacity_bytes, grown, MREMAP_MAYMOVE)
                      : prof_pages_reserve(grown);
  if (!bytes || bytes == MAP_FAILED)
    return -1;
  self->bytes = bytes;
  self->capacity_bytes = grown;
  return 0;
}

static void give_back(struct prof_walks *self) {
  if (self->used_bytes > USUAL_BYTES || self->capacity_bytes <= USUAL_BYTES ||
      mremap(self->bytes, self->capacity_bytes, USUAL_BYTES, 0) == MAP_FAILED)
    return;
  self->capacity_bytes = USUAL_BYTES;
}

static void copy_walk(void *user, const struct prof_stack *stack) {
  struct prof_walks *self = user;
  size_t size = sizeof *stack + stack->count * sizeof stack->words[0];
  if (reserve_bytes(self, self->used_bytes + size) ||
      prof_array_reserve((void **)&self->refs, &self->capacity, self->count + 1,
                         sizeof *self->refs)) {
    self->dropped++;
    return;
  }
  memcpy(self->bytes + self->used_bytes, stack, size);
  self->refs[self->count++] =
      (struct prof_walk_ref){.time_ns = stack->time_ns, .offset = self->used_bytes};
  self->used_bytes += size;
}

void prof_walks_collect(struct prof_walks *self) {
  prof_sampler_drain(copy_walk, self);
  prof_heap_drain(copy_walk, self);
}

static int by_time(const void *left, const void *right) {
  const struct prof_walk_ref *a = left, *b = right;
  if (a->time_ns != b->time_ns)
    return a->time_ns < b->time_ns ? -1 : 1;
  return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* Those that stay, moved to the front. */
static void keep_from(struct prof_walks *self, size_t first) {
  size_t used = 0, kept = self->count - first;
  unsigned char *bytes = NULL;
  for (size_t i = first; i < self->count; i++) {
    const struct prof_stack *stack = (const void *)(self->bytes + self->refs[i].offset);
    used += sizeof *stack + stack->count * sizeof stack->words[0];
  }
  if (used)
    bytes = malloc(used);
  if (used && !bytes) {
    self->dropped += kept;
    kept = used = 0;
  }
  size_t at = 0;
  for (size_t i = 0; i < kept; i++) {
    const struct prof_walk_ref *ref = &self->refs[first + i];
    const struct prof_stack *stack = (const void *)(self->bytes + ref->offset);
    size_t size = sizeof *stack + stack->count * sizeof stack->words[0];
    memcpy(bytes + at, stack, size);
    self->refs[i] = (struct prof_walk_ref){.time_ns = stack->time_ns, .offset = at};
    at += size;
  }
  if (used)
    memcpy(self->bytes, bytes, used);
  free(bytes);
  self->count = kept;
  self->used_bytes = used;
}

void prof_walks_flush(struct prof_walks *self, uint64_t until_ns, prof_stack_visit *visit,
                      void *user) {
  size_t done = 0;
  if (self->count == 0)
    return;
  qsort(self->refs, self->count, sizeof *self->refs, by_time);
  while (done < self->count && self->refs[done].time_ns < until_ns) {
    visit(user, (const void *)(self->bytes + self->refs[done].offset));
    done++;
  }
  keep_from(self, done);
  give_back(self);
}

void prof_walks_free(struct prof_walks *self) {
  if (self->bytes)
    munmap(self->bytes, self->capacity_bytes);
  free(self->refs);
  memset(self, 0, sizeof *self);
}
