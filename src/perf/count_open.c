#include "perf/count_open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "base/array.h"
#include "perf/refusal.h"

/* A thread born while its process is being opened may have a counter twice, or none: then all is
 * opened again, so often at most. */
enum { TRIES = 8 };

static void fill_attr(const struct prof_count *self, const struct prof_event *event, int variant,
                      bool leads, struct perf_event_attr *out) {
  bool generic = event->type == PERF_TYPE_HARDWARE || event->type == PERF_TYPE_HW_CACHE;
  *out = (struct perf_event_attr){
      .size = sizeof *out,
      .type = event->type,
      .config = event->config | (generic ? self->variants[variant] : 0),
      .config1 = event->config1,
      .config2 = event->config2,
      .exclude_user = event->exclude_user,
      .exclude_kernel = event->exclude_kernel,
      .exclude_hv = event->exclude_hv,
      .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
      /* Members follow their leader. */
      .disabled = leads,
      .inherit = self->scope != PROF_COUNT_CPUS,
      .enable_on_exec = leads && self->scope == PROF_COUNT_COMMAND,
  };
}

static int open_one(const struct prof_count *self, const struct prof_event *event, int variant,
                    int tid, int cpu, int leader_fd) {
  struct perf_event_attr attr;
  fill_attr(self, event, variant, leader_fd < 0, &attr);
  return self->os->open_in_group(self->os->user, &attr, tid, cpu, leader_fd);
}

/* On the calling thread, or the first CPU, without and then with its group. */
static int try_event(const struct prof_count *self, const struct prof_event *event, int leader_fd) {
  bool cpus = self->scope == PROF_COUNT_CPUS;
  return open_one(self, event, 0, cpus ? -1 : 0, cpus ? self->cpus[0] : -1, leader_fd);
}

static void note_kernel_excluded(struct prof_count *self, const struct prof_count_event *event) {
  prof_plan_note(&self->plan, "kernel-excluded", "sudo sysctl kernel.perf_event_paranoid=1",
                 "'%s' is counted in user mode only: kernel.perf_event_paranoid is %ld",
                 event->requested, prof_os_number(self->os, PROF_SYS_PARANOID, -1));
}

/* The event alone: a descriptor, or a negative errno. Leaves the kernel out where it must be. */
static int settle_alone(struct prof_count *self, struct prof_count_event *event) {
  int fd = try_event(self, &event->event, -1);
  enum prof_refusal refusal = prof_refusal_of(fd);
  bool is_refused = refusal == PROF_REFUSAL_PERMISSION || refusal == PROF_REFUSAL_BLOCKED;
  if (!is_refused || event->event.exclude_user || event->event.exclude_kernel ||
      event->event.in_kernel_only || self->scope == PROF_COUNT_CPUS)
    return fd;
  struct prof_event user = event->event;
  user.exclude_kernel = user.exclude_hv = true;
  prof_event_rename(&user);
  int user_fd = try_event(self, &user, -1);
  if (user_fd < 0)
    return fd;
  event->event = user;
  note_kernel_excluded(self, event);
  return user_fd;
}

static int refuse(const struct prof_count *self, const struct prof_count_event *event, int result,
                  struct prof_error *error) {
  bool is_cpus = self->scope == PROF_COUNT_CPUS;
  if (prof_refusal_of(result) == PROF_REFUSAL_INVALID && !is_cpus &&
      event->event.type >= PERF_TYPE_MAX)
    return prof_error_set(error, PROF_BAD_EVENT, -result, "perf_event_open",
                          "'%s' does not count single programs: it belongs to a whole CPU, count "
                          "it with --all-cpus",
                          event->requested);
  return prof_refusal_error(self->os, &event->event, event->requested, result, error);
}

/* With the group as far as it is settled. The group's descriptors stay open meanwhile: the kernel
 * looks whether all of them fit on the counters at once. */
static int settle_in_group(struct prof_count *self, size_t index, int fd, int *probes,
                           struct prof_error *error) {
  struct prof_count_event *event = &self->events[index];
  for (size_t i = 0; i < index; i++) {
    if (event->group < 0 || self->events[i].group != event->group || self->leaders[i] != (int)i)
      continue;
    self->os->close(self->os->user, fd);
    probes[index] = try_event(self, &event->event, probes[i]);
    self->leaders[index] = (int)i;
    if (probes[index] >= 0)
      return 0;
    return prof_error_set(error, PROF_BAD_EVENT, -probes[index], "perf_event_open",
                          "'%s' cannot be counted in one group with '%s': there are too few "
                          "counters, or they are of another kind; give it outside of the braces",
                          event->requested, self->events[i].requested);
  }
  probes[index] = fd;
  self->leaders[index] = (int)index;
  return 0;
}

