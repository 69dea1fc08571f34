#include "perf/attach.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "perf/attr.h"
#include "perf/attach_set.h"
#include "perf/cpus.h"
#include "perf/mapping.h"
#include "perf/pmu.h"

static int check_options(const struct prof_attach_options *options, struct prof_error *error) {
  size_t bytes = options->ring_bytes;
  if (bytes && (bytes < PROF_RING_BYTES_MIN || bytes > PROF_RING_BYTES_MAX || bytes & (bytes - 1)))
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "ringBytes is %zu: it must be a power of two, %zu to %zu", bytes,
                          PROF_RING_BYTES_MIN, PROF_RING_BYTES_MAX);
  if ((uint32_t)options->sig_data)
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "sig_data has its cookie in the upper 32 bits: the lower get a thread");
  return 0;
}

/* A process in a pid namespace that looks at another one's /proc would find its threads under
 * numbers that are other processes' here, and send them our signals. */
static int check_proc(const struct prof_os *os, struct prof_error *error) {
  long own = prof_os_number(os, "/proc/self/stat", getpid());
  if (own == getpid())
    return 0;
  return prof_error_set(error, PROF_SYSTEM, 0, NULL,
                        "this is process %d, and %ld in /proc, which is another pid namespace's: "
                        "mount its own, as `unshare --pid --fork --mount-proc` does",
                        getpid(), own);
}

static int prepare(struct prof_attach *self, const int *cpus, int cpu_count) {
  int events = 1 + self->plan.extra_count;
  self->cpu_count = cpu_count;
  self->rings = calloc((size_t)self->cpu_count, sizeof *self->rings);
  self->hybrid = calloc((size_t)self->cpu_count, sizeof *self->hybrid);
  self->scratch = aligned_alloc(64, PROF_RING_SCRATCH_BYTES);
  self->leaders = calloc((size_t)(cpu_count * events), sizeof *self->leaders);
  if (!self->rings || !self->hybrid || !self->scratch || !self->leaders ||
      prof_owners_reserve_turn(&self->owners))
    return -1;
  for (int i = 0; i < self->cpu_count; i++) {
    self->rings[i] = (struct prof_ring){.fd = -1, .cpu = cpus[i]};
    self->hybrid[i] = prof_pmu_hybrid_config(self->os, cpus[i]);
  }
  return 0;
}

int prof_attach_open(const struct prof_os *os, const struct prof_attach_options *options,
                     struct prof_attach **out, struct prof_error *error) {
  struct prof_attach *self;
  struct perf_event_attr attr;
  int cpus[PROF_CPUS_MAX], cpu_count = 0;
  int found = check_options(options, error);
  if (!found)
    found = check_proc(os, error);
  if (!found)
    found = cpu_count = prof_cpus_choose(os, options->cpus, cpus, PROF_CPUS_MAX, error);
  if (found < 0)
    return found;
  self = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the events");
  self->os = os;
  self->plan = options->plan;
  self->sig_data = options->sig_data;
  self->skip_tid = options->skip_tid;
  prof_files_init(&self->files, os);
  prof_attr_fill(&self->plan, 0, &attr);
  prof_record_layout_of(&attr, &self->layout);
  self->ring_bytes = options->ring_bytes ? options->ring_bytes : prof_mapping_bytes(&self->plan);
  if (prepare(self, cpus, cpu_count)) {
    prof_attach_close(self);
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the events");
  }
  found = prof_attach_set_open(self, options->frequency ? options->frequency : self->plan.frequency,
                               error);
  if (found < 0) {
    prof_attach_close(self);
    return found;
  }
  prof_owners_turn(&self->owners, found, 0);
  *out = self;
  return 0;
}

static void control(struct prof_attach *self, struct event_set *set, bool enabled) {
  unsigned long request = enabled ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE;
  for (size_t i = 0; i < set->fd_count; i++)
    self->os->ioctl(self->os->user, set->fds[i], request, 0);
  set->enabled = enabled;
}

void prof_attach_enable(struct prof_attach *self) {
  control(self, &self->sets[self->current], true);
}

void prof_attach_disable(struct prof_attach *self) {
  for (int i = 0; i < self->set_count; i++)
    control(self, &self->sets[i], false);
}

