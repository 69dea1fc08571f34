#include "trace/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/status.h"
#include "trace/probes.h"

enum { CPUS_MAX = 4096, THREADS_MAX = 8192, SCANS_MAX = 20 };

static int open_on(struct prof_watch *self, const struct perf_event_attr *attr, int tid, int cpu,
                   struct prof_watch_set *set) {
  const struct prof_os *os = self->os;
  int fd, result;
  if (prof_array_reserve((void **)&set->fds, &set->capacity, set->count + 1, sizeof *set->fds))
    return -ENOMEM;
  fd = os->perf_event_open(os->user, attr, tid, self->cpus[cpu]);
  if (fd < 0)
    return fd;
  if (self->rings[cpu].map) {
    result = os->ioctl(os->user, fd, PERF_EVENT_IOC_SET_OUTPUT, self->rings[cpu].fd);
    if (result) {
      os->close(os->user, fd);
      return result;
    }
  }
  set->fds[set->count++] = fd;
  return fd;
}

/* Of one thread; 0, or a negative errno (-ESRCH: it has ended). */
static int open_thread(struct prof_watch *self, const struct perf_event_attr *attr, int tid,
                       struct prof_watch_set *set) {
  for (int cpu = 0; cpu < self->cpu_count; cpu++) {
    int fd = open_on(self, attr, tid, cpu, set);
    if (fd < 0 && fd != -ENODEV) /* that CPU went away */
      return fd;
  }
  return 0;
}

/* The threads that live now, less our own. */
static int list_threads(struct prof_watch *self, int *tids) {
  const struct prof_os *os = self->os;
  char folder[64];
  int count = 0, got;
  if (!self->is_command) {
    count = os->list_numbers(os->user, "/proc/self/task", tids, THREADS_MAX);
    count = count > THREADS_MAX ? THREADS_MAX : count;
  }
  pthread_mutex_lock(&self->lock);
  for (size_t i = 0; self->is_command && i < self->pid_count; i++) {
    snprintf(folder, sizeof folder, "/proc/%u/task", self->pids[i]);
    got = os->list_numbers(os->user, folder, tids + count, THREADS_MAX - count);
    if (got > 0)
      count += got > THREADS_MAX - count ? THREADS_MAX - count : got;
  }
  pthread_mutex_unlock(&self->lock);
  int kept = 0;
  for (int i = 0; i < count; i++)
    if (tids[i] != self->skip_tids[0] && tids[i] != self->skip_tids[1])
      tids[kept++] = tids[i];
  return kept;
}

static bool is_among(const int *tids, int count, int tid) {
  for (int i = 0; i < count; i++)
    if (tids[i] == tid)
      return true;
  return false;
}

/* Threads that are born while this goes on inherit the event of who made them, if that one has it
 * already: again until a scan finds nobody new. */
static int open_living(struct prof_watch *self, const struct perf_event_attr *attr,
                       struct prof_watch_set *set) {
  int *tids = malloc(2 * THREADS_MAX * sizeof *tids), *done, done_count = 0, result = 0;
  if (!tids)
    return -ENOMEM;
  done = tids + THREADS_MAX;
  for (int scan = 0, found = 1; found && scan < SCANS_MAX && !result; scan++) {
    int count = list_threads(self, tids);
    found = 0;
    for (int i = 0; i < count && !result; i++) {
      if (is_among(done, done_count, tids[i]) || done_count == THREADS_MAX)
        continue;
      done[done_count++] = tids[i];
      found++;
      result = open_thread(self, attr, tids[i], set);
      result = result == -ESRCH ? 0 : result;
    }
  }
  free(tids);
  return result;
}

int prof_watch_add(struct prof_watch *self, const struct perf_event_attr *attr, bool is_first,
                   struct prof_watch_set *set, struct prof_error *error) {
  struct perf_event_attr own = *attr;
  int result;
  own.enable_on_exec = self->is_command && is_first;
  own.inherit_thread = !self->is_command;
  if (self->is_command && is_first)
    result = open_thread(self, &own, 0, set);
  else
    result = open_living(self, &own, set);
  if (result == 0)
    return PROF_OK;
  prof_watch_drop(self, set);
  return prof_probes_refused("the functions", result, error);
}

static void all(struct prof_watch *self, const struct prof_watch_set *set, unsigned long request) {
  for (size_t i = 0; i < set->count; i++)
    self->os->ioctl(self->os->user, set->fds[i], request, 0);
}

void prof_watch_enable(struct prof_watch *self, const struct prof_watch_set *set) {
  all(self, set, PERF_EVENT_IOC_ENABLE);
}

void prof_watch_disable(struct prof_watch *self, const struct prof_watch_set *set) {
  all(self, set, PERF_EVENT_IOC_DISABLE);
}

