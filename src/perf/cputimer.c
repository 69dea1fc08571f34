#include "perf/cputimer.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"

enum {
  /* Without /proc: numbers that are tried beyond the newest thread known, every so many scans. A
   * try takes 0.1 us. */
  SWEEP_BEYOND = 4096,
  SWEEP_EVERY = 20,
  /* A timer finer than the tick, so that a tick's samples weigh what the thread really ran. */
  TICK_PARTS = 4,
  TICK_NS_USUAL = 4000000,
};

struct timed_thread {
  int tid, id; /* id -1: refused */
  uint32_t scan;
};

struct prof_cputimers {
  const struct prof_os *os;
  uint64_t sig_data, period_ns;
  int skip_tid;
  struct timed_thread *threads; /* by tid */
  size_t count, capacity;
  int *tids;
  size_t tid_capacity;
  uint32_t scan;
  struct prof_cputimer_counts counts;
};

uint64_t prof_cputimer_tick_ns(void) {
  struct timespec tick;
  /* The coarse clock is read from the tick's own variable: its resolution is the tick. */
  if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || tick.tv_sec || tick.tv_nsec < 100000)
    return TICK_NS_USUAL;
  return (uint64_t)tick.tv_nsec;
}

/* --- the plan --- */

static bool is_time(const struct prof_event *event) {
  return (event->is_cycles || strcmp(event->unit, "ns") == 0) && !event->exclude_user &&
         !event->in_kernel_only;
}

static bool timers_open(const struct prof_os *os) {
  int id = os->timer_open(os->user, (int)syscall(SYS_gettid), SIGTRAP, 0);
  if (id >= 0)
    os->timer_close(os->user, id);
  return id >= 0;
}

static void note_why(const struct prof_os *os, int why, struct prof_plan *plan) {
  static const char code[] = "cpu-timers";
  static const char instead[] = "threads are sampled by timers of their CPU time, without kernel "
                                "frames";
  long paranoid = prof_os_number(os, PROF_SYS_PARANOID, -2);
  if (why == EACCES && paranoid != -2)
    prof_plan_note(plan, code, "sudo sysctl kernel.perf_event_paranoid=1",
                   "kernel.perf_event_paranoid is %ld, which refuses perf events: %s", paranoid,
                   instead);
  else if (why == EMFILE || why == ENFILE)
    prof_plan_note(plan, code, "ulimit -n 65536",
                   "perf events need more files than may be open: %s", instead);
  else if (why == ENOMEM)
    prof_plan_note(plan, code, "sudo sysctl kernel.perf_event_mlock_kb=516",
                   "perf events have no memory for their rings (the limit of locked memory): %s",
                   instead);
  else if (why == ENOENT)
    prof_plan_note(plan, code, "mount -t proc proc /proc",
                   "/proc is not there to list threads for perf events: %s", instead);
  else if (why == EACCES)
    prof_plan_note(plan, code, "", "perf events are refused to this user: %s", instead);
  else
    prof_plan_note(plan, code, "docker run --cap-add PERFMON ...",
                   "perf_event_open is blocked (seccomp, as containers have it by default): %s",
                   instead);
}

bool prof_cputimer_plan(const struct prof_os *os, const struct prof_plan *wanted, int why,
                        struct prof_plan *out) {
  uint64_t tick_ns = prof_cputimer_tick_ns(), asked_ns = 1000000000u / wanted->frequency;
  struct prof_plan plan = *wanted;
  bool is_refusal = why == EACCES || why == EPERM || why == ENOSYS || why == EMFILE ||
                    why == ENFILE || why == ENOMEM || why == ENOENT;
  plan.period_ns = asked_ns > tick_ns ? asked_ns : tick_ns / TICK_PARTS;
  if (!is_refusal || !is_time(&wanted->event) || !timers_open(os))
    return false;
  plan.event = (struct prof_event){.name = "cpu-timer", .unit = "ns"};
  plan.timers = plan.fixed_clock = true;
  plan.sigtrap = wanted->sigtrap || wanted->stack_dump;
  plan.kernel = plan.kernel_chain = plan.stack_dump = false;
  plan.stack_bytes = 0;
  plan.note_count = 0; /* of steps that were not taken */
  note_why(os, why, &plan);
  if (asked_ns < tick_ns) {
    plan.frequency = (uint32_t)(1000000000u / tick_ns);
    prof_plan_note(&plan, "frequency-lowered", "",
                   "%u Hz is lowered to %u Hz: the kernel looks at timers of CPU time at its tick",
                   wanted->frequency, plan.frequency);
  }
  if (wanted->stack_dump)
    prof_plan_note(&plan, "no-stack-dumps", "",
                   "stacks are not copied but walked by their threads: copies are of perf events");
  *out = plan;
  return true;
}

/* --- the threads --- */

