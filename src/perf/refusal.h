/*
 * refusal: what a refusal of perf_event_open means, in a few words for a table's cell and as an
 * error that says what to do.
 *
 * The caller provides the result of the call (a descriptor, or a negative errno).
 * Refuses nothing: an errno that it does not know is told by its name.
 */
#ifndef RSPACK_PROF_PERF_REFUSAL_H
#define RSPACK_PROF_PERF_REFUSAL_H

#include "base/status.h"
#include "perf/event.h"
#include "perf/os.h"

enum prof_refusal {
  PROF_REFUSAL_NONE = 0,
  PROF_REFUSAL_PERMISSION, /* perf_event_paranoid, also distributions' own levels, or an LSM */
  PROF_REFUSAL_BLOCKED,    /* the call itself: a container's seccomp filter */
  PROF_REFUSAL_MISSING,    /* no such counter here */
  PROF_REFUSAL_BUSY,       /* another program has the counters */
  PROF_REFUSAL_INVALID,    /* the event is known and cannot be had in this form */
  PROF_REFUSAL_TOO_BIG,    /* the attributes, or a record beyond its 64 KB */
  PROF_REFUSAL_FILES,
  PROF_REFUSAL_GONE, /* the thread has ended, the CPU went away */
  PROF_REFUSAL_OTHER,
};

enum prof_refusal prof_refusal_of(int result);

/* "" for PROF_REFUSAL_NONE. */
const char *prof_refusal_reason(enum prof_refusal refusal, const struct prof_event *event);

/* The status, with *error filled. name: the event as the user wrote it. */
int prof_refusal_error(const struct prof_os *os, const struct prof_event *event, const char *name,
                       int result, struct prof_error *error);

#endif
