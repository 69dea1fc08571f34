/*
 * copied: samples whose stack came in their record: a dump of its innermost bytes, or a callchain.
 *
 * The caller (settle.c) provides the recording, whose space stands at the sample's time and whose
 * buffer of words is free. Refuses nothing: what a dump does not hold is said in the sample's end.
 */
#ifndef RSPACK_PROF_SESSION_COPIED_H
#define RSPACK_PROF_SESSION_COPIED_H

#include "session/recording.h"

/* Live: the dump of a sample is walked when it leaves its ring, since the rest of the stack is read
 * from the thread as it stands then. Returns the record with the walk in the dump's place (until
 * the next call), or header itself where there is no dump. */
const struct perf_event_header *prof_copied_walk(struct prof_recording *self,
                                                 const struct perf_event_header *header,
                                                 const struct prof_record *record);

/* A sample with a dump (replayed), or with the walk of one (live); without registers it is its leaf
 * alone. */
void prof_copied_dump(struct prof_recording *self, struct prof_join_thread *thread,
                      const struct prof_wait *wait, const struct prof_record_sample *sample);

/* A sample with a user callchain of at least one address. */
void prof_copied_chain(struct prof_recording *self, struct prof_join_thread *thread,
                       const struct prof_wait *wait, const struct prof_record_sample *sample);

#endif