int prof_attach_scan(struct prof_attach *self) {
  return prof_attach_set_scan(self, &self->sets[self->current], NULL);
}

int prof_attach_change(struct prof_attach *self, uint32_t frequency, struct prof_error *error) {
  int before = self->current, index = 0;
  bool is_new;
  while (index < self->set_count && self->sets[index].frequency != frequency)
    index++;
  is_new = index == self->set_count;
  if (index == before || index == PROF_SETS_MAX)
    return 0;
  if (prof_owners_reserve_turn(&self->owners))
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for another rate");
  if (is_new)
    index = prof_attach_set_open(self, frequency, error);
  if (index < 0)
    return index;
  control(self, &self->sets[index], true);
  if (is_new)
    prof_attach_set_scan(self, &self->sets[index], NULL);
  /* Both sets run here. Records of the one before it until now count, those of the other after. */
  prof_owners_turn(&self->owners, index, prof_now_ns());
  self->current = index;
  control(self, &self->sets[before], false);
  return 0;
}

void prof_attach_confirm(struct prof_attach *self) {
  for (int i = 0; i < self->set_count; i++)
    control(self, &self->sets[i], self->sets[i].enabled);
}

uint32_t prof_attach_frequency(const struct prof_attach *self) {
  return self->sets[self->current].frequency;
}

size_t prof_attach_turns(const struct prof_attach *self) {
  return self->owners.turn_count;
}

uint64_t prof_attach_turn(const struct prof_attach *self, size_t index, uint32_t *frequency) {
  const struct prof_turn *turn = &self->owners.turns[index];
  *frequency = self->sets[turn->set].frequency;
  return turn->from_ns;
}

void prof_attach_close(struct prof_attach *self) {
  if (!self)
    return;
  if (self->rings)
    prof_mapping_unmap(self->os, self->rings, self->cpu_count);
  while (self->set_count)
    prof_attach_set_close(self, --self->set_count);
  prof_files_restore(&self->files, self->os);
  prof_owners_free(&self->owners);
  free(self->rings);
  free(self->hybrid);
  free(self->scratch);
  free(self->leaders);
  prof_table_free(&self->event_of);
  free(self->tids);
  free(self);
}

int prof_attach_ring_count(const struct prof_attach *self) {
  return self->cpu_count;
}

struct prof_ring *prof_attach_ring(struct prof_attach *self, int index) {
  return &self->rings[index];
}

int prof_attach_fd_count(const struct prof_attach *self) {
  return (int)prof_attach_set_fds(self);
}

int prof_attach_thread_count(const struct prof_attach *self) {
  return self->sets[self->current].thread_count;
}

const struct prof_plan *prof_attach_plan(const struct prof_attach *self) {
  return &self->plan;
}

const struct prof_record_layout *prof_attach_layout(const struct prof_attach *self) {
  return &self->layout;
}

bool prof_attach_is_double(const struct prof_attach *self, uint64_t id, uint32_t tid) {
  return prof_owners_is_double(&self->owners, id, tid);
}

bool prof_attach_drops(struct prof_attach *self, const struct prof_record *record) {
  bool drops = false;
  switch (record->type) {
  case PERF_RECORD_SAMPLE:
  case PERF_RECORD_MMAP:
  case PERF_RECORD_MMAP2:
  case PERF_RECORD_COMM:
  case PERF_RECORD_FORK:
  case PERF_RECORD_EXIT:
  case PERF_RECORD_SWITCH:
    drops = prof_owners_is_double(&self->owners, record->id, record->writer_tid) ||
            prof_owners_is_out_of_turn(&self->owners, record->id, record->time_ns) ||
            prof_owners_is_second(&self->owners, record->id, record->writer_tid,
                                  record->type != PERF_RECORD_EXIT);
    break;
  default: /* of the ring, or of one event each */
    break;
  }
  if (record->type == PERF_RECORD_FORK && !drops)
    prof_owners_born(&self->owners, record->tid);
  return drops;
}

void prof_attach_thread_ended(struct prof_attach *self, uint32_t tid) {
  prof_owners_ended(&self->owners, tid);
}
