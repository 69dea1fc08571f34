/*
 * datahead: what stands before and behind the records of a perf.data file: the attributes of its
 * events with their ids, build ids, and the facts about the machine. Pure: bytes in, struct out.
 *
 * The caller provides bytes of the file, cut to what is there. Every number in them is hostile
 * until checked here; a feature that does not parse is left out, since no record depends on it.
 * Refuses: more than PROF_DATA_EVENTS_MAX events, more than PROF_DATA_IDS_MAX ids (-1).
 */
#ifndef RSPACK_PROF_PERF_DATAHEAD_H
#define RSPACK_PROF_PERF_DATAHEAD_H

#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "base/table.h"
#include "perf/dataform.h"
#include "perf/record.h"

#define PROF_DATA_EVENTS_MAX 1024
#define PROF_DATA_IDS_MAX (1u << 20)

struct prof_data_event {
  struct perf_event_attr attr;
  struct prof_record_layout layout;
  char name[96]; /* "" where the file does not say */
};

struct prof_data_build_id {
  uint32_t pid; /* UINT32_MAX: the kernel's or everybody's */
  uint8_t bytes[20], size;
  char *path; /* malloc'ed */
};

struct prof_datahead {
  struct prof_data_event *events;
  size_t event_count, event_capacity;
  struct prof_table event_of; /* id -> index */
  struct prof_data_build_id *build_ids;
  size_t build_id_count, build_id_capacity;
  char os_release[65], version[64]; /* of the kernel; of perf (or of the program that wrote it) */
  char arch[65];                    /* uname's word for the machine, "" unknown */
  char command[256];
  uint32_t cpus;                /* online, 0 unknown */
  uint64_t first_ns, last_ns;   /* of the samples, 0 unknown */
  uint64_t wall_ns, wall_at_ns; /* wall clock at a time of the records' clock, 0 unknown */
};

void prof_datahead_free(struct prof_datahead *self);

/* One event; bytes: its attr, as long as the file says. 0, or -1. */
int prof_datahead_event(struct prof_datahead *self, const unsigned char *attr, size_t attr_bytes);
/* ids of the event at index. 0, or -1. */
int prof_datahead_ids(struct prof_datahead *self, size_t index, const unsigned char *ids,
                      size_t bytes);
void prof_datahead_feature(struct prof_datahead *self, unsigned feature, const unsigned char *bytes,
                           size_t size);

/* The event of an id; the only one where there is one; NULL: not known. */
const struct prof_data_event *prof_datahead_find(const struct prof_datahead *self, uint64_t id);

#endif
