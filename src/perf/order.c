#include "perf/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define ALIGN8(n) (((n) + 7) & ~(size_t)7)

/* One kept record: its bytes stand at `offset` in the queue's buffer. */
struct entry {
  uint64_t time_ns;
  size_t offset;
};

/* Of one CPU. Entries are in order of time; bytes in order of arrival. What was visited stays in
 * front until it is worth moving the rest down. */
struct queue {
  struct entry *entries;
  size_t first, count, capacity; /* live: first <= i < count */
  unsigned char *bytes;
  size_t used, bytes_capacity;
};

struct prof_order {
  struct queue *queues; /* by CPU */
  size_t queue_count, queue_capacity;
  int *heap; /* CPUs whose queues hold something, earliest first; kept from flush to flush */
  size_t heap_count, heap_capacity;
  bool heap_is_old;    /* something was pushed since it was built */
  uint64_t flushed_ns; /* time of the last record visited */
  bool flushed_any;
  size_t limit_bytes;
  struct prof_order_counts counts;
};

struct prof_order *prof_order_create(size_t limit_bytes) {
  struct prof_order *self = calloc(1, sizeof *self);
  if (self)
    self->limit_bytes = limit_bytes;
  return self;
}

void prof_order_free(struct prof_order *self) {
  if (!self)
    return;
  for (size_t i = 0; i < self->queue_count; i++) {
    free(self->queues[i].entries);
    free(self->queues[i].bytes);
  }
  free(self->queues);
  free(self->heap);
  free(self);
}

static struct queue *queue_of(struct prof_order *self, int cpu) {
  size_t index = (size_t)cpu;
  if (cpu < 0 || cpu > 0xffff)
    return NULL;
  if (index >= self->queue_count) {
    if (prof_array_reserve((void **)&self->queues, &self->queue_capacity, index + 1,
                           sizeof *self->queues) ||
        prof_array_reserve((void **)&self->heap, &self->heap_capacity, index + 1,
                           sizeof *self->heap))
      return NULL;
    memset(self->queues + self->queue_count, 0,
           (index + 1 - self->queue_count) * sizeof *self->queues);
    self->queue_count = index + 1;
  }
  return &self->queues[index];
}

/* Drops what was visited, once that is half of the buffer or more: each byte moves at most about
 * once. On the way in, so that a flush, of which there is one for each walk, costs nothing for
 * queues that it does not touch. */
static void compact(struct queue *q) {
  size_t low = q->used;
  if (q->first == q->count) {
    q->first = q->count = q->used = 0;
    return;
  }
  if (q->first < q->count - q->first)
    return;
  memmove(q->entries, q->entries + q->first, (q->count - q->first) * sizeof *q->entries);
  q->count -= q->first;
  q->first = 0;
  for (size_t i = 0; i < q->count; i++)
    low = q->entries[i].offset < low ? q->entries[i].offset : low;
  memmove(q->bytes, q->bytes + low, q->used - low);
  q->used -= low;
  for (size_t i = 0; i < q->count; i++)
    q->entries[i].offset -= low;
}

static bool make_room(struct prof_order *self, struct queue *q, size_t size) {
  size_t before = q->bytes_capacity + q->capacity * sizeof *q->entries;
  size_t held;
  if (self->limit_bytes) {
    size_t others = self->counts.held_bytes - before;
    size_t wanted = q->used + size + (q->count + 1) * sizeof *q->entries;
    if (wanted > self->limit_bytes || others > self->limit_bytes - wanted)
      return false;
  }
  if (prof_array_reserve((void **)&q->bytes, &q->bytes_capacity, q->used + size, 1) ||
      prof_array_reserve((void **)&q->entries, &q->capacity, q->count + 1, sizeof *q->entries))
    return false;
  held = q->bytes_capacity + q->capacity * sizeof *q->entries;
  self->counts.held_bytes += held - before;
  return true;
}

int prof_order_push(struct prof_order *self, const struct perf_event_header *record, int cpu,
                    uint64_t time_ns) {
  struct queue *q = queue_of(self, cpu);
  size_t size = ALIGN8((size_t)record->size);
  size_t at;
  if (q)
    compact(q);
  if (!q || !make_room(self, q, size)) {
    self->counts.dropped++;
    return -1;
  }
  memcpy(q->bytes + q->used, record, record->size);
  /* Nearly in order: an interrupt inside a record's writing swaps neighbours, no more. */
  for (at = q->count; at > q->first && q->entries[at - 1].time_ns > time_ns; at--)
    q->entries[at] = q->entries[at - 1];
  q->entries[at] = (struct entry){time_ns, q->used};
  q->used += size;
  q->count++;
  self->heap_is_old = true;
  self->counts.pushed++;
  self->counts.waiting++;
  return 0;
}

static uint64_t front_time(const struct prof_order *self, int cpu) {
  const struct queue *q = &self->queues[cpu];
  return q->entries[q->first].time_ns;
}

static bool earlier(const struct prof_order *self, int a, int b) {
  uint64_t ta = front_time(self, a), tb = front_time(self, b);
  return ta < tb || (ta == tb && a < b);
}

static void sift_down(struct prof_order *self, size_t at) {
  for (;;) {
    size_t child = 2 * at + 1;
    int cpu = self->heap[at];
    if (child >= self->heap_count)
      return;
    if (child + 1 < self->heap_count && earlier(self, self->heap[child + 1], self->heap[child]))
      child++;
    if (!earlier(self, self->heap[child], cpu))
      return;
    self->heap[at] = self->heap[child];
    self->heap[child] = cpu;
    at = child;
  }
}

static void build_heap(struct prof_order *self) {
  self->heap_count = 0;
  for (size_t i = 0; i < self->queue_count; i++)
    if (self->queues[i].first < self->queues[i].count)
      self->heap[self->heap_count++] = (int)i;
  for (size_t i = self->heap_count / 2; i-- > 0;)
    sift_down(self, i);
  self->heap_is_old = false;
}

static size_t merge(struct prof_order *self, bool all, uint64_t until_ns, prof_ring_visit *visit,
                    void *user) {
  size_t visited = 0;
  if (self->heap_is_old)
    build_heap(self);
  while (self->heap_count) {
    int cpu = self->heap[0];
    struct queue *q = &self->queues[cpu];
    const struct entry *e = &q->entries[q->first];
    if (!all && e->time_ns >= until_ns)
      break;
    if (self->flushed_any && e->time_ns < self->flushed_ns)
      self->counts.late++;
    else
      self->flushed_ns = e->time_ns;
    self->flushed_any = true;
    visit(user, (const struct perf_event_header *)(q->bytes + e->offset), cpu);
    visited++;
    if (++q->first == q->count)
      self->heap[0] = self->heap[--self->heap_count];
    sift_down(self, 0);
  }
  self->counts.visited += visited;
  self->counts.waiting -= visited;
  return visited;
}

size_t prof_order_flush(struct prof_order *self, uint64_t until_ns, prof_ring_visit *visit,
                        void *user) {
  return merge(self, false, until_ns, visit, user);
}

size_t prof_order_finish(struct prof_order *self, prof_ring_visit *visit, void *user) {
  return merge(self, true, 0, visit, user);
}

struct prof_order_counts prof_order_counts(const struct prof_order *self) {
  return self->counts;
}
