#include "perf/price.h"

#include <stdlib.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "perf/attr.h"

enum {
  HOLES = 33,
  HOLES_LEAST = 9,
  HOLE_NS = 400, /* two readings of the clock lie 20 to 60 ns apart; no interrupt is shorter */
  PERIOD_NS = 150000,
  PERIOD_CYCLES = 450000,
  DEADLINE_NS = 12000000,
  RING_BYTES = 1 << 16,      /* HOLES flat records */
  RING_BYTES_DUMP = 1 << 19, /* HOLES dumps of the default size */
};

static int ascending(const void *a, const void *b) {
  const uint64_t *left = a, *right = b;
  return (*left > *right) - (*left < *right);
}

uint64_t prof_price_median(uint64_t *holes_ns, size_t count) {
  if (count < HOLES_LEAST)
    return 0;
  qsort(holes_ns, count, sizeof *holes_ns, ascending);
  return holes_ns[count / 2];
}

static int open_event(const struct prof_os *os, const struct prof_plan *plan) {
  struct perf_event_attr attr;
  prof_attr_fill(plan, 0, &attr);
  attr.type = plan->event.is_hardware ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
  attr.config = plan->event.is_hardware ? PERF_COUNT_HW_CPU_CYCLES : PERF_COUNT_SW_CPU_CLOCK;
  attr.config1 = attr.config2 = 0;
  attr.freq = 0;
  attr.sample_period = plan->event.is_hardware ? PERIOD_CYCLES : PERIOD_NS;
  attr.inherit = attr.inherit_thread = attr.remove_on_exec = attr.sigtrap = 0;
  attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = 0;
  attr.exclude_user = 0; /* a spinning thread is in user mode */
  return os->perf_event_open(os->user, &attr, 0, -1);
}

static size_t find_holes(uint64_t (*now)(void), uint64_t *holes_ns) {
  uint64_t before_ns = now(), deadline_ns = before_ns + DEADLINE_NS;
  size_t count = 0;
  while (count < HOLES && before_ns < deadline_ns) {
    uint64_t now_ns = now();
    if (now_ns - before_ns >= HOLE_NS)
      holes_ns[count++] = now_ns - before_ns;
    before_ns = now_ns;
  }
  return count;
}

bool prof_price_measure(const struct prof_os *os, const struct prof_plan *plan,
                        uint64_t (*now)(void), uint64_t *price_ns) {
  uint64_t holes_ns[HOLES];
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t bytes = page + (plan->stack_dump ? RING_BYTES_DUMP : RING_BYTES);
  void *map = NULL;
  int fd = open_event(os, plan);
  *price_ns = PROF_PRICE_GUESS_NS;
  if (fd < 0)
    return false;
  /* Without a ring the price is that of an interrupt that writes nothing: a little low. */
  if (os->map(os->user, fd, bytes, &map))
    map = NULL;
  os->ioctl(os->user, fd, PERF_EVENT_IOC_ENABLE, 0);
  uint64_t median_ns = prof_price_median(holes_ns, find_holes(now, holes_ns));
  os->ioctl(os->user, fd, PERF_EVENT_IOC_DISABLE, 0);
  if (map)
    os->unmap(os->user, map, bytes);
  os->close(os->user, fd);
  if (median_ns)
    *price_ns = median_ns;
  return median_ns != 0;
}
