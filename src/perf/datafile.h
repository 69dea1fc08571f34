/*
 * datafile: reads a perf.data file, perf's own or one of ours: its head, and its records decoded,
 * in the order of the file or of time.
 *
 * The caller provides a path; the file is read with pread, never mapped, so that one that shrinks
 * gives a short read and no SIGBUS. Both layouts: a file with a header, and what `perf record -o -`
 * pipes. A file that was cut off (perf killed, disk full) is read up to there and is_cut is set.
 * Refuses (PROF_BAD_FILE, with what to do): other magics, big-endian files, files without events,
 * compressed records (perf record -z). A record that does not decode is counted in malformed.
 */
#ifndef RSPACK_PROF_PERF_DATAFILE_H
#define RSPACK_PROF_PERF_DATAFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "perf/datahead.h"
#include "perf/record.h"

struct prof_datafile;

struct prof_datafile_counts {
  uint64_t records, malformed;
  uint64_t unknown; /* samples whose id is of no event */
  uint64_t late;    /* records from before what their round had flushed */
  bool is_cut;
};

int prof_datafile_open(const char *path, struct prof_datafile **out, struct prof_error *error);
void prof_datafile_close(struct prof_datafile *self); /* NULL is fine */

const struct prof_datahead *prof_datafile_head(const struct prof_datafile *self);
uint64_t prof_datafile_modified_ns(const struct prof_datafile *self); /* when it was written last */

/* event: of the record's id, NULL where it has none of the file's. The record lives during the
 * call. Records of perf's own (types from 64 up) are not shown. */
typedef void prof_datafile_visit(void *user, const struct prof_data_event *event,
                                 const struct prof_record *record);

/* All records from the start, as they stand in the file. 0 or a status. */
int prof_datafile_scan(struct prof_datafile *self, prof_datafile_visit *visit, void *user,
                       struct prof_error *error);

/* The same in order of time: rounds as perf marks them are put in order in memory. */
int prof_datafile_replay(struct prof_datafile *self, prof_datafile_visit *visit, void *user,
                         struct prof_error *error);

/* Of the last scan or replay. */
struct prof_datafile_counts prof_datafile_counts(const struct prof_datafile *self);

#endif
