#include "perf/attach_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "perf/attr.h"
#include "perf/extras.h"
#include "perf/mapping.h"
#include "perf/switches.h"

/* Scans of /proc/self/task while new threads turn up. A thread that is found late was nearly
 * certainly made by one that had its event, and inherits: the bound costs nothing but doubles. */
#define SCANS_MAX 16

size_t prof_attach_set_fds(const struct prof_attach *self) {
  size_t count = 0;
  for (int i = 0; i < self->set_count; i++)
    count += self->sets[i].fd_count;
  return count;
}

/* The kernel lowers perf_event_max_sample_rate by itself when interrupts take too long, then
 * refuses what it took a moment before. Periods are in the samples: events may differ in rate. */
static bool follow_sample_rate(struct prof_attach *self, struct event_set *set) {
  long rate = prof_os_number(self->os, PROF_SYS_RATE, -1);
  if (rate <= 0 || rate >= (long)set->frequency)
    return false;
  prof_plan_note(&self->plan, "frequency-lowered", "",
                 "%u Hz is lowered to %ld Hz: the kernel has lowered perf_event_max_sample_rate",
                 set->frequency, rate);
  set->frequency = (uint32_t)rate;
  if (rate < (long)self->plan.frequency)
    self->plan.frequency = (uint32_t)rate;
  return true;
}

/* Which event of a thread is opened: the plan's first, one of its extras (from 1), or switches. */
enum { FIRST = 0, SWITCHES = -1 };

/* The descriptor on this CPU of the event that leads this one's group, or -1. */
static int leader_of(const struct prof_attach *self, int which, int cpu_index) {
  int group = which > FIRST ? prof_extras_group(&self->plan, which) : -1;
  for (int i = 0; group >= 0 && i < which; i++)
    if (prof_extras_group(&self->plan, i) == group)
      return self->leaders[i * self->cpu_count + cpu_index];
  return -1;
}

/* One event. A descriptor, or -errno. */
static int open_one(struct prof_attach *self, struct event_set *set, int tid, int cpu_index,
                    int which) {
  const struct prof_os *os = self->os;
  uint64_t sig_data = self->sig_data | (uint32_t)tid;
  struct perf_event_attr attr;
  int fd;
  do {
    if (which == SWITCHES)
      prof_switches_fill(&self->plan, sig_data, &attr);
    else if (which == FIRST)
      prof_attr_fill(&self->plan, sig_data, &attr);
    else
      prof_extras_fill(&self->plan, which, sig_data, &attr);
    if (attr.freq)
      attr.sample_freq = set->frequency;
    if (attr.type == PERF_TYPE_HARDWARE || attr.type == PERF_TYPE_HW_CACHE)
      attr.config |= self->hybrid[cpu_index];
    fd = os->open_in_group(os->user, &attr, tid, self->rings[cpu_index].cpu,
                           leader_of(self, which, cpu_index));
  } while (fd == -EINTR || (fd == -EINVAL && attr.freq && follow_sample_rate(self, set)));
  return fd;
}

static int open_failed(struct prof_attach *self, int tid, int cpu, int result,
                       struct prof_error *error) {
  if (result == -EMFILE || result == -ENFILE)
    return prof_error_set(error, PROF_TOO_MANY_FILES, -result, "perf_event_open",
                          "no descriptor is left after %zu events (%d CPUs): raise the limit with "
                          "`ulimit -n 65536`",
                          prof_attach_set_fds(self), self->cpu_count);
  if (result == -ENOMEM)
    return prof_error_set(error, PROF_NO_MEMORY, ENOMEM, "perf_event_open",
                          "no memory for the events of thread %d", tid);
  if (result == -EACCES || result == -EPERM)
    return prof_error_set(error, PROF_PERMISSION, -result, "perf_event_open",
                          "the kernel refuses '%s' on thread %d: %s", self->plan.event.name, tid,
                          strerror(-result));
  return prof_error_set(error, PROF_SYSTEM, -result, "perf_event_open",
                        "'%s' does not open on thread %d, CPU %d: %s", self->plan.event.name, tid,
                        cpu, strerror(-result));
}

