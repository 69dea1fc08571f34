#include "trace/tracer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "perf/order.h"
#include "trace/change.h"
#include "trace/exits.h"
#include "trace/flow.h"
#include "trace/ledger.h"
#include "trace/probes.h"
#include "trace/watch.h"

/* 16 MB hold 260,000 hits of 64 bytes: a CPU that does nothing but hit cheap probes (1 us) fills
 * it in a quarter of a second. */
#define RING_BYTES ((size_t)16 << 20)
#define ORDER_BYTES ((size_t)512 << 20)
#define DRAIN_NS 10000000 /* 10 ms */

struct prof_tracer {
  struct prof_tracer_options options;
  struct prof_probes *probes;
  struct prof_watch watch;
  struct prof_change change; /* the probes in force, and their replacement */
  struct prof_watch_set sampler;
  struct prof_order *order;
  struct prof_ledger ledger;
  double children_ns; /* before the command */
  struct prof_tracer_result result;
  uint32_t entries; /* the entries' event; 0: none */
  pthread_t thread;
  _Atomic int tid;
  sem_t go; /* everything is open */
  atomic_bool stop;
  bool is_abandoned; /* not all of it was opened */
};

/* --- records --- */

static void name_thread(struct prof_tracer *self, uint32_t pid, uint32_t tid, const char *name) {
  struct prof_trace_thread *thread = prof_ledger_thread(&self->ledger, pid, tid);
  if (thread && name[0])
    snprintf(thread->name, sizeof thread->name, "%s", name);
}

static void take_hit(struct prof_tracer *self, const struct prof_probe_hit *hit, int cpu) {
  const struct prof_call_plan *plan = self->options.plan;
  if (hit->site >= plan->site_count)
    return;
  const struct prof_call_site *site = &plan->sites[hit->site];
  double price = site->is_emulated ? self->result.cost.emulated_ns : self->result.cost.stepped_ns;
  prof_dropper_hit(&self->ledger.dropper, site->func, price, prof_site_is_entry(site->kind));
  uint8_t kind = site->kind;
  if (kind == PROF_SITE_JUMP) {
    /* 0: the word could not be read. */
    if (hit->value == 0 || !prof_call_plan_leaves(plan, hit->site, hit->ip, hit->value))
      return;
    kind = PROF_SITE_TAIL;
  }
  if (!prof_match_hit(self->ledger.match, hit->tid, site->func, kind, hit->sp, hit->time_ns,
                      (uint64_t)cpu << 32 | (hit->id & UINT32_MAX)))
    return;
  if (site->kind == PROF_SITE_SPAWN)
    prof_match_spawn(self->ledger.match, hit->tid, hit->value, hit->time_ns);
  else if (site->role != PROF_FLOW_NONE)
    prof_match_run(self->ledger.match, hit->tid, hit->value);
}

static void take_pid(struct prof_tracer *self, uint32_t pid) {
  prof_cpu_add(&self->ledger.cpu, pid);
  if (prof_watch_pid(&self->watch, pid) && self->options.is_command)
    prof_change_keep(&self->change, pid);
}

/* Of FORK, a thread's or a process's: the child has its maker's name until it takes its own. */
static void take_fork(struct prof_tracer *self, const struct prof_record *record) {
  char name[sizeof self->ledger.threads->name] = "";
  for (size_t i = self->ledger.thread_count; i > 0 && !name[0]; i--)
    if (self->ledger.threads[i - 1].tid == record->task.ptid)
      memcpy(name, self->ledger.threads[i - 1].name, sizeof name);
  take_pid(self, record->pid);
  name_thread(self, record->pid, record->tid, name);
}

static void take_record(struct prof_tracer *self, const struct prof_record *record) {
  switch (record->type) {
  case PERF_RECORD_FORK:
    take_fork(self, record);
    break;
  case PERF_RECORD_COMM:
    take_pid(self, record->pid);
    name_thread(self, record->pid, record->tid, record->comm.name);
    if (record->comm.exec)
      prof_match_thread_ended(self->ledger.match, record->tid, record->time_ns);
    break;
  case PERF_RECORD_EXIT:
    prof_match_thread_ended(self->ledger.match, record->tid, record->time_ns);
    break;
  case PERF_RECORD_LOST:
  case PERF_RECORD_LOST_SAMPLES:
    self->result.lost += record->lost.count;
    break;
  }
}

