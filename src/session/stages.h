/*
 * stages: a recording's parts that need no event: made, and freed again.
 *
 * The caller has set the options. Refuses: what modules and rows refuse.
 */
#ifndef RSPACK_PROF_SESSION_STAGES_H
#define RSPACK_PROF_SESSION_STAGES_H

#include "base/status.h"

struct prof_recording;

/* 0, or a status: what is open by then prof_recording_free frees. */
int prof_stages_open(struct prof_recording *recording, struct prof_error *error);
void prof_stages_free(struct prof_recording *recording);

#endif
