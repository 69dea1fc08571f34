/* A machine that does not exist: struct prof_os by rules, in the order of the kernel's own checks
 * (kernel/events/core.c, perf_event_open, kernel 6.18). */
#ifndef RSPACK_PROF_TEST_FAKE_OS_H
#define RSPACK_PROF_TEST_FAKE_OS_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "perf/os.h"

#define FAKE_FDS 8192

struct fake_machine {
  int proc_pid; /* of this process in /proc; 0: the file is missing */
  int paranoid; /* -9: the file cannot be read */
  bool root, seccomp, no_syscall, pmu, pmu_busy, no_precise, hybrid;
  int major, minor; /* of the kernel */
  long max_rate;
  int kptr;
  const char *cpus; /* "0-1" */
  int gone_cpu;     /* ENODEV, -1: none */
  uint32_t max_dump;
  rlim_t soft, hard;
  size_t lock_bytes; /* of all rings */
  int scans[24][32]; /* threads seen by each scan, 0-terminated; the last one with any repeats */
  int scan_count, scan;
  int dead_tid;           /* ESRCH */
  int foreign_tid;        /* of another user's process: EACCES */
  int lower_rate_at_open; /* the n-th open finds max_rate halved; 0: never */
  int out_of_memory_at_open;
  bool no_timers;
  int timers_max; /* RLIMIT_SIGPENDING; 0: no limit */
  bool is_task_hidden;
  int tracefs_errno; /* ENOENT: not mounted; EACCES: not for this user; 0: there */
  int group_room;    /* hardware events that fit on the counters at once; 0: any number */
  /* what happened */
  int opens, open_fds, enabled, outputs, mapped, limit_sets;
  size_t locked;
  struct perf_event_attr attrs[FAKE_FDS]; /* by descriptor */
  int tids[FAKE_FDS], cpu_of[FAKE_FDS], leader_of[FAKE_FDS];
  uint64_t words[FAKE_FDS][3]; /* what a counter reads: value, ns enabled, ns running */
  bool is_open[FAKE_FDS], is_enabled[FAKE_FDS];
  int timers_made, timers_open;
  struct {
    int tid, signal;
    uint64_t data, period_ns;
    bool is_open, is_over; /* its thread has ended */
  } timers[64];            /* by id */
};

static struct fake_machine fake_usual(void) {
  return (struct fake_machine){.paranoid = 1,
                               .pmu = true,
                               .major = 6,
                               .minor = 18,
                               .max_rate = 100000,
                               .cpus = "0-1",
                               .gone_cpu = -1,
                               .max_dump = 65528,
                               .soft = 1 << 20,
                               .hard = 1 << 20,
                               .lock_bytes = 64 << 20,
                               .scans = {{100, 101, 102}},
                               .scan_count = 1};
}

static int fake_open(void *user, const struct perf_event_attr *attr, int tid, int cpu) {
  struct fake_machine *m = user;
  bool modern = m->major > 5 || (m->major == 5 && m->minor >= 13);
  bool hardware = attr->type != PERF_TYPE_SOFTWARE && attr->type != PERF_TYPE_TRACEPOINT;
  m->opens++;
  if (m->opens == m->lower_rate_at_open)
    m->max_rate /= 2;
  if (m->opens == m->out_of_memory_at_open)
    return -ENOMEM;
  if (m->seccomp)
    return -EPERM;
  if (m->no_syscall)
    return -ENOSYS;
  if (!modern && attr->sig_data)
    return -E2BIG;
  if (!modern && (attr->sigtrap || attr->inherit_thread || attr->remove_on_exec))
    return -EINVAL;
  if (attr->sigtrap && !attr->remove_on_exec)
    return -EINVAL;
  if (attr->sample_type & PERF_SAMPLE_STACK_USER && attr->sample_stack_user > m->max_dump)
    return -EMSGSIZE;
  if (!m->root && ((!attr->exclude_kernel && m->paranoid > 1) || m->paranoid > 2))
    return -EACCES;
  if (attr->freq && attr->sample_freq > (uint64_t)m->max_rate)
    return -EINVAL;
  if (tid == m->dead_tid && tid)
    return -ESRCH;
  if (tid == m->foreign_tid && tid)
    return -EACCES;
  if (cpu == m->gone_cpu && cpu >= 0)
    return -ENODEV;
  if (hardware && !m->pmu)
    return -ENOENT;
  if (hardware && m->pmu_busy)
    return -EBUSY;
  if (m->no_precise && attr->precise_ip)
    return -EOPNOTSUPP;
  for (int fd = 10; fd < FAKE_FDS && (rlim_t)fd < m->soft; fd++)
    if (!m->is_open[fd]) {
      m->is_open[fd] = true;
      m->is_enabled[fd] = false;
      m->attrs[fd] = *attr;
      m->tids[fd] = tid;
      m->cpu_of[fd] = cpu;
      m->leader_of[fd] = -1;
      m->open_fds++;
      return fd;
    }
  return -EMFILE;
}