/* The beginning that all samples here have. */
struct sample {
  struct perf_event_header header;
  uint32_t pid, tid;
  uint64_t time_ns;
};

static void in_order(void *user, const struct perf_event_header *header, int cpu) {
  struct prof_tracer *self = user;
  struct prof_probe_hit hit;
  struct prof_record record;
  if (header->type != PERF_RECORD_SAMPLE) {
    if (prof_record_decode(&self->watch.layout, header, &record) == 0)
      take_record(self, &record);
  } else if (prof_probes_decode(header, &hit)) {
    take_hit(self, &hit, cpu);
  } else if (header->size >= sizeof(struct sample)) {
    struct sample sample;
    memcpy(&sample, header, sizeof sample);
    self->result.samples++;
    prof_tally_sample(self->ledger.tally, prof_match_running(self->ledger.match, sample.tid));
  }
}

static void as_it_came(void *user, const struct perf_event_header *header, int cpu) {
  struct prof_tracer *self = user;
  uint64_t time_ns = 0;
  if (header->type == PERF_RECORD_SAMPLE && header->size >= sizeof(struct sample)) {
    struct sample sample;
    memcpy(&sample, header, sizeof sample);
    time_ns = sample.time_ns;
  } else {
    prof_record_time(&self->watch.layout, header, &time_ns);
  }
  if (prof_order_push(self->order, header, cpu, time_ns))
    self->result.lost++;
}

static void drain(struct prof_tracer *self, bool is_last) {
  uint64_t before = prof_now_ns();
  for (int cpu = 0; cpu < self->watch.cpu_count; cpu++)
    prof_ring_drain(&self->watch.rings[cpu], as_it_came, self);
  if (is_last)
    prof_order_finish(self->order, in_order, self);
  else
    prof_order_flush(self->order, before - PROF_ORDER_LAG_NS, in_order, self);
}

/* What is called too often goes, unless a change is still under way. */
static void end_moment(struct prof_tracer *self, uint64_t now_ns) {
  double cpu_ns = prof_cpu_read(&self->ledger.cpu);
  if (!prof_change_is_running(&self->change) &&
      prof_dropper_end_moment(&self->ledger.dropper, cpu_ns, now_ns))
    prof_change_start(&self->change);
}

/* --- the thread --- */

static void *work(void *user) {
  struct prof_tracer *self = user;
  const struct timespec pause = {.tv_nsec = DRAIN_NS};
  pthread_setname_np(pthread_self(), "rspack-prof");
  atomic_store(&self->tid, (int)syscall(SYS_gettid));
  sem_wait(&self->go);
  while (!atomic_load(&self->stop)) {
    nanosleep(&pause, NULL);
    drain(self, false);
    uint64_t now_ns = prof_now_ns();
    if (prof_ledger_round(&self->ledger, now_ns))
      end_moment(self, now_ns);
  }
  return NULL;
}

static int start_thread(struct prof_tracer *self, struct prof_error *error) {
  sem_init(&self->go, 0, 0);
  int failed = pthread_create(&self->thread, NULL, work, self);
  if (failed)
    return prof_error_set(error, PROF_SYSTEM, failed, "pthread_create",
                          "no thread for the tracer: %s", strerror(failed));
  while (atomic_load(&self->tid) == 0)
    sched_yield();
  return PROF_OK;
}

