/*
 * files: file descriptors for the events, without taking the last ones from the build.
 *
 * The caller provides struct prof_os and how many it has opened. The soft limit is raised towards
 * the hard one where that is enough, and put back by prof_files_restore. Refuses: more than the
 * hard limit allows with PROF_FILES_RESERVE left (PROF_TOO_MANY_FILES, with the figures).
 */
#ifndef RSPACK_PROF_PERF_FILES_H
#define RSPACK_PROF_PERF_FILES_H

#include <stdbool.h>
#include <sys/resource.h>

#include "base/status.h"
#include "perf/os.h"

/* Descriptors that the build can still open; where the limit is small, a quarter of it. */
#define PROF_FILES_RESERVE 256

struct prof_files {
  long in_use; /* by the process, before the first event */
  struct rlimit old;
  bool raised;
};

void prof_files_init(struct prof_files *self, const struct prof_os *os);

/* Room for `each` events on each of so many CPUs for threads more, beside the `opened` of ours. */
int prof_files_reserve(struct prof_files *self, const struct prof_os *os, long opened, int threads,
                       int cpus, int each, struct prof_error *error);
void prof_files_restore(struct prof_files *self, const struct prof_os *os);

#endif
