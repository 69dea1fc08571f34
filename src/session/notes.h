/*
 * notes: what a recording found out about itself that a user should know: quality.warnings.
 */
#ifndef RSPACK_PROF_SESSION_NOTES_H
#define RSPACK_PROF_SESSION_NOTES_H

#include "session/result.h"

void prof_notes_add(struct prof_recording *recording, struct prof_result *out);

#endif
