#include "perf/ring.h"

#include <stdbool.h>
#include <string.h>

int prof_ring_init(struct prof_ring *self, void *map, size_t map_bytes, size_t page_bytes, int fd,
                   int cpu, unsigned char *scratch) {
  size_t data_bytes;
  if (map_bytes <= page_bytes)
    return -1;
  data_bytes = map_bytes - page_bytes;
  if (data_bytes & (data_bytes - 1))
    return -1;
  *self = (struct prof_ring){
      .map = map,
      .map_bytes = map_bytes,
      .data = (unsigned char *)map + page_bytes,
      .data_bytes = data_bytes,
      .fd = fd,
      .cpu = cpu,
      .scratch = scratch,
  };
  return 0;
}

/* The kernel writes the head after the records (rmb here), and reads the tail before it writes more
 * (our reads must be done by then): acquire and release, see perf_output_put_handle() in
 * kernel/events/ring_buffer.c. */
static uint64_t load_head(const struct prof_ring *self) {
  const struct perf_event_mmap_page *page = self->map;
  return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}

static uint64_t load_tail(const struct prof_ring *self) {
  const struct perf_event_mmap_page *page = self->map;
  return __atomic_load_n(&page->data_tail, __ATOMIC_RELAXED); /* only we write it */
}

/* The record at `offset` in one piece: in place, or put together in scratch. */
static const struct perf_event_header *whole_record(struct prof_ring *self, size_t offset,
                                                    size_t size) {
  size_t first = self->data_bytes - offset;
  if (size <= first)
    return (const struct perf_event_header *)(self->data + offset);
  memcpy(self->scratch, self->data + offset, first);
  memcpy(self->scratch + first, self->data, size - first);
  return (const struct perf_event_header *)self->scratch;
}

size_t prof_ring_drain(struct prof_ring *self, prof_ring_visit *visit, void *user) {
  struct perf_event_mmap_page *page = self->map;
  const uint64_t head = load_head(self);
  const uint64_t start = load_tail(self);
  uint64_t tail = start;
  bool sound = head - start <= self->data_bytes && start % 8 == 0;

  while (sound && tail != head) {
    size_t offset = (size_t)(tail & (self->data_bytes - 1));
    /* A header is 8 bytes, aligned to 8: it never wraps. Its size is read once. */
    struct perf_event_header header;
    memcpy(&header, self->data + offset, sizeof header);
    sound = header.size >= sizeof header && header.size % 8 == 0 && header.size <= head - tail;
    if (!sound)
      break;
    visit(user, whole_record(self, offset, header.size), self->cpu);
    self->records++;
    tail += header.size;
  }
  if (!sound)
    self->malformed++;
  __atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
  return (size_t)(tail - start);
}
