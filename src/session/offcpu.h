/*
 * offcpu: from switches to samples that weigh the time a thread was off its CPU. Does nothing where
 * the plan has no switches.
 *
 * A sample at a switch, where the plan has the event for it, gets its stack like any other (by the
 * thread's own walk as it goes on, or from a dump) and its weight when the thread is back. Where
 * there is none, the stack of the thread's last sample stands for it, marked as guessed; that of a
 * thread which sleeps for longer is read meanwhile (session/frozen), and so are the stacks of those
 * that sleep as the recording begins.
 *
 * Called in order of time, on the profiler's thread. A wait that lasts is in no result before it,
 * or the recording, is over.
 */
#ifndef RSPACK_PROF_SESSION_OFFCPU_H
#define RSPACK_PROF_SESSION_OFFCPU_H

#include "session/recording.h"

/* Once the events are enabled: the threads that exist. */
void prof_offcpu_begin(struct prof_recording *self);

/* Of any event: sets the state and the weight, or leaves the wait open. */
void prof_offcpu_sample(struct prof_recording *self, struct prof_join_thread *thread,
                        struct prof_wait *wait, const struct prof_record *record);

/* PERF_RECORD_SWITCH */
void prof_offcpu_switch(struct prof_recording *self, struct prof_join_thread *thread,
                        const struct prof_record *record);

/* A row whose weight is not known yet. */
void prof_offcpu_hold(struct prof_recording *self, const struct prof_join_thread *thread,
                      const struct prof_sample *sample);

/* Between rounds: reads the stacks of sleepers where the switches have none. */
void prof_offcpu_look(struct prof_recording *self);

void prof_offcpu_ended(struct prof_recording *self, const struct prof_join_thread *thread,
                       uint64_t time_ns);
void prof_offcpu_finish(struct prof_recording *self);

#endif
