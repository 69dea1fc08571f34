#include "session/replay.h"

#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "perf/datafile.h"
#include "session/elsewhere.h"
#include "session/follow.h"
#include "session/recording.h"
#include "session/survey.h"

enum {
  DEFAULT_MAX_CHAIN = 127, /* kernel.perf_event_max_stack, where the event does not say */
  USER_BITS = 47
};

struct replay {
  struct prof_recording recording;
  struct prof_elsewhere elsewhere;
  struct prof_survey survey;
  struct prof_datafile *file;
  const struct prof_replay_options *options;
  uint32_t pid;
  char folder[PATH_MAX]; /* of the file, with its slash */
};

/* --- the second pass: records into the stages --- */

static bool is_ours(const struct replay *self, const struct prof_record *record) {
  if (record->pid == self->pid)
    return true;
  for (int i = 0; i < self->survey.ancestor_count; i++)
    if (record->pid == self->survey.ancestors[i].pid &&
        record->time_ns < self->survey.ancestors[i].until_ns)
      return true;
  return false;
}

/* The whole of it at once: a perf-map says nothing of times; where code took another's place, the
 * later line is believed, as perf does. */
static int read_perf_map(struct replay *self, struct prof_error *error) {
  struct prof_recording *recording = &self->recording;
  struct prof_perfmap *map = &recording->perfmap;
  char path[PATH_MAX];
  int status = PROF_OK;
  prof_perfmap_close(map);
  if (self->options->perf_map) {
    status = prof_perfmap_open(map, self->options->perf_map, error);
  } else {
    int length = snprintf(path, sizeof path, "%sperf-%" PRIu32 ".map", self->folder, self->pid);
    if (length < 0 || (size_t)length >= sizeof path || prof_perfmap_open(map, path, NULL)) {
      snprintf(path, sizeof path, "/tmp/perf-%" PRIu32 ".map", self->pid);
      prof_perfmap_open(map, path, NULL);
    }
  }
  prof_perfmap_read(map, recording->space, &recording->arena);
  if (map->added) /* JIT code: frame pointers */
    atomic_store(&recording->unwind.v8, &self->elsewhere.v8);
  return status;
}

/* Another program in the same process: nothing of the one before is mapped any more. */
static void replay_exec(struct replay *self) {
  prof_space_unmap(self->recording.space, 0, 1ull << USER_BITS);
  self->elsewhere.has_v8 = false;
  prof_filecode_free(&self->elsewhere.code);
  read_perf_map(self, NULL);
}

static void replay_mmap(struct replay *self, const struct prof_record *record) {
  struct prof_recording *recording = &self->recording;
  const char *path = record->mmap.path;
  uint64_t start = record->mmap.start, length = record->mmap.length;
  const unsigned char *id = record->mmap.build_id;
  size_t id_bytes = record->mmap.build_id_bytes;
  const struct prof_datahead *head = prof_datafile_head(self->file);
  if (!record->mmap.executable || start >> USER_BITS || length > UINT64_MAX - start)
    return;
  if (strcmp(path, "[vdso]") == 0)
    prof_elsewhere_map_vdso(&self->elsewhere, start, length);
  if (path[0] != '/' || path[1] == '/') /* "//anon": V8's own code */
    return;
  for (size_t i = 0; !id && i < head->build_id_count; i++) {
    if (strcmp(head->build_ids[i].path, path) == 0) {
      id = head->build_ids[i].bytes;
      id_bytes = head->build_ids[i].size;
    }
  }
  path = prof_elsewhere_find(&self->elsewhere, path, self->folder, id, id_bytes);
  if (!path)
    return;
  int index = prof_modules_mapped(recording->modules, recording->space, start, length,
                                  record->mmap.offset, path);
  if (index < 0)
    return;
  prof_elsewhere_map(&self->elsewhere, path, start, length, record->mmap.offset,
                     prof_modules_at(recording->modules, (size_t)index)->bias);
  if (self->elsewhere.has_v8)
    atomic_store(&recording->unwind.v8, &self->elsewhere.v8);
}

static void replay_sample(struct replay *self, const struct prof_data_event *event,
                          const struct prof_record *record) {
  struct prof_record sample = *record;
  if (event != self->survey.event)
    return;
  if (!(event->layout.sample_type & PERF_SAMPLE_PERIOD))
    sample.sample.period = event->attr.freq ? 1 : event->attr.sample_period;
  prof_follow_decoded(&self->recording, &sample);
}