/* Takes a fresh descriptor in: its id, its ring. It is closed where that fails. */
static int adopt(struct prof_attach *self, struct event_set *set, int fd, int tid, int cpu_index,
                 int which) {
  const struct prof_os *os = self->os;
  struct prof_ring *ring = &self->rings[cpu_index];
  uint64_t id;
  int result = 0;
  if (prof_array_reserve((void **)&set->fds, &set->fd_capacity, set->fd_count + 1,
                         sizeof *set->fds))
    result = -ENOMEM;
  if (!result)
    result = os->event_id(os->user, fd, &id);
  if (!result && prof_owners_add(&self->owners, (int)(set - self->sets), id, (uint32_t)tid))
    result = -ENOMEM;
  if (!result && which > FIRST && prof_table_put(&self->event_of, id, (uint32_t)which))
    result = -ENOMEM;
  if (!result && ring->map)
    result = os->ioctl(os->user, fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd);
  if (result) {
    os->close(os->user, fd);
    return result;
  }
  if (!ring->map)
    ring->fd = fd;
  set->fds[set->fd_count++] = fd;
  if (which >= FIRST)
    self->leaders[which * self->cpu_count + cpu_index] = fd;
  return 0;
}

/* All events of one thread. 1, 0 for a thread that has ended, or a status. */
static int open_thread(struct prof_attach *self, struct event_set *set, int tid,
                       struct prof_error *error) {
  const struct prof_os *os = self->os;
  size_t first = set->fd_count;
  for (int i = 0; i < self->cpu_count * (1 + self->plan.extra_count); i++)
    self->leaders[i] = -1;
  for (int i = 0; i < self->cpu_count; i++) {
    int fd, result;
    fd = open_one(self, set, tid, i, FIRST);
    if (fd == -ESRCH) {
      while (set->fd_count > first)
        os->close(os->user, set->fds[--set->fd_count]);
      for (int j = 0; j < self->cpu_count; j++)
        if (!self->rings[j].map)
          self->rings[j].fd = -1;
      return 0;
    }
    if (fd == -ENODEV || fd == -ENXIO)
      continue;
    result = fd < 0 ? fd : adopt(self, set, fd, tid, i, FIRST);
    if (result < 0)
      return open_failed(self, tid, self->rings[i].cpu, result, error);
  }
  if (set->fd_count == first)
    return open_failed(self, tid, self->rings[0].cpu, -ENODEV, error);
  /* Enabled first: a thread that turned up late is better counted twice for a moment than not. */
  if (set->enabled)
    for (size_t i = first; i < set->fd_count; i++)
      os->ioctl(os->user, set->fds[i], PERF_EVENT_IOC_ENABLE, 0);
  prof_owners_put(&self->owners, (int)(set - self->sets), (uint32_t)tid, true);
  set->thread_count++;
  return 1;
}

/* On the first thread's events; CPUs that went away meanwhile are left out from here on. */
static int map_rings(struct prof_attach *self, struct prof_error *error) {
  int kept = 0;
  for (int i = 0; i < self->cpu_count; i++)
    if (self->rings[i].fd >= 0) {
      self->hybrid[kept] = self->hybrid[i];
      self->rings[kept++] = self->rings[i];
    }
  self->cpu_count = kept;
  return prof_mapping_map(self->os, self->rings, kept, self->ring_bytes, self->scratch, &self->plan,
                          error);
}

/* The threads now, the process's first one in front: it outlives the others, and the ring's
 * descriptor should not report a hang-up before the end. Their number, or a status. */
