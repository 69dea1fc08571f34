#include "session/survey.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/array.h"
#include "code/kernel.h"

enum { PROCESSES_MAX = 1 << 16 };

static struct prof_survey_process *process_of(struct prof_survey *self, uint32_t pid) {
  uint32_t index = prof_table_get(&self->process_of, pid);
  if (index != PROF_TABLE_NONE)
    return &self->processes[index];
  if (self->count == PROCESSES_MAX ||
      prof_array_reserve((void **)&self->processes, &self->capacity, self->count + 1,
                         sizeof *self->processes) ||
      prof_table_put(&self->process_of, pid, (uint32_t)self->count))
    return NULL;
  self->processes[self->count] = (struct prof_survey_process){.pid = pid};
  return &self->processes[self->count++];
}

static bool is_dummy(const struct prof_data_event *event) {
  return event->attr.type == PERF_TYPE_SOFTWARE && event->attr.config == PERF_COUNT_SW_DUMMY;
}

static void survey_sample(struct prof_survey *self, const struct prof_data_event *event,
                          const struct prof_record *record) {
  if (event != self->event) {
    self->other_events++;
    if (!self->other_event)
      self->other_event = event;
    return;
  }
  struct prof_survey_process *process =
      record->pid == UINT32_MAX ? NULL : process_of(self, record->pid);
  if (process)
    process->samples++;
  self->samples++;
  if (!self->first_ns || record->time_ns < self->first_ns)
    self->first_ns = record->time_ns;
  if (record->time_ns > self->last_ns)
    self->last_ns = record->time_ns;
  self->has_kernel_samples |= record->sample.in_kernel;
  self->has_dumps |= record->sample.stack_bytes != 0;
  self->has_chains |= record->sample.user_chain_count != 0;
}

static void survey_record(void *user, const struct prof_data_event *event,
                          const struct prof_record *record) {
  struct prof_survey *self = user;
  if (record->type == PERF_RECORD_SAMPLE) {
    survey_sample(self, event, record);
  } else if (record->type == PERF_RECORD_FORK && record->pid != record->task.ppid) {
    struct prof_survey_process *process = process_of(self, record->pid);
    if (process) {
      process->parent = record->task.ppid;
      process->forked_ns = record->time_ns;
    }
  } else if ((record->type == PERF_RECORD_MMAP || record->type == PERF_RECORD_MMAP2) &&
             strncmp(record->mmap.path, "[kernel.kallsyms]", 17) == 0) {
    self->kernel_text = record->mmap.offset; /* perf keeps the symbol's address there */
    snprintf(self->kernel_symbol, sizeof self->kernel_symbol, "%s", record->mmap.path + 17);
  }
}

/* "cycles" asks for "cycles:u" too. */
static bool is_event(const char *wanted, const char *name) {
  size_t length = strcspn(name, ":");
  return strcmp(wanted, name) == 0 || (strlen(wanted) == length && !strncmp(wanted, name, length));
}

static int find_event(struct prof_survey *self, const char *event, struct prof_error *error) {
  const struct prof_datahead *head = self->head;
  char names[256] = "";
  for (size_t i = 0; i < head->event_count && !self->event; i++)
    if (is_event(event, head->events[i].name))
      self->event = &head->events[i];
  if (self->event)
    return PROF_OK;
  for (size_t i = 0, used = 0; i < head->event_count && used < sizeof names; i++) {
    int made =
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", head->events[i].name);
    used += made > 0 ? (size_t)made : 0;
  }
  return prof_error_set(error, PROF_BAD_EVENT, 0, NULL, "this perf.data has no event %s: it has %s",
                        event, names);
}

static void count_samples(void *user, const struct prof_data_event *event,
                          const struct prof_record *record) {
  struct prof_survey *self = user;
  if (record->type == PERF_RECORD_SAMPLE && event)
    self->has_samples[event - self->head->events] = 1;
}

/* Of several, which have samples is known after a pass over all of them. */
static int choose_event(struct prof_survey *self, struct prof_datafile *file,
                        struct prof_error *error) {
  const struct prof_datahead *head = self->head;
  if (head->event_count == 1) {
    self->event = head->events;
    return PROF_OK;
  }
  int status = prof_datafile_scan(file, count_samples, self, error);
  for (size_t i = 0; i < head->event_count && !self->event; i++)
    if (self->has_samples[i] && !is_dummy(&head->events[i]))
      self->event = &head->events[i];
  return status;
}

int prof_survey_file(struct prof_survey *self, struct prof_datafile *file, const char *event,
                     struct prof_error *error) {
  *self = (struct prof_survey){.head = prof_datafile_head(file)};
  int status = event ? find_event(self, event, error) : choose_event(self, file, error);
  if (!status)
    status = prof_datafile_scan(file, survey_record, self, error);
  self->is_cut = prof_datafile_counts(file).is_cut;
  return status;
}

void prof_survey_free(struct prof_survey *self) {
  free(self->processes);
  prof_table_free(&self->process_of);
}

/* A process that did not call exec has its parent's mappings. */
static void find_ancestors(struct prof_survey *self, const struct prof_survey_process *of) {
  uint64_t until_ns = of->forked_ns;
  for (uint32_t pid = of->parent; pid && self->ancestor_count < PROF_SURVEY_ANCESTORS;) {
    uint32_t index = prof_table_get(&self->process_of, pid);
    self->ancestors[self->ancestor_count++] = (struct prof_survey_ancestor){pid, until_ns};
    if (index == PROF_TABLE_NONE)
      break;
    until_ns = self->processes[index].forked_ns;
    pid = self->processes[index].parent;
  }
}

const struct prof_survey_process *prof_survey_choose(struct prof_survey *self, uint32_t wanted,
                                                     struct prof_error *error) {
  const struct prof_survey_process *most = NULL;
  for (size_t i = 0; i < self->count; i++) {
    const struct prof_survey_process *process = &self->processes[i];
    if (process->samples && process->pid && (!wanted || process->pid == wanted) &&
        (!most || process->samples > most->samples))
      most = process;
  }
  if (most)
    find_ancestors(self, most);
  else if (wanted)
    prof_error_set(error, PROF_BAD_FILE, 0, NULL,
                   "this perf.data has no samples of process %" PRIu32, wanted);
  else
    prof_error_set(error, PROF_BAD_FILE, 0, NULL,
                   self->is_cut ? "this perf.data ends in the middle, before its first sample of a "
                                  "process: copy it again, or record it again"
                                : "this perf.data has no samples of a process: record for longer");
  return most;
}

/* Names of this kernel are of use only if its functions stand where they stood: with kernel address
 * randomisation not even after a restart of the same one. */
bool prof_survey_same_kernel(const struct prof_survey *self) {
  const char *release = self->head->os_release;
  struct prof_kernel_symbol symbol;
  struct utsname name;
  if (release[0] && (uname(&name) || strcmp(release, name.release) != 0))
    return false;
  if (!self->kernel_text || !self->kernel_symbol[0])
    return release[0] != 0;
  struct prof_kernel *kernel = prof_kernel_create(NULL);
  bool is_same = kernel && prof_kernel_find(kernel, self->kernel_text, &symbol) &&
                 symbol.start == self->kernel_text;
  prof_kernel_free(kernel);
  return is_same;
}