int prof_cputimers_open(const struct prof_os *os, const struct prof_plan *plan, uint64_t sig_data,
                        int skip_tid, struct prof_cputimers **out, struct prof_error *error) {
  struct prof_cputimers *self = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the timers");
  self->os = os;
  self->sig_data = sig_data;
  self->period_ns = plan->period_ns;
  self->skip_tid = skip_tid;
  *out = self;
  return PROF_OK;
}

static size_t index_of(const struct prof_cputimers *self, int tid) {
  size_t low = 0, high = self->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (self->threads[middle].tid < tid)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Whether this number is a thread of ours, by a signal that is not sent. */
static bool is_thread(int tid) {
  return syscall(SYS_tgkill, getpid(), tid, 0) == 0;
}

/* Without /proc (or with another pid namespace's, or no descriptor for it): a process's threads
 * have numbers from its own on. Wrapped numbers (kernel.pid_max) are not found. */
static int sweep(struct prof_cputimers *self) {
  int last = self->count ? self->threads[self->count - 1].tid : getpid(), count = 0;
  if (last < self->skip_tid)
    last = self->skip_tid;
  bool is_far = self->scan % SWEEP_EVERY == 1;
  for (int tid = getpid(); tid <= last + (is_far ? SWEEP_BEYOND : 64); tid++) {
    if (!is_thread(tid))
      continue;
    if (prof_array_reserve((void **)&self->tids, &self->tid_capacity, (size_t)count + 1,
                           sizeof *self->tids))
      break;
    self->tids[count++] = tid;
  }
  return count;
}

/* -ENOMEM: nobody knows. */
static int list(struct prof_cputimers *self) {
  int count = prof_os_list(self->os, "/proc/self/task", &self->tids, &self->tid_capacity);
  if (count >= 0 || count == -ENOMEM)
    return count;
  self->counts.swept_errno = -count;
  return sweep(self);
}

static uint64_t cpu_ns_of(int tid) {
  struct timespec time;
  if (clock_gettime(prof_thread_clock(tid), &time))
    return 0;
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void take_in(struct prof_cputimers *self, size_t index, int tid, prof_cputimers_visit *visit,
                    void *user) {
  const struct prof_os *os = self->os;
  if (prof_array_reserve((void **)&self->threads, &self->capacity, self->count + 1,
                         sizeof *self->threads))
    return; /* the next scan tries again */
  int id = os->timer_open(os->user, tid, SIGTRAP, self->sig_data | (uint32_t)tid);
  if (id == -EINVAL || id == -ESRCH) /* it has ended meanwhile */
    return;
  bool is_first = self->scan == 1;
  self->counts.unseen_ns += is_first ? 0 : cpu_ns_of(tid);
  self->counts.refused += id < 0;
  self->counts.threads++;
  memmove(&self->threads[index + 1], &self->threads[index],
          (self->count - index) * sizeof *self->threads);
  self->threads[index] = (struct timed_thread){.tid = tid, .id = id < 0 ? -1 : id};
  self->threads[index].scan = self->scan;
  self->count++;
  visit(user, (uint32_t)tid, true);
  if (id >= 0)
    os->timer_start(os->user, id, self->period_ns);
}

static void put_away(struct prof_cputimers *self, size_t index, prof_cputimers_visit *visit,
                     void *user) {
  struct timed_thread thread = self->threads[index];
  if (thread.id >= 0)
    self->os->timer_close(self->os->user, thread.id);
  self->count--;
  memmove(&self->threads[index], &self->threads[index + 1],
          (self->count - index) * sizeof *self->threads);
  visit(user, (uint32_t)thread.tid, false);
}

void prof_cputimers_scan(struct prof_cputimers *self, prof_cputimers_visit *visit, void *user) {
  const struct prof_os *os = self->os;
  self->scan++;
  int count = list(self);
  if (count < 0)
    return; /* the next scan tries again */
  for (int i = 0; i < count; i++) {
    int tid = self->tids[i];
    size_t index = index_of(self, tid);
    bool is_known = index < self->count && self->threads[index].tid == tid;
    if (tid == self->skip_tid)
      continue;
    /* Over, and its number is another thread's already. */
    if (is_known && self->threads[index].id >= 0 &&
        !os->timer_runs(os->user, self->threads[index].id)) {
      put_away(self, index, visit, user);
      is_known = false;
    }
    if (is_known)
      self->threads[index].scan = self->scan;
    else
      take_in(self, index, tid, visit, user);
  }
  for (size_t i = self->count; i-- > 0;)
    if (self->threads[i].scan != self->scan)
      put_away(self, i, visit, user);
}

void prof_cputimers_stop(struct prof_cputimers *self) {
  for (size_t i = 0; i < self->count; i++)
    if (self->threads[i].id >= 0)
      self->os->timer_close(self->os->user, self->threads[i].id);
  self->count = 0;
}

struct prof_cputimer_counts prof_cputimers_counts(const struct prof_cputimers *self) {
  return self->counts;
}

void prof_cputimers_close(struct prof_cputimers *self) {
  if (!self)
    return;
  prof_cputimers_stop(self);
  free(self->threads);
  free(self->tids);
  free(self);
}
