/*
 * match: hits of probes, in the order of time -> calls, each with its entry, its end and its
 * caller. Pure: no clock, no system.
 *
 * A call is known by its thread and by where its return address lies on the stack: the stack
 * pointer is the same at a function's first instruction, at its return instructions and at its
 * jumps to other functions. So an end belongs to exactly one open call, whatever happened between:
 *
 *   recursion         each call has a stack pointer of its own
 *   tail call         ends at the jump (TAIL); what it jumped to has the same stack pointer
 *   exception, panic, longjmp, a jump that has no probe
 *                     the calls above that one were left unseen: they are ended (UNSEEN) as soon
 *                     as a call below them ends, or another begins at or above their place
 *   thread or program ends in the middle, exec
 *                     ended then (UNSEEN)
 *   never returns     still open at the end of the trace
 *   stack switched    (stacker, fibers): a place more than PROF_MATCH_NEAR away is another stack's
 *
 * How long an UNSEEN call took is not known: it is counted, and has no duration. An end without a
 * call (entered before the trace began, or its record was lost) is counted and changes nothing.
 *
 * A call that runs a job of rayon or tokio (flow.h) has a spawner besides its caller: the innermost
 * traced call that was open where the job was handed over; where that one ran a job itself and
 * called nothing traced, that job's spawner. What a job calls is charged to it.
 *
 * The caller provides hits in order of time, and sinks. Refuses: calls nested deeper than
 * PROF_MATCH_DEPTH (counted).
 */
#ifndef RSPACK_PROF_TRACE_MATCH_H
#define RSPACK_PROF_TRACE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/call.h"

#define PROF_MATCH_DEPTH 65536u
#define PROF_MATCH_NEAR ((uint64_t)1 << 20)

struct prof_match_sink {
  void *user;
  void (*event)(void *user, const struct prof_call_event *event);
  void (*end)(void *user, const struct prof_call_end *end);
};

struct prof_match_counts {
  uint64_t hits, unmatched, too_deep, deeper, twice, no_memory;
  /* Jobs that ran; of them handed over by a traced call elsewhere, or run inside of that call;
   * handed over outside of all traced calls. The rest: nobody was seen. */
  uint64_t jobs, jobs_crossed, jobs_inside, jobs_outside;
};

struct prof_match;

/* depth: calls nested deeper have no events (counted in `deeper`), but are tallied; 0: all. */
struct prof_match *prof_match_create(const struct prof_match_sink *sink, uint32_t depth);
void prof_match_free(struct prof_match *self);

/* false: it was not taken. kind: enum prof_site_kind (exits.h). id: of the event that the hit
 * came by, below its CPU (an event has another id on each); one that came by two (one takes over
 * from the other, or a thread inherited one and was given one) counts once, and in `twice`. */
bool prof_match_hit(struct prof_match *self, uint32_t tid, uint32_t func, uint8_t kind, uint64_t sp,
                    uint64_t time_ns, uint64_t id);
/* A thread hands a job over; the call that was just entered by prof_match_hit runs one. */
void prof_match_spawn(struct prof_match *self, uint32_t tid, uint64_t job, uint64_t time_ns);
void prof_match_run(struct prof_match *self, uint32_t tid, uint64_t job);
void prof_match_thread_ended(struct prof_match *self, uint32_t tid, uint64_t time_ns);
/* What is still open is ended as OPEN. */
void prof_match_finish(struct prof_match *self);

/* The innermost open call of a thread; PROF_NO_FUNC: none. */
uint32_t prof_match_running(const struct prof_match *self, uint32_t tid);
struct prof_match_counts prof_match_counts(const struct prof_match *self);

#endif
