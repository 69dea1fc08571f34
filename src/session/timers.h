/*
 * timers: a recording without perf events (perf/cputimer.h): each walk is a sample by itself, its
 * weight the timer's periods that have passed. Threads, their ends and libraries, which the kernel
 * tells of in the rings, are looked for at each round.
 *
 * The caller provides the recording, armed (stack/sampler.h), and calls from the profiler's thread.
 * Refuses: nothing; what was not seen is said in a note (prof_timers_note).
 */
#ifndef RSPACK_PROF_SESSION_TIMERS_H
#define RSPACK_PROF_SESSION_TIMERS_H

#include "session/recording.h"

struct prof_plan_note;

/* Nothing runs before begin. */
int prof_timers_open(struct prof_recording *recording, struct prof_error *error);
void prof_timers_begin(struct prof_recording *recording);
void prof_timers_round(struct prof_recording *recording);
void prof_timers_stop(struct prof_recording *recording); /* a second call does nothing */
void prof_timers_free(struct prof_recording *recording);

/* A prof_stack_visit: one walk, in order of time; user is the recording. */
void prof_timers_walk(void *user, const struct prof_stack *stack);

/* All walks from before until_ns are in: threads that had ended by then are over. */
void prof_timers_flushed(struct prof_recording *recording, uint64_t until_ns);

/* What the timers did not see, into text; false: nothing worth a word. */
bool prof_timers_note(const struct prof_recording *recording, char *text, size_t size);

#endif
