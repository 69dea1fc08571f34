/*
 * breaks: which object broke how many stacks, and why: quality.byObject.
 *
 * The result's funcs, nodes and samples must stand. Refuses nothing.
 */
#ifndef RSPACK_PROF_SESSION_BREAKS_H
#define RSPACK_PROF_SESSION_BREAKS_H

#include "session/result.h"

/* Fills out->broken, most first. 0, or -1 where memory ends. */
int prof_breaks_count(const struct prof_recording *recording, struct prof_result *out);

#endif
