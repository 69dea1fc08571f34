/*
 * uprobe: one place in a file as an event of the kernel's `uprobe` PMU, to measure what such a
 * probe costs. trace/probes.h has many places in one event: here each is a probe of its own, and
 * closing one takes 180 to 240 ms, one after the other (kernel 6.18).
 *
 * A return probe replaces the return address on the stack: C++ exceptions and Rust panics that
 * unwind through such a frame end the process (std::terminate), and V8 cannot walk across one.
 * The caller provides a path that lives until the event was opened, and root's rights. Refuses:
 * kernels without the PMU (false).
 */
#ifndef RSPACK_PROF_BENCH_UPROBE_H
#define RSPACK_PROF_BENCH_UPROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "perf/os.h"

/* Sets type and the configs of *attr. */
static inline bool bench_uprobe(const char *path, uint64_t offset, bool is_return,
                                struct perf_event_attr *attr) {
  long type = prof_os_number(&prof_os_real, "/sys/bus/event_source/devices/uprobe/type", -1);
  attr->type = (uint32_t)type;
  attr->config = is_return; /* format/retprobe: config:0 since the PMU came with 4.17 */
  attr->config1 = (uint64_t)(uintptr_t)path;
  attr->config2 = offset;
  return type >= 0;
}

#endif
