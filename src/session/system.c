#include "session/system.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "base/clock.h"
#include "perf/attr.h"
#include "perf/cpus.h"
#include "perf/datasave.h"
#include "perf/extras.h"
#include "perf/mapping.h"
#include "perf/refusal.h"
#include "perf/ring.h"
#include "session/made.h"
#include "session/meter.h"

/* "raw records": their stacks are copies (session/replay.c tells by it). */
#define VERSION "raw records of all processes, by rspack-prof"

enum { ROUND_MS = 10 }; /* a ring of copies (mapping.c) holds 100 ms and more at 4000 Hz */

struct prof_system {
  struct prof_plan plan;
  struct perf_event_attr attr;
  struct prof_ring rings[PROF_CPUS_MAX];
  int trackers[PROF_CPUS_MAX]; /* of each ring's CPU; -1: not open */
  int cpu_count;
  unsigned char scratch[PROF_RING_SCRATCH_BYTES];
  struct prof_datasave *save;
  uint64_t start_ns;
  pthread_t thread;
  atomic_bool is_ending;
};

static void keep(void *user, const struct perf_event_header *record, int cpu) {
  struct prof_system *self = user;
  (void)cpu;
  prof_datasave_record(self->save, record);
}

static void read_rings(struct prof_system *self) {
  for (int i = 0; i < self->cpu_count; i++)
    prof_ring_drain(&self->rings[i], keep, self);
}

static void drain(struct prof_system *self) {
  read_rings(self);
  prof_datasave_round(self->save);
}

static void *run(void *user) {
  struct prof_system *self = user;
  prctl(PR_SET_NAME, "rspack-prof");
  while (!atomic_load(&self->is_ending)) {
    drain(self);
    usleep(ROUND_MS * 1000);
  }
  return NULL;
}

/* --- what is there already --- */

struct process {
  struct prof_system *system;
  uint32_t pid;
};

/* Numbers of a folder of /proc, the caller's to free; none: it is gone, or memory is. */
static int *list_numbers(const char *folder, int *count) {
  int *numbers = NULL;
  size_t capacity = 0;
  *count = prof_os_list(&prof_os_real, folder, &numbers, &capacity);
  return numbers;
}

static void save_mapping(void *user, const struct prof_mapping *mapping) {
  const struct process *process = user;
  if (mapping->is_executable && mapping->path[0])
    prof_made_mapping(process->system->save, process->pid, mapping, NULL, 0);
}

static void save_threads(struct prof_system *self, uint32_t pid) {
  const struct prof_os *os = &prof_os_real;
  char path[64], name[32];
  int count;
  snprintf(path, sizeof path, "/proc/%u/task", pid);
  int *tids = list_numbers(path, &count);
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof path, "/proc/%u/task/%d/comm", pid, tids[i]);
    if (os->read_file(os->user, path, name, sizeof name) <= 0)
      continue; /* it has ended meanwhile */
    name[strcspn(name, "\n")] = 0;
    prof_made_thread(self->save, pid, (uint32_t)tids[i], name);
  }
  free(tids);
}

/* Processes that begin meanwhile tell of themselves: the trackers run by now. Rings are read in
 * between, which thousands of processes would fill. */
static int save_processes(struct prof_system *self, struct prof_error *error) {
  int count;
  int *pids = list_numbers("/proc", &count);
  if (count == -ENOMEM)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the list of processes");
  for (int i = 0; i < count; i++) {
    struct process process = {.system = self, .pid = (uint32_t)pids[i]};
    char path[64];
    int sys_errno;
    snprintf(path, sizeof path, "/proc/%d/maps", pids[i]);
    save_threads(self, process.pid);
    prof_maps_read(path, save_mapping, &process, &sys_errno);
    read_rings(self);
  }
  free(pids);
  prof_datasave_round(self->save);
  return PROF_OK;
}

/* --- opening, closing --- */

static int refused(const struct prof_system *self, int result, struct prof_error *error) {
  long paranoid = prof_os_number(&prof_os_real, PROF_SYS_PARANOID, 2);
  if (prof_refusal_of(result) == PROF_REFUSAL_PERMISSION)
    return prof_error_set(
        error, PROF_PERMISSION, -result, "perf_event_open",
        "all processes are recorded only where kernel.perf_event_paranoid is 0 or "
        "below (it is %ld): run `sudo sysctl kernel.perf_event_paranoid=0`, or this "
        "command as root",
        paranoid);
  return prof_refusal_error(&prof_os_real, &self->plan.event, self->plan.requested, result, error);
}

/* An event that never samples tells which code is mapped, and which threads begin, end and change
 * their names; from before the samples begin, and alone: twice would be once too often. */
static struct perf_event_attr tracker_attr(const struct prof_system *self) {
  struct perf_event_attr attr = self->attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.freq = 0;
  attr.sample_period = 0;
  attr.precise_ip = 0;
  attr.sample_type &= PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU;
  attr.sample_regs_user = 0;
  attr.sample_stack_user = 0;
  return attr;
}

static struct perf_event_attr sampler_attr(const struct prof_system *self) {
  struct perf_event_attr attr = self->attr;
  attr.mmap = attr.mmap2 = attr.mmap_data = attr.comm = attr.comm_exec = attr.task = 0;
  return attr;
}

/* 0 or -errno. */
static int open_trackers(struct prof_system *self) {
  const struct prof_os *os = &prof_os_real;
  struct perf_event_attr attr = tracker_attr(self);
  for (int i = 0; i < self->cpu_count; i++) {
    int fd = os->perf_event_open(os->user, &attr, -1, self->rings[i].cpu);
    if (fd < 0)
      return fd;
    self->trackers[i] = fd;
    int result =
        os->ioctl(os->user, fd, PERF_EVENT_IOC_SET_OUTPUT, (unsigned long)self->rings[i].fd);
    if (result)
      return result;
  }
  return 0;
}

