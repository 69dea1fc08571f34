#include "session/recording.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "code/jit.h"
#include "perf/cputimer.h"
#include "perf/datasave.h"
#include "session/copied.h"
#include "session/follow.h"
#include "session/landmarks.h"
#include "session/offcpu.h"
#include "session/rawfile.h"
#include "session/stages.h"
#include "session/timers.h"
#include "stack/sampler.h"

enum {
  /* Walks not drained yet. A CPU leaves 2 MB a second at 4000 Hz and 50 frames, 60 MB at 2,000
   * frames; it wakes the drain at a quarter of this. All of it is touched in time, so many CPUs
   * share. */
  WALK_BYTES_PER_CPU = 4 << 20,
  WALK_BYTES_MAX = 64 << 20,
  RESIDENT_NS = 40000000, /* each drain, at most */
  PREFETCH_NS = 2000000,  /* of 50 ms: 4 % of one CPU while there is something new */
};

static size_t walk_bytes(void) {
  size_t bytes = WALK_BYTES_PER_CPU * (size_t)sysconf(_SC_NPROCESSORS_CONF);
  return bytes < WALK_BYTES_MAX ? bytes : WALK_BYTES_MAX;
}

static int arm(struct prof_recording *self, struct prof_error *error) {
  const struct prof_sampler_options sampler = {
      .unwind = &self->unwind,
      .max_words = self->options.plan.sigtrap ? self->options.max_words : 1,
      .buffer_bytes = walk_bytes(),
      .wake = self->options.wake,
      .user = self->options.wake_user,
  };
  return prof_sampler_arm(&sampler, error);
}

static int open_timers(struct prof_recording *self, struct prof_error *error) {
  if (self->options.budget_percent > 0) {
    self->options.budget_percent = 0;
    prof_plan_note(&self->options.plan, "budget-not-kept", "",
                   "the budget is not kept: timers of CPU time have one rate");
  }
  int status = arm(self, error);
  return status ? status : prof_timers_open(self, error);
}

/* errno for prof_cputimer_plan of what attach could not get; 0: timers would not help. */
static int why_not_attached(const struct prof_error *error) {
  switch (error->status) {
  case PROF_TOO_MANY_FILES:
    return EMFILE;
  case PROF_MEMORY_LOCK:
    return ENOMEM;
  case PROF_PERMISSION:
    return error->sys_errno;
  case PROF_SYSTEM:
    return access("/proc/self/task", R_OK) ? ENOENT : 0;
  default:
    return 0;
  }
}

static void disarm(struct prof_recording *self) {
  self->is_held |= !prof_sampler_disarm();
}

static int open_events(struct prof_recording *self, struct prof_error *error) {
  int status = PROF_OK;
  struct prof_plan *plan = &self->options.plan;
  struct prof_error refused = {0};
  if (plan->timers)
    return open_timers(self, error);
  uint32_t frequency = prof_meter_open(&self->meter, self->options.budget_percent, plan);
  if (self->options.budget_percent <= 0)
    prof_meter_lower(&self->meter, frequency, "the build", plan);
  if (plan->sigtrap)
    status = arm(self, error);
  const struct prof_attach_options attach = {
      .plan = *plan,
      .ring_bytes = self->options.ring_bytes,
      .sig_data = prof_sampler_cookie(),
      .skip_tid = self->options.skip_tid,
      .frequency = frequency,
      .cpus = self->options.cpus,
  };
  if (status)
    return status;
  status = prof_attach_open(&prof_os_real, &attach, &self->attach, &refused);
  if (!status)
    return PROF_OK;
  disarm(self);
  /* Timers see no waits: who asked for these is told instead, as who asked for a period (a plan
   * that keeps a frequency beside it was not asked for one). */
  bool has_rate = !plan->period_events || plan->frequency;
  if (plan->switches == PROF_SWITCHES_NONE && !plan->extra_count && has_rate &&
      prof_cputimer_plan(&prof_os_real, plan, why_not_attached(&refused), plan)) {
    plan->period_events = 0;
    return open_timers(self, error);
  }
  *error = refused;
  return status;
}

int prof_recording_open(struct prof_recording *self, const struct prof_recording_options *options,
                        struct prof_error *error) {
  memset(self, 0, sizeof *self);
  self->options = *options;
  prof_journal_init(&self->journal, options->journal, options->about);
  int status = prof_stages_open(self, error);
  if (status)
    prof_recording_free(self);
  return status;
}

