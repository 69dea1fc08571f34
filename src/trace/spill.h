/*
 * spill: the events of calls on disk, packed into chunks as they happen: memory does not grow with
 * their number, and what is on disk is readable whenever the writer ends.
 *
 * A file is PROF_SPILL_MAGIC (16 bytes), then chunks: struct prof_spill_head and its bytes. An
 * event is one byte (its kind), then numbers of 7 bits a byte, lowest first, the top bit saying
 * that more come: the time since the event before (zigzag: a late one may be earlier), the thread's
 * id less that of the event before (zigzag) and, of an entry, its function; of SPAWNED, which is of
 * the thread's innermost open call, the distance of its frame to the spawner's, how many ns
 * before the job was handed over, and the spawner's thread's id less its own (zigzag). Frames and
 * parents are not written: frames are numbered in the order of entries, and an end is always that
 * of its thread's innermost open call (match.h keeps that so). 4 to 6 bytes an event.
 *
 * The caller provides an open descriptor. A write that fails ends the file after its last whole
 * chunk; from then on events are counted in `missed`. Refuses nothing.
 */
#ifndef RSPACK_PROF_TRACE_SPILL_H
#define RSPACK_PROF_TRACE_SPILL_H

#include <stddef.h>
#include <stdint.h>

#include "trace/match.h"

#define PROF_SPILL_MAGIC "rspackprof-call1"
enum { PROF_SPILL_CHUNK_BYTES = 1 << 18 };

struct prof_spill_head {
  uint32_t magic;  /* "CALL" */
  uint32_t events; /* in this chunk */
  uint32_t bytes;  /* that follow */
  uint32_t check;  /* FNV-1a, 32 bits, of those bytes */
};

struct prof_spill {
  int fd;      /* -1: nothing is written */
  int failure; /* errno of the write that failed */
  uint64_t events, bytes, missed;
  uint64_t last_ns;
  uint32_t last_tid;
  uint32_t in_chunk;
  size_t used; /* of chunk, after the head's place */
  unsigned char *chunk;
};

/* Takes fd over. -1 where memory ends (fd is closed). */
int prof_spill_open(struct prof_spill *self, int fd);
void prof_spill_add(struct prof_spill *self, const struct prof_call_event *event);
void prof_spill_flush(struct prof_spill *self); /* what there is becomes a chunk */
void prof_spill_close(struct prof_spill *self);

#endif