int prof_count_settle(struct prof_count *self, bool optional, struct prof_error *error) {
  int probes[PROF_EVENTS_MAX], status = 0, refused = 0;
  size_t counted = 0, first_refused = 0;
  for (size_t i = 0; i < PROF_EVENTS_MAX; i++)
    probes[i] = self->leaders[i] = -1;
  for (size_t i = 0; i < self->count && !status; i++) {
    struct prof_count_event *event = &self->events[i];
    int fd = settle_alone(self, event);
    event->is_counted = fd >= 0;
    if (fd >= 0) {
      status = settle_in_group(self, i, fd, probes, error);
      counted++;
      continue;
    }
    snprintf(event->reason, sizeof event->reason, "%s",
             prof_refusal_reason(prof_refusal_of(fd), &event->event));
    if (!refused) {
      refused = fd;
      first_refused = i;
    }
    if (!optional)
      status = refuse(self, event, fd, error);
  }
  if (!status && !counted)
    status = refuse(self, &self->events[first_refused], refused, error);
  for (size_t i = 0; i < PROF_EVENTS_MAX; i++)
    if (probes[i] >= 0)
      self->os->close(self->os->user, probes[i]);
  return status;
}

static int add_target(struct prof_count *self, int tid, int cpu, struct prof_error *error) {
  size_t slots = prof_count_slots(self), count = self->target_count + 1;
  if (prof_array_reserve((void **)&self->targets, &self->target_capacity, count,
                         sizeof *self->targets) ||
      prof_array_reserve((void **)&self->fds, &self->fd_capacity, count * slots, sizeof *self->fds))
    return prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for counters");
  int *fds = &self->fds[self->target_count * slots];
  for (size_t slot = 0; slot < slots; slot++)
    fds[slot] = -1;
  self->targets[self->target_count++] = (struct count_target){
      .tid = tid, .cpu = cpu, .is_own = tid == 0 || tid == (int)syscall(SYS_gettid)};
  for (size_t slot = 0; slot < slots; slot++) {
    size_t index = slot % self->count, variant = slot / self->count;
    const struct prof_count_event *event = &self->events[index];
    int leader = self->leaders[index];
    bool generic = event->event.is_hardware && event->event.type < PERF_TYPE_MAX;
    if (!event->is_counted || (variant && !generic))
      continue;
    int leader_fd = leader == (int)index ? -1 : fds[variant * self->count + (size_t)leader];
    int fd = open_one(self, &event->event, (int)variant, tid, cpu, leader_fd);
    if (fd == -ESRCH)
      break; /* the thread has ended: nothing of it will count */
    if (fd < 0 && variant)
      continue; /* this kind of core does not have the event */
    if (fd < 0 && self->scope == PROF_COUNT_PROCESS && (fd == -EACCES || fd == -EPERM))
      return prof_error_set(error, PROF_PERMISSION, -fd, "perf_event_open",
                            "process %d is not ours to look into: be its user, or root", self->pid);
    if (fd < 0)
      return refuse(self, event, fd, error);
    fds[slot] = fd;
  }
  return 0;
}

void prof_count_detach(struct prof_count *self) {
  for (size_t i = 0; i < self->target_count * prof_count_slots(self); i++)
    if (self->fds[i] >= 0)
      self->os->close(self->os->user, self->fds[i]);
  self->target_count = 0;
}

/* The threads there are now, in self->tids: how many, or a status. */
static int list_threads(struct prof_count *self, const char *folder, struct prof_error *error) {
  int found = prof_os_list(self->os, folder, &self->tids, &self->tid_capacity);
  if (found == -ENOMEM)
    return prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for thread ids");
  if (found < 0 && self->scope == PROF_COUNT_PROCESS)
    return prof_error_set(error, PROF_BAD_OPTION, -found, NULL, "there is no process %d",
                          self->pid);
  if (found < 0)
    return prof_error_set(error, PROF_SYSTEM, -found, NULL, "cannot read %s: %s", folder,
                          strerror(-found));
  return found;
}

static bool is_target(const struct prof_count *self, int tid) {
  for (size_t i = 0; i < self->target_count; i++)
    if (self->targets[i].tid == tid)
      return true;
  return false;
}

/* Threads that are not among the targets after opening: born meanwhile. */
static int count_newborn(struct prof_count *self, const char *folder, struct prof_error *error) {
  int found = list_threads(self, folder, error), newborn = 0;
  for (int i = 0; i < found; i++)
    newborn += !is_target(self, self->tids[i]);
  return found < 0 ? found : newborn;
}

static int attach_threads(struct prof_count *self, struct prof_error *error) {
  char folder[64] = "/proc/self/task";
  int newborn = 0;
  if (self->scope == PROF_COUNT_PROCESS)
    snprintf(folder, sizeof folder, "/proc/%d/task", self->pid);
  for (int try = 0; try < TRIES; try++) {
    prof_count_detach(self);
    int found = list_threads(self, folder, error);
    for (int i = 0; i < found; i++) {
      int status = add_target(self, self->tids[i], -1, error);
      if (status)
        return status;
    }
    newborn = found < 0 ? found : count_newborn(self, folder, error);
    if (newborn <= 0)
      return newborn;
  }
  prof_plan_note(&self->plan, "threads-born", "",
                 "%d threads were born while counting began: what they did may be missing, or "
                 "counted twice",
                 newborn);
  return 0;
}

int prof_count_attach(struct prof_count *self, struct prof_error *error) {
  int status = 0;
  switch (self->scope) {
  case PROF_COUNT_COMMAND:
    return add_target(self, 0, -1, error);
  case PROF_COUNT_CPUS:
    for (int i = 0; i < self->cpu_count && !status; i++)
      status = add_target(self, -1, self->cpus[i], error);
    return status;
  default:
    return attach_threads(self, error);
  }
}
