/*
 * datasave: writes a perf.data file of one event, record by record, as they came from the rings.
 *
 * The caller hands on whole records of the layout that the attribute asks for, marks the end of
 * each round over all rings, and closes with what is known of the machine by then. The file is made
 * readable by its owner alone; until it is closed its head says that it is empty. One thread.
 * Refuses: paths that are no regular files. A write that fails (disk full) ends the writing: close
 * then leaves what was written as a file that can be read, and says what happened.
 */
#ifndef RSPACK_PROF_PERF_DATASAVE_H
#define RSPACK_PROF_PERF_DATASAVE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "base/status.h"

struct prof_datasave;

struct prof_datasave_facts {
  const char *event_name, *version, *os_release, *arch, *command;
  uint32_t cpus;
  uint64_t first_ns, last_ns;   /* of the samples */
  uint64_t wall_ns, wall_at_ns; /* wall clock at a time of the records' clock */
};

/* 0, or a status whose message names the path. */
int prof_datasave_open(const char *path, const struct perf_event_attr *attr,
                       struct prof_datasave **out, struct prof_error *error);
void prof_datasave_record(struct prof_datasave *self, const struct perf_event_header *record);
/* No record that is written later is older than the newest of the round before this one. */
void prof_datasave_round(struct prof_datasave *self);
/* 0, or the status of the first write that failed. self is gone. facts NULL: nothing is said. */
int prof_datasave_close(struct prof_datasave *self, const struct prof_datasave_facts *facts,
                        struct prof_error *error);

#endif
