/*
 * near: "did you mean": the event names most like one that does not exist; pure but for libpfm4's
 * list. The caller provides the wrong name. Refuses: suggestions too far off to help.
 */
#ifndef RSPACK_PROF_PERF_NEAR_H
#define RSPACK_PROF_PERF_NEAR_H

#include <stddef.h>

#include "base/status.h"

/* Insertions, deletions, replacements and swaps of neighbours between two names, case ignored;
 * names are cut at 63 characters. */
size_t prof_near_distance(const char *a, const char *b);

/* Fills error with PROF_BAD_EVENT for this text and up to three near matches, and returns it. */
int prof_near_error(const char *text, struct prof_error *error);

#endif
