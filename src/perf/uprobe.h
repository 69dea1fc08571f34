/*
 * uprobe: one place in a file as an event of the kernel's `uprobe` PMU: each time any watched
 * thread gets there, one record.
 *
 * For a handful of places. Each event is a probe of its own: on kernel 6.18 closing one takes 180
 * to 240 ms, one after the other, so that a hundred functions on two CPUs took 36 s to close.
 * trace/probes.h has many places in one event.
 * The caller provides an attr whose sample_type and so on are its own, the path (absolute; the
 * text must live until the event was opened) and the place's offset in the file (code/funcs.h).
 * Refuses: kernels without the PMU (PROF_UNSUPPORTED_PLATFORM). Opening needs root (CAP_SYS_ADMIN,
 * or CAP_PERFMON since 6.0); what the kernel answered is turned into words by prof_uprobe_refused.
 *
 * A return probe replaces the return address on the stack: C++ exceptions and Rust panics that
 * unwind through such a frame end the process (std::terminate), and V8 cannot walk across one.
 */
#ifndef RSPACK_PROF_PERF_UPROBE_H
#define RSPACK_PROF_PERF_UPROBE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "base/status.h"
#include "perf/os.h"

struct prof_uprobe {
  const char *path;
  uint64_t offset;
  bool is_return;
};

/* Sets type and the configs of *attr. 0 or a status. */
int prof_uprobe_fill(const struct prof_os *os, const struct prof_uprobe *probe,
                     struct perf_event_attr *attr, struct prof_error *error);

/* What perf_event_open answered (a negative errno) as a status with its message. */
int prof_uprobe_refused(const struct prof_uprobe *probe, int result, struct prof_error *error);

#endif
