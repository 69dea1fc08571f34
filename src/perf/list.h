/*
 * list: which events this machine knows, and whether each opens here and now.
 *
 * The caller provides struct prof_os and a visitor. Each row is tried with perf_event_open on the
 * calling thread (about 20 us a row), user-only where the kernel part is refused; of tracepoints,
 * of which there are thousands, the first stands for all.
 * Refuses: nothing; a row that does not open says why.
 */
#ifndef RSPACK_PROF_PERF_LIST_H
#define RSPACK_PROF_PERF_LIST_H

#include <stdbool.h>

#include "perf/os.h"

struct prof_event_row {
  const char *name;
  /* "hardware", "software", "cache", "pmu" (of a PMU in sysfs, or named by libpfm4), "tracepoint",
   * "raw", "uprobe" */
  const char *type;
  const char *description;
  bool is_form; /* not an event but how to write one: "rNNN", "cpu/TERM=VALUE,.../" */
  bool available;
  const char *reason; /* "" where available; e.g. "no hardware PMU", "needs the kernel part" */
};

/* The strings live during the call. */
typedef void prof_event_row_visit(void *user, const struct prof_event_row *row);

void prof_event_list(const struct prof_os *os, prof_event_row_visit *visit, void *user);

#endif
