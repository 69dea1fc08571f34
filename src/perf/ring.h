/*
 * ring: reads whole records from one perf_event mmap ring.
 *
 * The caller provides a mapped ring (one page of meta data, then 2^n bytes) and drains it from one
 * thread at a time. A record is handed over in place, or from scratch where it wraps: it lives only
 * during the call. The tail is written once, after the last record: the kernel cannot overwrite
 * what the visitor reads.
 * Refuses: a record whose size is below 8, no multiple of 8, or reaches beyond the head: what is
 * left is skipped and counted in `malformed`, since nothing tells where the next record begins.
 */
#ifndef RSPACK_PROF_PERF_RING_H
#define RSPACK_PROF_PERF_RING_H

#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

#define PROF_RING_SCRATCH_BYTES ((size_t)1 << 16) /* a record's size is a u16 */

struct prof_ring {
  void *map; /* struct perf_event_mmap_page */
  size_t map_bytes;
  unsigned char *data;
  size_t data_bytes; /* power of two */
  int fd, cpu;
  unsigned char *scratch;      /* PROF_RING_SCRATCH_BYTES; rings of one thread may share it */
  uint64_t malformed, records; /* counters */
};

/* One record, contiguous, aligned to 8, valid during the call. */
typedef void prof_ring_visit(void *user, const struct perf_event_header *record, int cpu);

/* Fills *self for a ring mapped at map. 0, or -1 where the sizes do not fit. */
int prof_ring_init(struct prof_ring *self, void *map, size_t map_bytes, size_t page_bytes, int fd,
                   int cpu, unsigned char *scratch);

/* Visits what is there now (not what comes meanwhile). Bytes consumed. */
size_t prof_ring_drain(struct prof_ring *self, prof_ring_visit *visit, void *user);

#endif
