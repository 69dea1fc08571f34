#include "trace/xray_trace.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "perf/os.h"
#include "trace/exits.h"
#include "trace/ledger.h"
#include "trace/xray_hit.h"
#include "trace/xray_map.h"
#include "trace/xray_patch.h"

/* A buffer holds a million rows: a thread that does nothing but hit (20 ns) fills it in 20 ms. */
#define DRAIN_NS 1000000
#define REAP_ROUNDS 200

struct prof_xray_trace {
  struct prof_tracer_options options;
  struct prof_xray_patch patch;
  pthread_mutex_t patching; /* of patch: its thread drops, who stops undoes */
  struct prof_ledger ledger;
  double price_ns; /* of a hit */
  struct prof_tracer_result result;
  uint32_t last_tid;     /* whose hit came last */
  uint64_t ticks, at_ns; /* the last reading of both clocks */
  double ns_per_tick;
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
  struct prof_trace_thread *thread = prof_ledger_thread(&self->ledger, (uint32_t)getpid(), tid);
  char path[64];
  if (!thread || thread->name[0])
    return;
  snprintf(path, sizeof path, "/proc/self/task/%u/comm", tid);
  if (prof_os_real.read_file(NULL, path, thread->name, sizeof thread->name) > 0)
    thread->name[strcspn(thread->name, "\n")] = 0;
}

static void take_hit(void *user, uint32_t tid, const struct prof_xray_row *row) {
  static const uint8_t kinds[] = {PROF_SITE_ENTRY, PROF_SITE_RETURN, PROF_SITE_TAIL};
  struct prof_xray_trace *self = user;
  double since = (double)(int64_t)(row->ticks - self->ticks) * self->ns_per_tick;
  if (tid != self->last_tid)
    name_thread(self, tid);
  self->last_tid = tid;
  if (row->func >= self->options.plan->func_count || row->kind > PROF_SLED_TAIL)
    return;
  prof_dropper_hit(&self->ledger.dropper, row->func, self->price_ns, row->kind == PROF_SLED_ENTRY);
  prof_match_hit(self->ledger.match, tid, row->func, kinds[row->kind], row->sp,
                 self->at_ns + (uint64_t)(int64_t)since, 1);
}

static void ended(void *user, uint32_t tid) {
  struct prof_xray_trace *self = user;
  prof_match_thread_ended(self->ledger.match, tid, self->at_ns);
}

/* What is called too often goes: a few us, plus what the CPUs need to notice. */
static void end_moment(struct prof_xray_trace *self) {
  struct prof_error unused;
  double cpu_ns = prof_cpu_read(&self->ledger.cpu);
  if (!prof_dropper_end_moment(&self->ledger.dropper, cpu_ns, self->at_ns))
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
    prof_xray_drain(take_hit, self);
    read_clocks(self);
    if (round % REAP_ROUNDS == 0)
      prof_xray_reap(ended, self);
    if (prof_ledger_round(&self->ledger, self->at_ns))
      end_moment(self);
  }
  return NULL;
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

static int find_sleds(struct prof_xray_trace *self, struct prof_error *error) {
  size_t functions = self->options.plan->func_count;
  int status = prof_xray_patch_find(&self->patch, self->options.plan, error);
  if (status || self->patch.functions >= functions)
    return status;
  return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                        "%zu of the %zu functions have no XRay sleds in this process: narrow the "
                        "pattern, or trace with probes, as root",
                        functions - self->patch.functions, functions);
}

int prof_xray_trace_start(const struct prof_tracer_options *options, struct prof_xray_trace **out,
                          struct prof_error *error) {
  struct prof_xray_trace *self = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the trace");
  self->options = *options;
  pthread_mutex_init(&self->patching, NULL);
  int status = prof_ledger_open(&self->ledger, options, error);
  if (!status)
    status = find_sleds(self, error);
  if (status) {
    prof_xray_trace_free(self);
    return status;
  }
  self->result.refused_sites = self->patch.refused;
  start_clocks(self);
  prof_cpu_add(&self->ledger.cpu, (uint32_t)getpid());
  prof_xray_listen(true);
  self->price_ns = prof_xray_price();
  self->result.start_ns = self->at_ns;
  prof_ledger_begin(&self->ledger, self->at_ns);
  int failed = pthread_create(&self->thread, NULL, work, self);
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
  prof_xray_drain(take_hit, self);
  prof_xray_reap(ended, self);
  self->result.end_ns = prof_now_ns();
  self->result.cpu_ns = prof_ledger_cpu_ns(&self->ledger);
  self->result.cost = (struct prof_hit_cost){self->price_ns, self->price_ns};
  self->result.lost = prof_xray_lost();
  prof_ledger_close(&self->ledger, &self->result);
  *out = self->result;
}

void prof_xray_trace_free(struct prof_xray_trace *self) {
  if (!self)
    return;
  prof_ledger_free(&self->ledger);
  prof_xray_patch_free(&self->patch);
  free(self);
}