void prof_watch_drop(struct prof_watch *self, struct prof_watch_set *set) {
  for (size_t i = 0; i < set->count; i++)
    self->os->close(self->os->user, set->fds[i]);
  free(set->fds);
  *set = (struct prof_watch_set){0};
}

void prof_watch_hold(struct prof_watch *self, const struct perf_event_attr *attr, uint32_t pid,
                     struct prof_watch_set *set) {
  if (prof_array_reserve((void **)&set->fds, &set->capacity, set->count + 1, sizeof *set->fds))
    return;
  int fd = self->os->perf_event_open(self->os->user, attr, (int)pid, self->cpus[0]);
  if (fd >= 0)
    set->fds[set->count++] = fd;
}

void prof_watch_hold_all(struct prof_watch *self, const struct perf_event_attr *attr,
                         struct prof_watch_set *set) {
  pthread_mutex_lock(&self->lock);
  for (size_t i = 0; i < self->pid_count; i++)
    prof_watch_hold(self, attr, self->pids[i], set);
  pthread_mutex_unlock(&self->lock);
}

bool prof_watch_pid(struct prof_watch *self, uint32_t pid) {
  /* Written by this thread alone: reading needs no lock here. */
  for (size_t i = self->pid_count; i > 0; i--)
    if (self->pids[i - 1] == pid)
      return false;
  pthread_mutex_lock(&self->lock);
  if (prof_array_reserve((void **)&self->pids, &self->pid_capacity, self->pid_count + 1,
                         sizeof *self->pids) == 0)
    self->pids[self->pid_count++] = pid;
  pthread_mutex_unlock(&self->lock);
  return true;
}

/* One on the calling thread for each CPU, which owns that CPU's ring. */
static int open_rings(struct prof_watch *self, const struct perf_event_attr *attr,
                      size_t ring_bytes, struct prof_error *error) {
  const struct prof_os *os = self->os;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  struct perf_event_attr own = *attr;
  own.enable_on_exec = self->is_command;
  own.inherit_thread = !self->is_command;
  for (int cpu = 0; cpu < self->cpu_count; cpu++) {
    void *map;
    int fd = open_on(self, &own, 0, cpu, &self->base), result;
    if (fd < 0)
      return prof_probes_refused("the functions", fd, error);
    result = os->map(os->user, fd, ring_bytes + page, &map);
    if (result)
      return prof_error_set(error, PROF_MEMORY_LOCK, -result, "mmap",
                            "no memory for a ring of %zu KB a CPU: raise it with `sudo sysctl "
                            "kernel.perf_event_mlock_kb=65536`, or run as root",
                            ring_bytes >> 10);
    prof_ring_init(&self->rings[cpu], map, ring_bytes + page, page, fd, self->cpus[cpu],
                   self->scratch);
  }
  return PROF_OK;
}

int prof_watch_open(struct prof_watch *self, const struct prof_os *os, bool is_command,
                    size_t ring_bytes, int skip_tid, struct prof_error *error) {
  struct perf_event_attr attr = {
      .type = PERF_TYPE_SOFTWARE,
      .size = sizeof attr,
      .config = PERF_COUNT_SW_DUMMY,
      .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID,
      .disabled = 1,
      .inherit = 1,
      .use_clockid = 1,
      .clockid = 1, /* CLOCK_MONOTONIC */
      .sample_id_all = 1,
      .task = 1,
      .comm = 1,
      .comm_exec = 1,
      .exclude_kernel = 1,
      .exclude_hv = 1,
      .wakeup_events = 1 << 30,
  };
  int status = PROF_OK;
  *self = (struct prof_watch){.os = os, .is_command = is_command, .skip_tids = {skip_tid}};
  pthread_mutex_init(&self->lock, NULL);
  prof_record_layout_of(&attr, &self->layout);
  self->cpus = malloc(CPUS_MAX * sizeof *self->cpus);
  self->scratch = malloc(PROF_RING_SCRATCH_BYTES);
  self->cpu_count = self->cpus ? prof_os_cpus(os, self->cpus, CPUS_MAX) : 0;
  self->rings = calloc((size_t)self->cpu_count + 1, sizeof *self->rings);
  if (!self->cpus || !self->scratch || !self->rings)
    status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the rings");
  if (!status)
    status = open_rings(self, &attr, ring_bytes, error);
  if (!status && !is_command)
    status = prof_watch_add(self, &attr, false, &self->base, error);
  if (!status && !is_command)
    prof_watch_enable(self, &self->base);
  if (status)
    prof_watch_close(self);
  return status;
}

void prof_watch_close(struct prof_watch *self) {
  for (int cpu = 0; self->rings && cpu < self->cpu_count; cpu++)
    if (self->rings[cpu].map)
      self->os->unmap(self->os->user, self->rings[cpu].map, self->rings[cpu].map_bytes);
  prof_watch_drop(self, &self->base);
  free(self->rings);
  free(self->scratch);
  free(self->cpus);
  free(self->pids);
  *self = (struct prof_watch){0};
}
