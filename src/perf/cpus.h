/*
 * cpus: the CPUs that a user names, "0-3,8", checked against those that are online.
 *
 * The caller provides struct prof_os. Refuses: texts that are no such list, CPUs that are offline
 * or not there (PROF_BAD_OPTION).
 */
#ifndef RSPACK_PROF_PERF_CPUS_H
#define RSPACK_PROF_PERF_CPUS_H

#include "base/status.h"
#include "perf/os.h"

enum { PROF_CPUS_TEXT = 4096 }; /* room for a list: 1,024 numbers with commas */

/* How many, or a status. text NULL or "": all that are online. */
int prof_cpus_choose(const struct prof_os *os, const char *text, int *cpus, int capacity,
                     struct prof_error *error);

#endif