static int fake_open_in_group(void *user, const struct perf_event_attr *attr, int tid, int cpu,
                              int leader_fd) {
  struct fake_machine *m = user;
  int fd = fake_open(user, attr, tid, cpu), hardware = 0;
  if (fd < 0 || leader_fd < 0)
    return fd;
  m->leader_of[fd] = leader_fd;
  for (int i = 10; i < FAKE_FDS; i++)
    hardware += m->is_open[i] && (m->leader_of[i] == leader_fd || i == leader_fd) &&
                m->attrs[i].type != PERF_TYPE_SOFTWARE;
  if (m->group_room && hardware > m->group_room) {
    m->is_open[fd] = false;
    m->open_fds--;
    return -EINVAL;
  }
  return fd;
}

static int fake_read_words(void *user, int fd, uint64_t *words, int count) {
  struct fake_machine *m = user;
  memcpy(words, m->words[fd], (size_t)count * sizeof *words);
  return count;
}

static int fake_ioctl(void *user, int fd, unsigned long request, long argument) {
  struct fake_machine *m = user;
  if (fd < 0 || fd >= FAKE_FDS || !m->is_open[fd])
    return -EBADF;
  if (request == PERF_EVENT_IOC_ENABLE || request == PERF_EVENT_IOC_DISABLE) {
    m->enabled += (request == PERF_EVENT_IOC_ENABLE) - m->is_enabled[fd];
    m->is_enabled[fd] = request == PERF_EVENT_IOC_ENABLE;
  }
  if (request == PERF_EVENT_IOC_SET_OUTPUT) {
    if (m->cpu_of[fd] != m->cpu_of[argument])
      return -EINVAL;
    m->outputs++;
  }
  return 0;
}

static int fake_event_id(void *user, int fd, uint64_t *id) {
  (void)user;
  *id = 5000 + (uint64_t)fd;
  return 0;
}

static int fake_map(void *user, int fd, size_t bytes, void **map) {
  struct fake_machine *m = user;
  (void)fd;
  if (m->locked + bytes > m->lock_bytes)
    return -EPERM;
  *map = aligned_alloc(4096, bytes);
  memset(*map, 0, bytes);
  m->locked += bytes;
  m->mapped++;
  return 0;
}

static void fake_unmap(void *user, void *map, size_t bytes) {
  struct fake_machine *m = user;
  free(map);
  m->locked -= bytes;
  m->mapped--;
}

static void fake_close(void *user, int fd) {
  struct fake_machine *m = user;
  m->open_fds -= m->is_open[fd];
  m->is_open[fd] = false;
}

static int fake_read_file(void *user, const char *path, char *text, size_t size) {
  struct fake_machine *m = user;
  text[0] = 0;
#define FAKE_FILE(name, condition, ...)                                                            \
  if (!strcmp(path, name))                                                                         \
  return (condition) ? snprintf(text, size, __VA_ARGS__) : -ENOENT
  FAKE_FILE("/proc/sys/kernel/perf_event_paranoid", m->paranoid != -9, "%d\n", m->paranoid);
  FAKE_FILE("/proc/sys/kernel/perf_event_max_sample_rate", true, "%ld\n", m->max_rate);
  FAKE_FILE("/proc/sys/kernel/perf_event_mlock_kb", true, "516\n");
  FAKE_FILE("/proc/sys/kernel/kptr_restrict", true, "%d\n", m->kptr);
  FAKE_FILE("/proc/self/stat", m->proc_pid, "%d (node) S\n", m->proc_pid);
  FAKE_FILE("/proc/sys/kernel/osrelease", true, "%d.%d.0-test\n", m->major, m->minor);
  FAKE_FILE("/sys/devices/system/cpu/online", m->cpus != NULL, "%s\n", m->cpus);
#define FAKE_PMU "/sys/bus/event_source/devices/"
  FAKE_FILE(FAKE_PMU "cpu/type", m->pmu && !m->hybrid, "4\n");
  FAKE_FILE(FAKE_PMU "cpu/format/event", m->pmu, "config:0-7,32-35\n");
  FAKE_FILE(FAKE_PMU "cpu/format/umask", m->pmu, "config:8-15\n");
  FAKE_FILE(FAKE_PMU "cpu/format/ldlat", m->pmu, "config1:0-15\n");
  FAKE_FILE(FAKE_PMU "cpu/events/mem-loads", m->pmu, "event=0xcd,umask=0x1,ldlat=3\n");
  FAKE_FILE(FAKE_PMU "cpu_core/type", m->hybrid, "4\n");
  FAKE_FILE(FAKE_PMU "cpu_core/cpus", m->hybrid, "0\n");
  FAKE_FILE(FAKE_PMU "cpu_atom/type", m->hybrid, "10\n");
  FAKE_FILE(FAKE_PMU "cpu_atom/cpus", m->hybrid, "1-3\n");
#define FAKE_TRACING "/sys/kernel/tracing/events/"
  FAKE_FILE(FAKE_TRACING "sched/sched_switch/id", !m->tracefs_errno, "314\n");
  if (!strcmp(path, FAKE_TRACING "header_page") && m->tracefs_errno)
    return -m->tracefs_errno;
  FAKE_FILE(FAKE_TRACING "header_page", true, "field\n");
  return -ENOENT;
}

