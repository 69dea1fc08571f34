/*
 * call: what a trace is made of: the events of calls, and the calls that are over. Rows of data;
 * trace/match.h makes them of a probe's hits.
 *
 * Refuses: nothing.
 */
#ifndef RSPACK_PROF_TRACE_CALL_H
#define RSPACK_PROF_TRACE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#define PROF_NO_FUNC UINT32_MAX

enum prof_call_kind {
  PROF_CALL_ENTRY = 1, /* 1 to 3 are sftrace's */
  PROF_CALL_EXIT = 2,
  PROF_CALL_TAIL = 3,
  PROF_CALL_UNSEEN = 4,
  PROF_CALL_OPEN = 5,    /* in struct prof_call_end alone: no event */
  PROF_CALL_SPAWNED = 6, /* after an entry: who handed that job over, on whatever thread */
};

struct prof_call_event {
  uint64_t time_ns;
  uint64_t frame;      /* of the call, from 1; numbered in the order of their entries */
  uint64_t parent;     /* frame of the caller, 0: none is traced; of SPAWNED the spawner's */
  uint64_t spawned_ns; /* of SPAWNED: when, and on which thread */
  uint32_t tid, func, spawner_tid;
  uint8_t kind;
};

struct prof_call_end {
  uint64_t total_ns, self_ns; /* 0 where how is UNSEEN or OPEN */
  uint32_t func, caller;      /* PROF_NO_FUNC: none is traced */
  uint32_t spawner;           /* of a job: who handed it over from elsewhere; PROF_NO_FUNC */
  uint8_t how;                /* EXIT, TAIL, UNSEEN, OPEN */
  bool is_outermost;          /* no call of the same function is open below it */
  bool is_crossed; /* called by a job, and charged to `caller`, which handed the job over */
};

#endif
