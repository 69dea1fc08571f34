/*
 * follow: what one record, one walk, one decided sample does to a recording.
 *
 * Called in order of time by recording.c, on the profiler's thread. Whatever is wrong with one
 * record is counted in recording->counters.
 */
#ifndef RSPACK_PROF_SESSION_FOLLOW_H
#define RSPACK_PROF_SESSION_FOLLOW_H

#include <linux/perf_event.h>

#include "session/recording.h"

/* Both are visitors; user is the struct prof_recording. */
void prof_follow_record(void *user, const struct perf_event_header *header, int cpu);
/* The same for a record that is decoded and wanted (of no event twice, of this process). */
void prof_follow_decoded(struct prof_recording *self, const struct prof_record *record);
void prof_follow_walk(void *user, const struct prof_stack *stack);

/* The threads that exist now, by name. */
void prof_follow_threads(struct prof_recording *self);

/* A thread that was seen, its name read where it is new; NULL where memory ends. start_ns 0: it was
 * there before. */
struct prof_join_thread *prof_follow_born(struct prof_recording *self, uint32_t tid,
                                          uint64_t start_ns);
void prof_follow_ended(struct prof_recording *self, uint32_t tid, uint64_t end_ns);

/* Reads the names of the living threads again. */
void prof_follow_rename(struct prof_recording *self);

/* At the end: decides the samples that still wait. */
void prof_follow_finish(struct prof_recording *self);

#endif