static int open_sampler(struct prof_tracer *self, struct prof_error *error) {
  struct perf_event_attr attr = {
      .type = PERF_TYPE_SOFTWARE,
      .size = sizeof attr,
      .config = PERF_COUNT_SW_CPU_CLOCK,
      .sample_period = 1000000000ull / (self->options.sample_hz ? self->options.sample_hz : 1),
      .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID,
      .disabled = 1,
      .inherit = 1,
      .use_clockid = 1,
      .clockid = 1,
      .sample_id_all = 1,
      .exclude_kernel = 1, /* the probes' own cost is the kernel's */
      .exclude_hv = 1,
      .wakeup_events = 1 << 30,
  };
  if (self->options.sample_hz == 0)
    return PROF_OK;
  self->result.sample_period_ns = attr.sample_period;
  return prof_watch_add(&self->watch, &attr, true, &self->sampler, error);
}

static int open_events(struct prof_tracer *self, struct prof_error *error) {
  int status = prof_watch_open(&self->watch, &prof_os_real, self->options.is_command, RING_BYTES,
                               self->tid, error);
  self->change = (struct prof_change){
      .plan = self->options.plan, .probes = self->probes, .watch = &self->watch};
  if (!status)
    status = prof_change_first(&self->change, error);
  if (!status && self->options.has_stacks)
    status = prof_change_entries(&self->change, &self->entries, error);
  return status ? status : open_sampler(self, error);
}

int prof_tracer_start(const struct prof_tracer_options *options, struct prof_tracer **out,
                      struct prof_error *error) {
  struct prof_tracer *self = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the trace");
  self->options = *options;
  int status = prof_ledger_open(&self->ledger, options, error);
  if (!status && !(self->order = prof_order_create(ORDER_BYTES)))
    status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the trace");
  if (!status)
    status = prof_probes_open(&self->probes, error);
  if (!status)
    status = prof_hit_cost_measure(self->probes, &prof_os_real, &self->result.cost, error);
  /* Before any event is opened on this thread: it would inherit them. */
  if (!status)
    status = start_thread(self, error);
  if (status) {
    prof_tracer_free(self);
    return status;
  }
  status = open_events(self, error);
  if (status) {
    struct prof_tracer_result unused;
    self->is_abandoned = true;
    prof_tracer_stop(self, &unused);
    prof_tracer_free(self);
    return status;
  }
  if (!options->is_command)
    prof_cpu_add(&self->ledger.cpu, (uint32_t)getpid());
  self->result.start_ns = prof_now_ns();
  prof_ledger_begin(&self->ledger, self->result.start_ns);
  if (!options->is_command) {
    prof_watch_enable(&self->watch, &self->sampler);
    prof_watch_enable(&self->watch, &self->change.set);
  }
  self->children_ns = prof_cpu_children();
  sem_post(&self->go);
  *out = self;
  return PROF_OK;
}

uint32_t prof_tracer_entries(const struct prof_tracer *self) {
  return self->entries;
}

void prof_tracer_begun(struct prof_tracer *self, uint32_t pid) {
  prof_change_keep(&self->change, pid);
}

void prof_tracer_stop(struct prof_tracer *self, struct prof_tracer_result *out) {
  self->result.end_ns = prof_now_ns();
  double waited_ns = prof_cpu_children() - self->children_ns;
  atomic_store(&self->stop, true);
  sem_post(&self->go);
  pthread_join(self->thread, NULL);
  self->result.cpu_ns = prof_ledger_cpu_ns(&self->ledger);
  if (self->options.is_command && waited_ns > self->result.cpu_ns)
    self->result.cpu_ns = waited_ns; /* what ended between two readings too */
  prof_change_finish(&self->change);
  prof_watch_disable(&self->watch, &self->change.set);
  prof_watch_disable(&self->watch, &self->sampler);
  prof_watch_disable(&self->watch, &self->watch.base);
  if (!self->is_abandoned)
    drain(self, true);
  prof_ledger_close(&self->ledger, &self->result);
  prof_change_close(&self->change);
  prof_watch_drop(&self->watch, &self->sampler);
  prof_watch_close(&self->watch);
  self->result.refused_sites = self->change.refused;
  self->result.drop_failed = self->change.failed;
  *out = self->result;
}

void prof_tracer_free(struct prof_tracer *self) {
  if (!self)
    return;
  prof_ledger_free(&self->ledger);
  prof_probes_close(self->probes);
  prof_order_free(self->order);
  free(self);
}
