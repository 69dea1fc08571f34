/*
 * attach_events: of several events in one attachment, which one an id is of, and which had to share
 * a counter.
 *
 * The caller provides an open struct prof_attach, from attach.h's thread. Refuses nothing: an id
 * that is not known is the first event's.
 */
#ifndef RSPACK_PROF_PERF_ATTACH_EVENTS_H
#define RSPACK_PROF_PERF_ATTACH_EVENTS_H

#include "perf/attach.h"

/* Which of the plan's events this id is of: 0 is the first, then its extras. */
int prof_attach_event_of(const struct prof_attach *self, uint64_t id);
/* How long event index was wanted, over how long it had a counter: above 1 it shared one, and all
 * its weights are too small by this. 1 where that is not known. */
double prof_attach_scale_of(const struct prof_attach *self, int index);

#endif
