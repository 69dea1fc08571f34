/*
 * census: how many samples each process of a perf.data has, of the event that session/replay takes
 * unless told: for who makes profiles of several of them.
 *
 * Refuses what perf/datafile.h refuses.
 */
#ifndef RSPACK_PROF_SESSION_CENSUS_H
#define RSPACK_PROF_SESSION_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct prof_census_row {
  uint32_t pid; /* 0: the kernel's own, of no process */
  uint64_t samples;
};

/* *rows is malloc'ed, the caller frees it; in no order. */
int prof_census_file(const char *path, struct prof_census_row **rows, size_t *count,
                     struct prof_error *error);

#endif
