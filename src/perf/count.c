#include "perf/count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "perf/count_open.h"
#include "perf/cpus.h"

static int parse_events(struct prof_count *self, const char *text, struct prof_error *error) {
  struct prof_events_item items[PROF_EVENTS_MAX];
  int count = prof_events_split(text, items, error);
  for (int i = 0; i < count; i++) {
    struct prof_count_event *event = &self->events[i];
    int status = prof_event_parse_on(self->os, items[i].text, &event->event, error);
    if (status)
      return status;
    if (event->event.in_kernel_only && event->event.exclude_kernel)
      return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                            "'%s' never happens in user mode: leave out ':u'", items[i].text);
    /* Precision is a sample's, and counters without samples refuse it (x86, 6.18). */
    event->event.precise_ip = 0;
    prof_event_rename(&event->event);
    memcpy(event->requested, items[i].text, sizeof event->requested);
    event->group = items[i].group;
  }
  self->count = count > 0 ? (size_t)count : 0;
  return count < 0 ? count : 0;
}

/* Hybrid machines: what the generic hardware events need in config for each kind of core. */
static void find_variants(struct prof_count *self) {
  int cpus[PROF_CPUS_MAX], count = prof_os_cpus(self->os, cpus, PROF_CPUS_MAX);
  for (int i = 0; i < count; i++) {
    uint64_t variant = prof_pmu_hybrid_config(self->os, cpus[i]);
    int at = 0;
    while (at < self->variant_count && self->variants[at] != variant)
      at++;
    if (at == self->variant_count && at < COUNT_VARIANTS)
      self->variants[self->variant_count++] = variant;
  }
}

int prof_count_open(const struct prof_os *os, const struct prof_count_options *options,
                    struct prof_count **out, struct prof_error *error) {
  struct prof_count *self = calloc(1, sizeof *self);
  int status;
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for counters");
  self->os = os;
  self->scope = options->scope;
  self->pid = options->pid;
  find_variants(self);
  status = parse_events(self, options->events, error);
  if (!status && self->scope == PROF_COUNT_CPUS) {
    int found = prof_cpus_choose(os, options->cpus, self->cpus, PROF_CPUS_MAX, error);
    self->cpu_count = found > 0 ? found : 0;
    status = found < 0 ? found : 0;
  }
  if (!status)
    status = prof_count_settle(self, options->optional, error);
  if (!status)
    status = prof_count_attach(self, error);
  if (status) {
    prof_count_close(self);
    return status;
  }
  *out = self;
  return 0;
}

void prof_count_close(struct prof_count *self) {
  if (!self)
    return;
  prof_count_detach(self);
  free(self->targets);
  free(self->fds);
  free(self->tids);
  free(self);
}

/* Leaders take their groups along. The calling thread comes last when counting begins and first
 * when it ends, for the same reason as in read. */
static void switch_all(struct prof_count *self, unsigned long request, bool own_first) {
  for (int pass = 0; pass < 2; pass++)
    for (size_t t = 0; t < self->target_count; t++) {
      if (self->targets[t].is_own != (own_first == (pass == 0)))
        continue;
      for (size_t slot = 0; slot < prof_count_slots(self); slot++) {
        size_t event = slot % self->count;
        int fd = self->fds[t * prof_count_slots(self) + slot];
        if (fd >= 0 && self->leaders[event] == (int)event)
          self->os->ioctl(self->os->user, fd, request, 0);
      }
    }
}

void prof_count_enable(struct prof_count *self) {
  switch_all(self, PERF_EVENT_IOC_ENABLE, false);
}

void prof_count_disable(struct prof_count *self) {
  switch_all(self, PERF_EVENT_IOC_DISABLE, true);
}

size_t prof_count_size(const struct prof_count *self) {
  return self->count;
}

const struct prof_count_event *prof_count_event(const struct prof_count *self, size_t index) {
  return &self->events[index];
}

const struct prof_plan_note *prof_count_notes(const struct prof_count *self, int *count) {
  *count = self->plan.note_count;
  return self->plan.notes;
}

static void read_target(const struct prof_count *self, size_t target,
                        struct prof_count_value *values) {
  for (size_t slot = 0; slot < prof_count_slots(self); slot++) {
    struct prof_count_value *value = &values[slot % self->count];
    uint64_t words[3];
    int fd = self->fds[target * prof_count_slots(self) + slot];
    if (fd < 0 || self->os->read_words(self->os->user, fd, words, 3) < 0)
      continue;
    value->value += words[0];
    /* A hybrid thread's turns are one time, spent on one kind of core or the other. */
    value->enabled_ns += slot < self->count ? words[1] : 0;
    value->running_ns += words[2];
  }
}

void prof_count_read(const struct prof_count *self, bool ending, struct prof_count_value *values) {
  memset(values, 0, self->count * sizeof *values);
  for (int pass = 0; pass < 2; pass++)
    for (size_t t = 0; t < self->target_count; t++)
      if (self->targets[t].is_own == (ending == (pass == 0)))
        read_target(self, t, values);
}