static void silence(struct prof_recording *self) {
  if (self->timers)
    prof_timers_stop(self);
  else
    prof_attach_disable(self->attach);
}

int prof_recording_start(struct prof_recording *self, const struct prof_recording_options *options,
                         struct prof_error *error) {
  int status = prof_recording_open(self, options, error);
  if (!status) {
    prof_landmarks_publish(self);
    prof_landmarks_find(self);
    if (!options->has_jit)
      prof_perfmap_open(&self->perfmap, NULL, NULL);
    status = open_events(self, error);
  }
  if (status) {
    disarm(self);
    prof_recording_free(self);
    return status;
  }
  prof_follow_threads(self);
  prof_rawfile_begin(self);
  self->start_unix_ms = prof_clock_ns(CLOCK_REALTIME) / 1000000u;
  self->start_ns = prof_now_ns();
  if (self->timers) {
    prof_timers_begin(self);
  } else {
    prof_attach_enable(self->attach);
    prof_attach_scan(self->attach);
    prof_offcpu_begin(self);
  }
  if (self->options.memory) {
    prof_resident_open(&self->resident, RESIDENT_NS);
    prof_resident_look(&self->resident, self->start_ns);
  }
  prof_meter_begin(&self->meter);
  status = prof_allocations_begin(self, error);
  if (status) {
    silence(self);
    disarm(self);
    prof_recording_free(self);
  }
  return status;
}

static void push_record(void *user, const struct perf_event_header *header, int cpu) {
  struct prof_recording *self = user;
  const struct prof_record_layout *layout = prof_attach_layout(self->attach);
  struct prof_record record;
  uint64_t time_ns;
  self->counters.ring_bytes += header->size;
  if (prof_record_time(layout, header, &time_ns)) {
    self->counters.malformed++;
    return;
  }
  /* What cannot be decoded is counted when its turn comes. */
  if (self->options.plan.stack_dump && !prof_record_decode(layout, header, &record)) {
    prof_rawfile_record(self, header, &record);
    header = prof_copied_walk(self, header, &record);
  }
  if (prof_order_push(self->order, header, cpu, time_ns))
    self->counters.no_memory++;
}

/* Records up to the walk's time first, then the walk. */
static void follow_walk_in_order(void *user, const struct prof_stack *stack) {
  struct prof_recording *self = user;
  prof_order_flush(self->order, stack->time_ns + 1, prof_follow_record, self);
  if (stack->flags & PROF_STACK_HEAP)
    prof_allocations_walk(self, stack);
  else if (self->timers)
    prof_timers_walk(self, stack);
  else
    prof_follow_walk(self, stack);
}

void prof_recording_take(struct prof_recording *self) {
  for (int i = 0; self->attach && i < prof_attach_ring_count(self->attach); i++) {
    prof_ring_drain(prof_attach_ring(self->attach, i), push_record, self);
  }
  prof_rawfile_round(self);
}

/* Walks are collected before the rings are read: then the sample of each walk is in hand. */
static void drain_until(struct prof_recording *self, uint64_t until_ns) {
  if (self->timers && until_ns != UINT64_MAX)
    prof_timers_round(self);
  if (!self->options.has_jit)
    prof_perfmap_read(&self->perfmap, self->space, &self->arena);
  prof_landmarks_publish(self);
  prof_walks_collect(&self->walks);
  prof_recording_take(self);
  prof_walks_flush(&self->walks, until_ns, follow_walk_in_order, self);
  prof_order_flush(self->order, until_ns, prof_follow_record, self);
  if (self->timers)
    prof_timers_flushed(self, until_ns);
  if (self->unlisted.is_new) /* the sooner, the fewer places are left without an answer */
    prof_landmarks_publish(self);
}

/* Sampled places are named while the build runs, for at most PREFETCH_NS a round, so that the end
 * is quick. */
static void prefetch_some(struct prof_recording *self) {
  uint64_t deadline_ns = prof_now_ns() + PREFETCH_NS;
  for (; self->prefetched < self->tree.key_count; self->prefetched++) {
    uint64_t key = self->tree.keys[self->prefetched];
    const struct prof_code *code = prof_space_code(self->space, (uint32_t)(key >> 32));
    if (!code || code->kind == PROF_CODE_UNKNOWN)
      continue;
    if (prof_symbols_prefetch(self->symbols, code, (uint32_t)(key >> 32), (uint32_t)key)) {
      prof_splice_forget(&self->splice);
      return;
    }
    if (prof_now_ns() >= deadline_ns)
      return;
  }
}

