#include "perf/mapping.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ESTIMATE_FLAT 96u    /* bytes of a record: header, 7 words, registers */
#define ESTIMATE_CHAIN 160u  /* a kernel chain of 20 */
#define ESTIMATE_DUMP 136u   /* more registers, sizes */
#define ESTIMATE_RATE 10000u /* records a second of an event that samples by period */

size_t prof_mapping_bytes(const struct prof_plan *plan) {
  /* One thread runs on a CPU: frequency records a second at most. The rings are drained every few
   * ten ms, but in a build that keeps all CPUs busy the profiler's thread may wait for its turn
   * behind hundreds of threads: one second without dumps, a quarter with them. */
  size_t record = ESTIMATE_FLAT + (plan->kernel_chain ? ESTIMATE_CHAIN : 0);
  size_t rate = (plan->frequency ? plan->frequency : ESTIMATE_RATE) * (1u + plan->extra_count);
  size_t wanted = record * rate, bytes = PROF_RING_BYTES_MIN;
  if (plan->stack_dump)
    wanted = (record + ESTIMATE_DUMP + plan->stack_bytes) * rate / 4;
  while (bytes < wanted && bytes < PROF_RING_BYTES_MAX / 4)
    bytes *= 2;
  return bytes;
}

void prof_mapping_unmap(const struct prof_os *os, struct prof_ring *rings, int count) {
  for (int i = 0; i < count; i++)
    if (rings[i].map) {
      os->unmap(os->user, rings[i].map, rings[i].map_bytes);
      rings[i].map = NULL;
    }
}

/* All rings at one size; none where one fails. 0 or -errno. */
static int map_all(const struct prof_os *os, struct prof_ring *rings, int count, size_t bytes,
                   size_t page, unsigned char *scratch) {
  for (int i = 0; i < count; i++) {
    void *map;
    int result = os->map(os->user, rings[i].fd, bytes + page, &map);
    if (result) {
      prof_mapping_unmap(os, rings, i);
      return result;
    }
    prof_ring_init(&rings[i], map, bytes + page, page, rings[i].fd, rings[i].cpu, scratch);
  }
  return 0;
}

int prof_mapping_map(const struct prof_os *os, struct prof_ring *rings, int count, size_t wanted,
                     unsigned char *scratch, struct prof_plan *plan, struct prof_error *error) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = wanted;
  long lock_kb = prof_os_number(os, "/proc/sys/kernel/perf_event_mlock_kb", -1);
  char fix[96];
  int result;
  snprintf(fix, sizeof fix, "sudo sysctl kernel.perf_event_mlock_kb=%zu", (wanted + page) / 1024);
  while ((result = map_all(os, rings, count, bytes, page, scratch))) {
    if (result != -EPERM && result != -ENOMEM)
      return prof_error_set(error, PROF_SYSTEM, -result, "mmap", "a ring cannot be mapped: %s",
                            strerror(-result));
    if (bytes / 2 < PROF_RING_BYTES_MIN)
      return prof_error_set(error, PROF_MEMORY_LOCK, -result, "mmap",
                            "not even %zu KB of ring for each of %d CPUs can be locked "
                            "(perf_event_mlock_kb is %ld): run `%s`, or raise `ulimit -l`",
                            bytes / 1024, count, lock_kb, fix);
    bytes /= 2;
  }
  if (bytes < wanted)
    prof_plan_note(plan, "ring-halved", fix,
                   "rings are %zu KB for each CPU, not %zu KB: the locked-memory limit is reached "
                   "(perf_event_mlock_kb is %ld)",
                   bytes / 1024, wanted / 1024, lock_kb);
  return 0;
}