static void replay_record(void *user, const struct prof_data_event *event,
                          const struct prof_record *record) {
  struct replay *self = user;
  switch (record->type) {
  case PERF_RECORD_MMAP:
  case PERF_RECORD_MMAP2:
    if (is_ours(self, record))
      replay_mmap(self, record);
    break;
  case PERF_RECORD_SAMPLE:
    if (record->pid == self->pid)
      replay_sample(self, event, record);
    break;
  case PERF_RECORD_LOST:
  case PERF_RECORD_LOST_SAMPLES:
  case PERF_RECORD_THROTTLE: /* of a CPU: whose they would have been is not known */
    prof_follow_decoded(&self->recording, record);
    break;
  case PERF_RECORD_COMM:
    if (record->pid == self->pid && record->comm.exec)
      replay_exec(self);
    /* fall through */
  default:
    if (record->pid == self->pid)
      prof_follow_decoded(&self->recording, record);
    break;
  }
}

/* --- around them --- */

static void describe_plan(const struct replay *self, struct prof_plan *plan) {
  const struct perf_event_attr *attr = &self->survey.event->attr;
  const char *generic = prof_event_generic(attr->type, attr->config);
  const char *name = self->survey.event->name;
  struct prof_event *event = &plan->event;
  if (!name[0])
    name = generic ? generic : "event";
  snprintf(event->name, sizeof event->name, "%s", name);
  snprintf(plan->requested, sizeof plan->requested, "%s", name);
  bool is_clock = attr->type == PERF_TYPE_SOFTWARE && (attr->config == PERF_COUNT_SW_CPU_CLOCK ||
                                                       attr->config == PERF_COUNT_SW_TASK_CLOCK);
  bool is_cycles =
      attr->type == PERF_TYPE_HARDWARE && (uint32_t)attr->config == PERF_COUNT_HW_CPU_CYCLES;
  snprintf(event->unit, sizeof event->unit, "%s",
           is_clock                                       ? "ns"
           : is_cycles || strncmp(name, "cycles", 6) == 0 ? "cycles"
                                                          : "events");
  event->type = attr->type;
  event->config = attr->config;
  event->is_hardware = attr->type != PERF_TYPE_SOFTWARE && attr->type != PERF_TYPE_TRACEPOINT;
  plan->frequency = attr->freq ? (uint32_t)attr->sample_freq : 0;
  plan->kernel = self->survey.has_kernel_samples;
  plan->stack_dump = self->survey.has_dumps;
  plan->stack_bytes = attr->sample_stack_user;
  plan->has_pmu = event->is_hardware;
}

static void add_notes(const struct replay *self, bool same_kernel, struct prof_plan *plan) {
  const struct prof_survey *survey = &self->survey;
  const struct prof_elsewhere *elsewhere = &self->elsewhere;
  struct prof_datafile_counts counts = prof_datafile_counts(self->file);
  uint64_t taken = survey->processes[prof_table_get(&survey->process_of, self->pid)].samples;
  if (taken < survey->samples)
    prof_plan_note(plan, "other-processes", "",
                   "%" PRIu64 " of %" PRIu64 " samples are of other processes than %" PRIu32
                   " and left out",
                   survey->samples - taken, survey->samples, self->pid);
  if (survey->other_events)
    prof_plan_note(plan, "other-events", "",
                   "%" PRIu64 " samples of other events are left out%s%.60s", survey->other_events,
                   survey->other_event ? ": one event is taken, the others by --event " : "",
                   survey->other_event ? survey->other_event->name : "");
  if (elsewhere->gone + elsewhere->replaced)
    prof_plan_note(plan, "files-changed", "",
                   "%" PRIu64 " files are gone and %" PRIu64
                   " are not the recorded ones, %.100s first: their frames have no names",
                   elsewhere->gone, elsewhere->replaced, elsewhere->example);
  if (survey->has_kernel_samples && !same_kernel)
    prof_plan_note(plan, "other-kernel", "",
                   "recorded on another kernel or before a restart: its functions have no names");
  if (counts.is_cut)
    prof_plan_note(plan, "file-cut", "", "the file ends in the middle: the rest is missing");
  if (counts.malformed + counts.unknown)
    prof_plan_note(plan, "bad-records", "", "%" PRIu64 " records could not be read",
                   counts.malformed + counts.unknown);
  if (counts.late)
    prof_plan_note(plan, "late-records", "",
                   "%" PRIu64
                   " records are out of order by more than a round: samples near them may "
                   "have the names of other code",
                   counts.late);
  if (elsewhere->refused)
    prof_plan_note(plan, "mappings-refused", "",
                   "%" PRIu64 " mappings are more than are followed, or have tables that cannot be "
                   "read: stacks end there",
                   elsewhere->refused);
  if (self->recording.perfmap.skipped)
    prof_plan_note(plan, "perf-map-lines", "",
                   "%" PRIu64 " lines of the perf-map could not be read: code without names",
                   self->recording.perfmap.skipped);
}

