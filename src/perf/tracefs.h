/*
 * tracefs: the kernel's tracepoints, which only its tracing file system knows by name.
 *
 * The caller provides struct prof_os. Nothing is mounted here: where the file system is not, or may
 * not be read, prof_tracefs_problem says so and what to do.
 * Refuses: names with ".." or "/" in them.
 */
#ifndef RSPACK_PROF_PERF_TRACEFS_H
#define RSPACK_PROF_PERF_TRACEFS_H

#include <stdbool.h>

#include "perf/os.h"

/* The id of "subsystem:event", or -1. */
long prof_tracefs_id(const struct prof_os *os, const char *name);

/* Why no tracepoint can be had, with the command that mends it; "" where they can. */
const char *prof_tracefs_problem(const struct prof_os *os);

/* Each tracepoint's name, until visit returns false. */
typedef bool prof_tracefs_visit(void *user, const char *name);
void prof_tracefs_each(const struct prof_os *os, prof_tracefs_visit *visit, void *user);

#endif