static int fake_list_numbers(void *user, const char *folder, int *numbers, int capacity) {
  struct fake_machine *m = user;
  int count = 0;
  const int *tids;
  if (!strcmp(folder, "/proc/4000/task"))
    return -ENOENT;
  if (strcmp(folder, "/proc/self/task") && strcmp(folder, "/proc/100/task"))
    return 20; /* descriptors open */
  if (m->is_task_hidden)
    return -ENOENT;
  tids = m->scans[m->scan];
  for (; tids[count]; count++)
    if (count < capacity)
      numbers[count] = tids[count];
  /* A list that did not fit is asked for again: the same scan. */
  if (count <= capacity && m->scan + 1 < m->scan_count)
    m->scan++;
  return count;
}

/* Two PMUs, and, where they may be read, two tracepoints. */
static int fake_list_names(void *user, const char *folder, bool (*visit)(void *, const char *),
                           void *argument) {
  struct fake_machine *m = user;
  static const struct {
    const char *folder, *names[5];
    bool needs_pmu, needs_tracefs;
  } FOLDERS[] = {
      {"/sys/bus/event_source/devices", {"cpu", "software"}, true, false},
      {"/sys/bus/event_source/devices/cpu/events", {"mem-loads"}, true, false},
      {"/sys/bus/event_source/devices/cpu/format", {"event", "umask", "ldlat"}, true, false},
      {"/sys/kernel/tracing/events", {"sched", "syscalls"}, false, true},
      {"/sys/kernel/tracing/events/sched", {"enable", "sched_switch", "filter"}, false, true},
  };
  for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
    int count = 0;
    if (strcmp(folder, FOLDERS[i].folder) != 0 || (FOLDERS[i].needs_pmu && !m->pmu) ||
        (FOLDERS[i].needs_tracefs && m->tracefs_errno))
      continue;
    while (FOLDERS[i].names[count] && visit(argument, FOLDERS[i].names[count]))
      count++;
    return count;
  }
  return -ENOENT;
}

static int fake_get_limit(void *user, int resource, struct rlimit *limit) {
  struct fake_machine *m = user;
  (void)resource;
  *limit = (struct rlimit){m->soft, m->hard};
  return 0;
}

static int fake_set_limit(void *user, int resource, const struct rlimit *limit) {
  struct fake_machine *m = user;
  (void)resource;
  m->soft = limit->rlim_cur;
  m->limit_sets++;
  return 0;
}

static int fake_timer_open(void *user, int tid, int signal, uint64_t data) {
  struct fake_machine *m = user;
  int id = m->timers_made;
  if (m->no_timers)
    return -EPERM;
  if (tid == m->dead_tid && tid)
    return -EINVAL;
  if (id == 64 || (m->timers_max && m->timers_open == m->timers_max))
    return -EAGAIN;
  m->timers_made++;
  m->timers_open++;
  m->timers[id].tid = tid;
  m->timers[id].signal = signal;
  m->timers[id].data = data;
  m->timers[id].is_open = true;
  return id;
}

static int fake_timer_start(void *user, int id, uint64_t period_ns) {
  struct fake_machine *m = user;
  m->timers[id].period_ns = period_ns;
  return m->timers[id].is_over ? -ESRCH : 0;
}

static bool fake_timer_runs(void *user, int id) {
  struct fake_machine *m = user;
  return m->timers[id].period_ns && !m->timers[id].is_over;
}

static void fake_timer_close(void *user, int id) {
  struct fake_machine *m = user;
  m->timers_open -= m->timers[id].is_open;
  m->timers[id].is_open = false;
}

static inline struct prof_os fake_os(struct fake_machine *machine) {
  return (struct prof_os){.user = machine,
                          .perf_event_open = fake_open,
                          .open_in_group = fake_open_in_group,
                          .read_words = fake_read_words,
                          .ioctl = fake_ioctl,
                          .event_id = fake_event_id,
                          .map = fake_map,
                          .unmap = fake_unmap,
                          .close = fake_close,
                          .read_file = fake_read_file,
                          .list_numbers = fake_list_numbers,
                          .list_names = fake_list_names,
                          .get_limit = fake_get_limit,
                          .set_limit = fake_set_limit,
                          .timer_open = fake_timer_open,
                          .timer_start = fake_timer_start,
                          .timer_runs = fake_timer_runs,
                          .timer_close = fake_timer_close};
}

#endif