static void stamp(struct replay *self) {
  const struct prof_datahead *head = prof_datafile_head(self->file);
  struct prof_recording *recording = &self->recording;
  recording->start_ns = head->first_ns ? head->first_ns : self->survey.first_ns;
  recording->end_ns = head->last_ns ? head->last_ns : self->survey.last_ns;
  uint64_t length_ns = recording->end_ns - recording->start_ns;
  uint64_t unix_ns = head->wall_ns ? head->wall_ns + (recording->start_ns - head->wall_at_ns)
                                   : prof_datafile_modified_ns(self->file) - length_ns;
  recording->start_unix_ms = unix_ns / 1000000u;
}

static int run(struct replay *self, struct prof_result **out, struct prof_error *error) {
  const struct prof_datahead *head = prof_datafile_head(self->file);
  bool same_kernel = prof_survey_same_kernel(&self->survey);
  uint32_t most = self->survey.event->attr.sample_max_stack;
  struct prof_recording_options recording = {
      .max_words =
          2 * (self->options->max_frames ? self->options->max_frames : PROF_MAX_FRAMES_DEFAULT),
      .replay_pid = self->pid,
      .kernel_path = same_kernel ? NULL : "/dev/null",
      .max_chain = most ? most : DEFAULT_MAX_CHAIN,
      .whole_chains = strncmp(head->version, "rspack-prof", 11) == 0,
  };
  describe_plan(self, &recording.plan);
  int status = prof_recording_open(&self->recording, &recording, error);
  if (status)
    return status;
  prof_elsewhere_init(&self->elsewhere, self->recording.rows, same_kernel);
  self->recording.tail.code = prof_filecode_read;
  self->recording.tail.code_user = &self->elsewhere.code;
  if (recording.whole_chains) /* inlined functions are frames of their own there */
    prof_symbols_inline_budget(self->recording.symbols, 0);
  status = read_perf_map(self, error);
  if (!status) {
    status = prof_datafile_replay(self->file, replay_record, self, error);
  }
  if (!status) {
    prof_follow_finish(&self->recording);
    prof_samples_sort(&self->recording.samples);
    stamp(self);
    add_notes(self, same_kernel, &self->recording.options.plan);
    *out = prof_result_build(&self->recording);
    if (!*out)
      status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the profile");
  }
  if (!status) {
    (*out)->cpus = head->cpus ? (int)head->cpus : (*out)->cpus;
    if (self->survey.has_chains && !self->survey.has_dumps)
      (*out)->call_graph = self->recording.options.whole_chains ? "full" : "fp";
    snprintf((*out)->command, sizeof(*out)->command, "%s", head->command);
    snprintf((*out)->kernel, sizeof(*out)->kernel, "%s", head->os_release);
    if (head->arch[0])
      snprintf((*out)->arch, sizeof(*out)->arch, "%s", head->arch);
  }
  prof_recording_free(&self->recording);
  prof_elsewhere_free(&self->elsewhere);
  return status;
}

/* Absolute: modules are known by absolute paths. */
static void set_folder(struct replay *self) {
  if (!realpath(self->options->path, self->folder))
    self->folder[0] = 0;
  char *slash = strrchr(self->folder, '/');
  if (slash)
    slash[1] = 0;
}

int prof_replay_file(const struct prof_replay_options *options, struct prof_result **out,
                     struct prof_error *error) {
  struct replay *self = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for a replay");
  int status = prof_datafile_open(options->path, &self->file, error);
  if (!status)
    status = prof_survey_file(&self->survey, self->file, options->event, error);
  if (!status) {
    const struct prof_survey_process *process =
        prof_survey_choose(&self->survey, options->pid, error);
    self->pid = process ? process->pid : 0;
    self->options = options;
    set_folder(self);
    status = process ? run(self, out, error) : PROF_BAD_FILE;
  }
  prof_datafile_close(self->file);
  prof_survey_free(&self->survey);
  free(self);
  return status;
}