static int list_threads(struct prof_attach *self, struct prof_error *error) {
  int count = prof_os_list(self->os, "/proc/self/task", &self->tids, &self->tid_capacity);
  if (count < 0)
    return prof_error_set(error, count == -ENOMEM ? PROF_NO_MEMORY : PROF_SYSTEM, -count, "open",
                          "/proc/self/task cannot be read (is /proc mounted?): %s",
                          strerror(-count));
  for (int i = 1; i < count; i++)
    if (self->tids[i] == getpid()) {
      self->tids[i] = self->tids[0];
      self->tids[0] = getpid();
    }
  return count;
}

static bool has_switches(const struct prof_attach *self) {
  return self->plan.switches == PROF_SWITCHES_EVENT;
}

/* A further event of a thread that has its first: into rings that are mapped. 0, or a status. */
static int open_further(struct prof_attach *self, struct event_set *set, int tid, int which,
                        struct prof_error *error) {
  const struct prof_os *os = self->os;
  for (int i = 0; i < self->cpu_count; i++) {
    int fd = open_one(self, set, tid, i, which), result;
    if (fd == -ESRCH) /* it has ended meanwhile */
      return 0;
    if (fd == -ENODEV || fd == -ENXIO)
      continue;
    result = fd < 0 ? fd : adopt(self, set, fd, tid, i, which);
    if (result < 0)
      return open_failed(self, tid, self->rings[i].cpu, result, error);
    if (set->enabled)
      os->ioctl(os->user, fd, PERF_EVENT_IOC_ENABLE, 0);
  }
  return 0;
}

static int open_others(struct prof_attach *self, struct event_set *set, int tid,
                       struct prof_error *error) {
  int status = has_switches(self) ? open_further(self, set, tid, SWITCHES, error) : 0;
  for (int i = 1; i <= self->plan.extra_count && !status; i++)
    status = open_further(self, set, tid, i, error);
  return status;
}

int prof_attach_set_scan(struct prof_attach *self, struct event_set *set,
                         struct prof_error *error) {
  const struct prof_os *os = self->os;
  int count = list_threads(self, error), fresh = 0, opened = 0, status;
  if (count < 0)
    return count;
  for (int i = 0; i < count; i++)
    if (self->tids[i] != self->skip_tid &&
        !prof_owners_has(&self->owners, (int)(set - self->sets), (uint32_t)self->tids[i]))
      self->tids[fresh++] = self->tids[i];
  status =
      prof_files_reserve(&self->files, os, (long)prof_attach_set_fds(self), fresh, self->cpu_count,
                         1 + has_switches(self) + self->plan.extra_count, error);
  for (int i = 0; i < fresh && !status; i++) {
    int result = open_thread(self, set, self->tids[i], error);
    if (result < 0)
      return result;
    opened += result;
    if (result && !self->rings[0].map)
      status = map_rings(self, error);
    if (result && !status)
      status = open_others(self, set, self->tids[i], error);
  }
  return status ? status : opened;
}

void prof_attach_set_close(struct prof_attach *self, int index) {
  struct event_set *set = &self->sets[index];
  while (set->fd_count)
    self->os->close(self->os->user, set->fds[--set->fd_count]);
  free(set->fds);
  prof_owners_drop_set(&self->owners, index);
  *set = (struct event_set){0};
}

int prof_attach_set_open(struct prof_attach *self, uint32_t frequency, struct prof_error *error) {
  int index = self->set_count, found = 0;
  struct event_set *set = &self->sets[index];
  if (prof_owners_add_set(&self->owners, index))
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the events");
  set->frequency = frequency;
  self->set_count++;
  for (int i = 0; i < SCANS_MAX; i++) {
    found = prof_attach_set_scan(self, set, error);
    if (found <= 0)
      break;
  }
  if (found >= 0 && !set->thread_count)
    found = prof_error_set(error, PROF_SYSTEM, 0, NULL, "no thread to profile was found");
  if (found >= 0)
    return index;
  prof_attach_set_close(self, index);
  self->set_count--;
  return found;
}
