#include "trace/xray_trace.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/status.h"
#include "perf/os.h"
#include "trace/cpu.h"
#include "trace/dropper.h"
#include "trace/exits.h"
#include "trace/spill.h"
#include "trace/xray_hit.h"
#include "trace/xray_map.h"
#include "trace/xray_patch.h"

/* A buffer holds a million rows: a thread that does nothing but hit (20 ns) fills it in 20 ms. */
#define DRAIN_NS 1000000
#define REAP_ROUNDS 200
#define FLUSH_NS 1000000000ull

struct prof_xray_trace {
  struct prof_tracer_options options;
  struct prof_xray_patch patch;
  pthread_mutex_t patching; /* of patch: its thread drops, who stops undoes */
  struct prof_match *match;
  struct prof_tally *tally;
  struct prof_spill spill;
  struct prof_cpu cpu;
  struct prof_dropper dropper;
  double price_ns; /* of a hit */
  struct prof_tracer_result result;
  struct prof_trace_thread *threads;
  size_t thread_capacity;
  uint64_t ticks, at_ns; /* the last reading of both clocks */
  double ns_per_tick;
  uint64_t flushed_ns, moment_ns;
  pthread_t thread;
  atomic_bool stop;
};

static void read_clocks(struct prof_xray_trace *self) {
  uint64_t now = prof_now_ns(), ticks = prof_xray_ticks();
  if (self->at_ns && ticks > self->ticks)
    self->ns_per_tick = (double)(now - self->at_ns) / (double)(ticks - self->ticks);
  self->at_ns = now;
  self->ticks = ticks;
}

static void name_thread(struct prof_xray_trace *self, uint32_t tid) {
  struct prof_tracer_result *out = &self->result;
  char path[64];
  for (size_t i = out->thread_count; i > 0; i--)
    if (self->threads[i - 1].tid == tid)
      return;
  if (prof_array_reserve((void **)&self->threads, &self->thread_capacity, out->thread_count + 1,
                         sizeof *self->threads))
    return;
  struct prof_trace_thread *thread = &self->threads[out->thread_count++];
  *thread = (struct prof_trace_thread){.pid = (uint32_t)getpid(), .tid = tid};
  snprintf(path, sizeof path, "/proc/self/task/%u/comm", tid);
  if (prof_os_real.read_file(NULL, path, thread->name, sizeof thread->name) > 0)
    thread->name[strcspn(thread->name, "\n")] = 0;
}

static void visit(void *user, uint32_t tid, const struct prof_xray_row *row) {
  static const uint8_t kinds[] = {PROF_SITE_ENTRY, PROF_SITE_RETURN, PROF_SITE_TAIL};
  struct prof_xray_trace *self = user;
  double since = (double)(int64_t)(row->ticks - self->ticks) * self->ns_per_tick;
  if (row->func >= self->options.plan->func_count || row->kind > PROF_SLED_TAIL)
    return;
  prof_dropper_hit(&self->dropper, row->func, self->price_ns, row->kind == PROF_SLED_ENTRY);
  prof_match_hit(self->match, tid, row->func, kinds[row->kind], row->sp,
                 self->at_ns + (uint64_t)(int64_t)since, 1);
}

static void ended(void *user, uint32_t tid) {
  struct prof_xray_trace *self = user;
  prof_match_thread_ended(self->match, tid, self->at_ns);
}

static void note_threads(void *user, uint32_t tid, const struct prof_xray_row *row) {
  static _Thread_local uint32_t last;
  if (tid != last)
    name_thread(user, tid);
  last = tid;
  visit(user, tid, row);
}

/* What is called too often goes: a few us, plus what the CPUs need to notice. */
static void end_moment(struct prof_xray_trace *self) {
  struct prof_error unused;
  self->moment_ns = self->at_ns;
  if (!prof_dropper_end_moment(&self->dropper, prof_cpu_read(&self->cpu), self->at_ns))
    return;
  pthread_mutex_lock(&self->patching);
  if (prof_xray_patch_drop(&self->patch, self->options.plan, &unused))
    self->result.drop_failed = true;
  pthread_mutex_unlock(&self->patching);
}

static void *work(void *user) {
  struct prof_xray_trace *self = user;
  const struct timespec pause = {.tv_nsec = DRAIN_NS};
  pthread_setname_np(pthread_self(), "rspack-prof");
  for (unsigned round = 0; !atomic_load(&self->stop); round++) {
    nanosleep(&pause, NULL);
    prof_xray_drain(note_threads, self);
    read_clocks(self);
    if (round % REAP_ROUNDS == 0)
      prof_xray_reap(ended, self);
    if (self->at_ns - self->moment_ns > PROF_DROPPER_MOMENT_NS)
      end_moment(self);
    if (self->at_ns - self->flushed_ns > FLUSH_NS) {
      self->flushed_ns = self->at_ns;
      prof_spill_flush(&self->spill);
    }
  }
  return NULL;
}