static int open_events(struct prof_system *self, const char *cpus, size_t ring_bytes,
                       struct prof_error *error) {
  const struct prof_os *os = &prof_os_real;
  struct perf_event_attr attr = sampler_attr(self);
  int numbers[PROF_CPUS_MAX];
  int wanted = prof_cpus_choose(os, cpus, numbers, PROF_CPUS_MAX, error), result = 0;
  if (wanted < 0)
    return wanted;
  for (int i = 0; i < wanted; i++) {
    int fd = os->perf_event_open(os->user, &attr, -1, numbers[i]);
    if (fd == -ENODEV || fd == -ENXIO) { /* went offline */
      result = fd;
      continue;
    }
    if (fd < 0)
      return refused(self, fd, error);
    self->trackers[self->cpu_count] = -1;
    self->rings[self->cpu_count++] = (struct prof_ring){.fd = fd, .cpu = numbers[i]};
  }
  if (!self->cpu_count)
    return refused(self, result, error);
  int status = prof_mapping_map(os, self->rings, self->cpu_count,
                                ring_bytes ? ring_bytes : prof_mapping_bytes(&self->plan),
                                self->scratch, &self->plan, error);
  if (!status && (result = open_trackers(self)))
    status = refused(self, result, error);
  return status;
}

static int choose(struct prof_system *self, const struct prof_system_options *options,
                  struct prof_error *error) {
  struct prof_plan *plan = &self->plan;
  int status = prof_extras_choose(&prof_os_real, options->event, options->frequency,
                                  options->period_events, options->call_graph, plan, error);
  if (status)
    return status;
  if (plan->timers)
    return refused(self, -EACCES, error);
  if (plan->extra_count)
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "all processes are recorded by one event: name one");
  if (plan->stack_dump && options->stack_bytes)
    plan->stack_bytes = options->stack_bytes;
  struct prof_meter meter;
  uint32_t hz = prof_meter_open(&meter, 0, plan);
  prof_meter_lower(&meter, hz, "a CPU", plan);
  plan->threads_only = false;
  prof_attr_fill(plan, 0, &self->attr);
  self->attr.inherit = 0; /* the event is the CPU's */
  self->attr.exclude_idle = 1;
  self->attr.wakeup_watermark = 0; /* nobody waits for a record */
  return PROF_OK;
}

static void destroy(struct prof_system *self) {
  const struct prof_os *os = &prof_os_real;
  prof_mapping_unmap(os, self->rings, self->cpu_count);
  for (int i = 0; i < self->cpu_count; i++) {
    if (self->trackers[i] >= 0)
      os->close(os->user, self->trackers[i]);
    os->close(os->user, self->rings[i].fd);
  }
  free(self);
}

/* The recorder's thread takes none of the program's signals. */
static int create_thread(struct prof_system *self, struct prof_error *error) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&self->thread, NULL, run, self);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!failed)
    return PROF_OK;
  return prof_error_set(error, PROF_SYSTEM, failed, "pthread_create",
                        "the recorder's thread could not be started: %s", strerror(failed));
}

static int close_file(struct prof_system *self, struct prof_error *error) {
  struct utsname name = {0};
  uname(&name);
  const struct prof_datasave_facts facts = {
      .event_name = self->plan.event.name,
      .version = VERSION,
      .os_release = name.release,
      .arch = name.machine,
      .command = "",
      .cpus = (uint32_t)self->cpu_count,
      .first_ns = self->start_ns,
      .last_ns = prof_now_ns(),
      .wall_ns = prof_clock_ns(CLOCK_REALTIME),
      .wall_at_ns = prof_now_ns(),
  };
  return prof_datasave_close(self->save, &facts, error);
}

int prof_system_start(const struct prof_system_options *options, struct prof_system **out,
                      struct prof_error *error) {
  struct prof_system *self = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for a recording");
  int status = choose(self, options, error);
  if (!status)
    status = open_events(self, options->cpus, options->ring_bytes, error);
  if (!status)
    status = prof_datasave_open(options->path, &self->attr, &self->save, error);
  if (!status) {
    if (self->plan.kernel)
      prof_made_kernel(self->save);
    /* What is mapped while the list is read stands in the rings as well. */
    for (int i = 0; i < self->cpu_count; i++)
      prof_os_real.ioctl(prof_os_real.user, self->trackers[i], PERF_EVENT_IOC_ENABLE, 0);
    status = save_processes(self, error);
    self->start_ns = prof_now_ns();
    for (int i = 0; !status && i < self->cpu_count; i++)
      prof_os_real.ioctl(prof_os_real.user, self->rings[i].fd, PERF_EVENT_IOC_ENABLE, 0);
    if (!status)
      status = create_thread(self, error);
    if (status)
      prof_datasave_close(self->save, NULL, NULL);
  }
  if (status) {
    destroy(self);
    return status;
  }
  *out = self;
  return PROF_OK;
}

const struct prof_plan *prof_system_plan(const struct prof_system *self) {
  return &self->plan;
}

int prof_system_stop(struct prof_system *self, struct prof_error *error) {
  for (int i = 0; i < self->cpu_count; i++)
    prof_os_real.ioctl(prof_os_real.user, self->rings[i].fd, PERF_EVENT_IOC_DISABLE, 0);
  atomic_store(&self->is_ending, true);
  pthread_join(self->thread, NULL);
  drain(self);
  int status = close_file(self, error);
  destroy(self);
  return status;
}