static void meter_round(struct prof_recording *self) {
  const struct prof_recording_counters *counters = &self->counters;
  if (prof_meter_is_due(&self->meter))
    prof_meter_round(&self->meter, self->attach,
                     self->samples.forgotten + self->samples.count + counters->doubles +
                         counters->lost);
}

static bool is_signalled(const struct prof_recording *self) {
  return self->options.plan.sigtrap || self->options.plan.timers;
}

void prof_recording_drain(struct prof_recording *self) {
  prof_unlisted_round(&self->unlisted, prof_now_ns());
  drain_until(self, prof_now_ns() - PROF_ORDER_LAG_NS);
  prof_offcpu_look(self);
  prof_resident_look(&self->resident, prof_now_ns());
  prof_allocations_round(self);
  if (prof_meter_affords(&self->meter))
    prefetch_some(self);
  meter_round(self);
  prof_journal_round(self);
  if (is_signalled(self) && !self->signal_taken && !prof_sampler_owns_signal()) {
    silence(self);
    self->signal_taken = true;
  }
}

void prof_recording_finish(struct prof_recording *self) {
  prof_allocations_end(self);
  silence(self);
  self->end_ns = prof_now_ns();
  self->used_ns = prof_meter_used_ns(&self->meter);
  self->resident.last_ns = 0;
  prof_resident_look(&self->resident, self->end_ns);
  drain_until(self, UINT64_MAX);
  prof_order_finish(self->order, prof_follow_record, self);
  prof_follow_finish(self);
  if (self->journal.fd >= 0) /* what comes now may fail, or somebody may lose patience */
    prof_journal_flush(self);
  prof_samples_sort(&self->samples);
  prof_rawfile_end(self);
  prof_allocations_close(self);
  if (is_signalled(self))
    disarm(self);
}

void prof_recording_free(struct prof_recording *self) {
  struct prof_attach *attach = self->attach;
  if (self->options.has_jit)
    prof_jit_drop();
  if (self->raw)
    prof_datasave_close(self->raw, NULL, NULL);
  prof_journal_close(&self->journal);
  prof_timers_free(self);
  self->attach = NULL;
  if (!self->is_held) {
    prof_stages_free(self);
    memset(self, 0, sizeof *self);
  }
  prof_attach_close(attach); /* last: memory goes first, while the table is made */
}

void prof_recording_counters(const struct prof_recording *self,
                             struct prof_recording_counters *out) {
  struct prof_sampler_counters sampler;
  struct prof_jit_stats jit;
  *out = self->counters;
  out->unnamed_interpreter = self->splice.unnamed_interpreter;
  out->refused_modules = prof_modules_refused(self->modules);
  out->refused_tables = prof_symbols_stats(self->symbols).refused_tables;
  if (!self->attach && !self->timers)
    return;
  prof_sampler_counters(&sampler);
  prof_jit_stats(&jit);
  out->jit_dropped = jit.dropped;
  out->passed_on = sampler.passed_on;
  out->late = prof_order_counts(self->order).late;
  out->unmatched = self->join.unmatched;
  out->signals = sampler.signals;
  out->handler_ns = sampler.handler_ns;
  out->spared = sampler.spared;
  out->handler_dropped = sampler.dropped + self->walks.dropped;
  out->lost += prof_order_counts(self->order).dropped;
  for (int i = 0; self->attach && i < prof_attach_ring_count(self->attach); i++) {
    out->malformed += prof_attach_ring(self->attach, i)->malformed;
  }
}

size_t prof_recording_bytes(const struct prof_recording *self) {
  struct prof_sampler_counters sampler = {0};
  struct prof_jit_stats jit = {0};
  size_t bytes = sizeof *self;
  if (self->attach || self->timers) {
    prof_sampler_counters(&sampler);
    prof_jit_stats(&jit);
  }
  for (int i = 0; self->attach && i < prof_attach_ring_count(self->attach); i++) {
    bytes += prof_attach_ring(self->attach, i)->map_bytes;
  }
  bytes += prof_heap_bytes() + self->allocations.capacity * sizeof self->allocations.rows[0];
  return bytes + sampler.buffer_bytes + jit.peak_bytes + self->arena.total_bytes +
         prof_tree_bytes(&self->tree) + prof_tree_bytes(&self->kernel_tree) +
         prof_symbols_stats(self->symbols).table_bytes + self->walks.capacity_bytes +
         prof_order_counts(self->order).held_bytes +
         self->samples.capacity * sizeof self->samples.rows[0];
}
