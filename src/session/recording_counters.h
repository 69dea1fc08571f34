/*
 * recording_counters: what went wrong with single samples of a recording, and what it read.
 *
 * session/recording.h gives them. Refuses: nothing.
 */
#ifndef RSPACK_PROF_SESSION_RECORDING_COUNTERS_H
#define RSPACK_PROF_SESSION_RECORDING_COUNTERS_H

#include <stdint.h>

/* A sample's `reason`, where it is broken: enum prof_walk_end, or this plus enum prof_join_fate. */
enum { PROF_REASON_JOIN = 16 };

struct prof_recording_counters {
  uint64_t lost;      /* records that the kernel had no room for */
  uint64_t throttled; /* times */
  uint64_t doubles;   /* samples dropped: their thread had the event twice */
  uint64_t malformed, no_memory;
  uint64_t handler_dropped; /* walks that found no room */
  uint64_t handler_ns, signals;
  uint64_t spared;      /* walks of one frame, so that the thread gets on (stack/fair.h) */
  uint64_t unmatched;   /* walks that no sample asked for */
  uint64_t ring_bytes;  /* read from the rings */
  uint64_t passed_on;   /* SIGTRAPs that were not ours: whoever had the signal before got them */
  uint64_t late;        /* records from before those that had been worked on */
  uint64_t jit_dropped; /* V8's events about its code that found no room */
  uint64_t unnamed_interpreter; /* interpreted frames whose bytecode is not known */
  uint64_t refused_modules;     /* executable mappings of files that are no ELF files we can read */
  uint64_t refused_tables;      /* modules whose symbol table is malformed or not to be read */
};

#endif
