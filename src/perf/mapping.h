/*
 * mapping: how large the rings are, and their memory: one for each CPU, all of one size.
 *
 * The caller provides rings with fd and cpu set, and the scratch they share. The kernel counts ring
 * memory against perf_event_mlock_kb x CPUs per user, then RLIMIT_MEMLOCK: the size is halved until
 * it fits, which is noted. Refuses: less than PROF_RING_BYTES_MIN (PROF_MEMORY_LOCK).
 */
#ifndef RSPACK_PROF_PERF_MAPPING_H
#define RSPACK_PROF_PERF_MAPPING_H

#include <stddef.h>

#include "base/status.h"
#include "perf/choose.h"
#include "perf/os.h"
#include "perf/ring.h"

#define PROF_RING_BYTES_MIN ((size_t)64 << 10)
#define PROF_RING_BYTES_MAX ((size_t)64 << 20)

/* Bytes of one CPU's ring for a plan. */
size_t prof_mapping_bytes(const struct prof_plan *plan);

int prof_mapping_map(const struct prof_os *os, struct prof_ring *rings, int count, size_t wanted,
                     unsigned char *scratch, struct prof_plan *plan, struct prof_error *error);
void prof_mapping_unmap(const struct prof_os *os, struct prof_ring *rings, int count);

#endif