static void on_event(void *user, const struct prof_call_event *event) {
  prof_spill_add(&((struct prof_xray_trace *)user)->spill, event);
}

static void on_end(void *user, const struct prof_call_end *end) {
  prof_tally_add(((struct prof_xray_trace *)user)->tally, end);
}

size_t prof_xray_trace_count(const struct prof_call_plan *plan) {
  struct prof_xray_patch patch;
  struct prof_error unused;
  size_t count = 0;
  if (prof_xray_patch_find(&patch, plan, &unused) == 0)
    count = patch.functions;
  prof_xray_patch_free(&patch);
  return count;
}

/* The counter's rate, over the first millisecond; each drain measures it again. */
static void start_clocks(struct prof_xray_trace *self) {
  const struct timespec pause = {.tv_nsec = 1000000};
  read_clocks(self);
  nanosleep(&pause, NULL);
  read_clocks(self);
}

int prof_xray_trace_start(const struct prof_tracer_options *options, struct prof_xray_trace **out,
                          struct prof_error *error) {
  struct prof_xray_trace *self = calloc(1, sizeof *self);
  struct prof_match_sink sink = {.user = self, .event = on_event, .end = on_end};
  int status = PROF_OK, failed;
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the trace");
  self->options = *options;
  pthread_mutex_init(&self->patching, NULL);
  self->spill.fd = -1;
  if (options->spill_fd >= 0 && prof_spill_open(&self->spill, options->spill_fd))
    status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the trace");
  self->match = prof_match_create(&sink, options->depth);
  self->tally = prof_tally_create(options->plan->func_count);
  if (!status && (!self->match || !self->tally ||
                  prof_dropper_init(&self->dropper, options->plan, options->limit_calls,
                                    options->budget_percent)))
    status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the trace");
  if (!status)
    status = prof_xray_patch_find(&self->patch, options->plan, error);
  if (!status && self->patch.functions < options->plan->func_count)
    status = prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                            "%zu of the %zu functions have no XRay sleds in this process: narrow "
                            "the pattern, or trace with probes, as root",
                            options->plan->func_count - self->patch.functions,
                            options->plan->func_count);
  if (status) {
    prof_xray_trace_free(self);
    return status;
  }
  self->result.refused_sites = self->patch.refused;
  start_clocks(self);
  prof_cpu_add(&self->cpu, (uint32_t)getpid());
  prof_xray_listen(true);
  self->price_ns = prof_xray_price();
  self->cpu.first_ns = self->dropper.cpu_ns = prof_cpu_read(&self->cpu);
  self->result.start_ns = self->flushed_ns = self->moment_ns = self->at_ns;
  failed = pthread_create(&self->thread, NULL, work, self);
  if (failed)
    status =
        prof_error_set(error, PROF_SYSTEM, failed, "pthread_create", "no thread for the trace");
  else if ((status = prof_xray_patch_apply(&self->patch, error))) {
    atomic_store(&self->stop, true);
    pthread_join(self->thread, NULL);
  }
  if (status) {
    prof_xray_listen(false);
    prof_xray_trace_free(self);
    return status;
  }
  *out = self;
  return PROF_OK;
}

void prof_xray_trace_stop(struct prof_xray_trace *self, struct prof_tracer_result *out) {
  struct prof_error unused;
  /* First of all, or threads go on filling buffers. Where code cannot be written any more the sleds
   * go on calling, and nobody listens. */
  pthread_mutex_lock(&self->patching);
  if (prof_xray_patch_undo(&self->patch, &unused))
    self->result.drop_failed = true;
  pthread_mutex_unlock(&self->patching);
  prof_xray_listen(false);
  atomic_store(&self->stop, true);
  pthread_join(self->thread, NULL);
  prof_xray_drain(note_threads, self);
  prof_xray_reap(ended, self);
  self->result.end_ns = prof_now_ns();
  prof_match_finish(self->match);
  prof_spill_close(&self->spill);
  self->result.cpu_ns = prof_cpu_read(&self->cpu) - self->cpu.first_ns;
  self->result.cost = (struct prof_hit_cost){self->price_ns, self->price_ns};
  self->result.cost_ns = self->dropper.cost_ns;
  self->result.drops = self->dropper.drops;
  self->result.drop_count = self->dropper.drop_count;
  self->result.match = prof_match_counts(self->match);
  self->result.lost = prof_xray_lost();
  self->result.events = self->spill.events;
  self->result.event_bytes = self->spill.bytes;
  self->result.missed_events = self->spill.missed;
  self->result.spill_errno = self->spill.failure;
  self->result.threads = self->threads;
  self->result.tally = self->tally;
  *out = self->result;
}

void prof_xray_trace_free(struct prof_xray_trace *self) {
  if (!self)
    return;
  prof_spill_close(&self->spill);
  prof_xray_patch_free(&self->patch);
  prof_match_free(self->match);
  prof_tally_free(self->tally);
  prof_cpu_free(&self->cpu);
  prof_dropper_free(&self->dropper);
  free(self->threads);
  free(self);
}
