/*
 * survey: the first pass over a perf.data: which event and which process are taken, and whether the
 * kernel is this one.
 *
 * The caller provides an open file. Refuses: files without one sample of a process, events and
 * processes that are not in it.
 */
#ifndef RSPACK_PROF_SESSION_SURVEY_H
#define RSPACK_PROF_SESSION_SURVEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/table.h"
#include "perf/datafile.h"

#define PROF_SURVEY_ANCESTORS 8

struct prof_survey_process {
  uint32_t pid, parent;
  uint64_t forked_ns;
  uint64_t samples;
};

/* What the first pass finds out. */
struct prof_survey_ancestor {
  uint32_t pid;
  uint64_t until_ns; /* its child was forked then */
};

struct prof_survey {
  const struct prof_datahead *head;
  const struct prof_data_event *event; /* the wanted one */
  uint8_t has_samples[PROF_DATA_EVENTS_MAX];
  struct prof_survey_process *processes;
  size_t count, capacity;
  struct prof_table process_of;              /* pid -> index */
  uint64_t samples;                          /* of all processes, of the event */
  uint64_t other_events;                     /* samples of events that are not taken */
  const struct prof_data_event *other_event; /* one of those; NULL: there are none */
  uint64_t first_ns, last_ns;
  uint64_t kernel_text; /* where the recorded kernel's reference symbol stood; 0: not said */
  char kernel_symbol[32];
  struct prof_survey_ancestor ancestors[PROF_SURVEY_ANCESTORS]; /* of the chosen process */
  int ancestor_count;
  bool is_cut; /* the file ends in the middle */
  bool has_kernel_samples, has_dumps, has_chains;
};

/* event: the wanted one's name, NULL: the first in the file's list that has samples. 0, or a
 * status: prof_survey_free is fine then too. */
int prof_survey_file(struct prof_survey *self, struct prof_datafile *file, const char *event,
                     struct prof_error *error);
void prof_survey_free(struct prof_survey *self);

/* The process with the most samples, or the wanted one (0: none is); its ancestors are then set. */
const struct prof_survey_process *prof_survey_choose(struct prof_survey *self, uint32_t wanted,
                                                     struct prof_error *error);

/* Names of this kernel fit the recorded addresses. */
bool prof_survey_same_kernel(const struct prof_survey *self);

#endif
