/*
 * unknown: what to say of an event that could not be parsed: that it is another CPU's, that tracefs
 * is not mounted, that its PMU is not there or lacks the term, or which names are near.
 *
 * The caller provides the text as the user wrote it. Refuses nothing.
 */
#ifndef RSPACK_PROF_PERF_UNKNOWN_H
#define RSPACK_PROF_PERF_UNKNOWN_H

#include "base/status.h"
#include "perf/os.h"

/* Fills *error and returns PROF_BAD_EVENT. */
int prof_unknown_error(const struct prof_os *os, const char *text, struct prof_error *error);

#endif
