#include "perf/os.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>

#include "base/array.h"
#include "base/clock.h"
#include "perf/lethal.h"

static int real_open_in_group(void *user, const struct perf_event_attr *attr, int tid, int cpu,
                              int leader_fd) {
  long fd;
  (void)user;
  if (prof_lethal_perf_event_open())
    return -EPERM; /* as the filters answer that do no harm */
  fd = syscall(SYS_perf_event_open, attr, tid, cpu, leader_fd, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno : (int)fd;
}

static int real_perf_event_open(void *user, const struct perf_event_attr *attr, int tid, int cpu) {
  return real_open_in_group(user, attr, tid, cpu, -1);
}

static int real_read_words(void *user, int fd, uint64_t *words, int count) {
  ssize_t got = read(fd, words, (size_t)count * sizeof *words);
  (void)user;
  return got < 0 ? -errno : (int)(got / (ssize_t)sizeof *words);
}

static int real_ioctl(void *user, int fd, unsigned long request, long argument) {
  (void)user;
  return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

static int real_event_id(void *user, int fd, uint64_t *id) {
  (void)user;
  return ioctl(fd, PERF_EVENT_IOC_ID, id) < 0 ? -errno : 0;
}

static int real_map(void *user, int fd, size_t bytes, void **map) {
  (void)user;
  *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return *map == MAP_FAILED ? -errno : 0;
}

static void real_unmap(void *user, void *map, size_t bytes) {
  (void)user;
  munmap(map, bytes);
}

static void real_close(void *user, int fd) {
  (void)user;
  close(fd);
}

static int real_read_file(void *user, const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t used = 0;
  ssize_t got = 0;
  (void)user;
  if (fd < 0)
    return -errno;
  while (used + 1 < size && (got = read(fd, text + used, size - 1 - used)) > 0)
    used += (size_t)got;
  got = got < 0 ? -errno : (ssize_t)used;
  close(fd);
  text[used] = 0;
  return (int)got;
}

static int real_list_numbers(void *user, const char *folder, int *numbers, int capacity) {
  DIR *dir = opendir(folder);
  struct dirent *entry;
  int count = 0;
  (void)user;
  if (!dir)
    return -errno;
  while ((entry = readdir(dir))) {
    if (!isdigit((unsigned char)entry->d_name[0]))
      continue;
    if (count < capacity)
      numbers[count] = atoi(entry->d_name);
    count++;
  }
  closedir(dir);
  return count;
}

static int real_list_names(void *user, const char *folder, bool (*visit)(void *, const char *),
                           void *argument) {
  DIR *dir = opendir(folder);
  struct dirent *entry;
  bool goes_on = true;
  int count = 0;
  (void)user;
  if (!dir)
    return -errno;
  while (goes_on && (entry = readdir(dir))) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
      continue;
    goes_on = visit(argument, entry->d_name);
    count++;
  }
  closedir(dir);
  return count;
}

static int real_get_limit(void *user, int resource, struct rlimit *limit) {
  (void)user;
  return getrlimit((__rlimit_resource_t)resource, limit) < 0 ? -errno : 0;
}

static int real_set_limit(void *user, int resource, const struct rlimit *limit) {
  (void)user;
  return setrlimit((__rlimit_resource_t)resource, limit) < 0 ? -errno : 0;
}

/* By the system calls themselves: glibc's timer_create allocates, and its timer_t is no int. */
static int real_timer_open(void *user, int tid, int signal, uint64_t data) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                           .sigev_signo = signal,
                           .sigev_value.sival_ptr = (void *)(uintptr_t)data};
  int id;
  (void)user;
  event._sigev_un._tid = tid; /* sigev_notify_thread_id, which glibc has named only since 2.37 */
  return syscall(SYS_timer_create, prof_thread_clock(tid), &event, &id) < 0 ? -errno : id;
}

static int real_timer_start(void *user, int id, uint64_t period_ns) {
  struct timespec period = {.tv_sec = (time_t)(period_ns / 1000000000u),
                            .tv_nsec = (long)(period_ns % 1000000000u)};
  struct itimerspec spec = {.it_interval = period, .it_value = period};
  (void)user;
  return syscall(SYS_timer_settime, id, 0, &spec, NULL) < 0 ? -errno : 0;
}

static bool real_timer_runs(void *user, int id) {
  struct itimerspec spec = {0};
  (void)user;
  return syscall(SYS_timer_gettime, id, &spec) == 0 &&
         (spec.it_value.tv_sec || spec.it_value.tv_nsec);
}

static void real_timer_close(void *user, int id) {
  (void)user;
  syscall(SYS_timer_delete, id);
}

const struct prof_os prof_os_real = {
    .perf_event_open = real_perf_event_open,
    .open_in_group = real_open_in_group,
    .read_words = real_read_words,
    .ioctl = real_ioctl,
    .event_id = real_event_id,
    .map = real_map,
    .unmap = real_unmap,
    .close = real_close,
    .read_file = real_read_file,
    .list_numbers = real_list_numbers,
    .list_names = real_list_names,
    .get_limit = real_get_limit,
    .set_limit = real_set_limit,
    .timer_open = real_timer_open,
    .timer_start = real_timer_start,
    .timer_runs = real_timer_runs,
    .timer_close = real_timer_close,
};

long prof_os_number(const struct prof_os *os, const char *path, long fallback) {
  char text[64], *end;
  long value;
  if (os->read_file(os->user, path, text, sizeof text) <= 0)
    return fallback;
  value = strtol(text, &end, 10);
  return end == text ? fallback : value;
}

int prof_os_kernel_at_least(const struct prof_os *os, int major, int minor) {
  char text[128];
  int a, b;
  if (os->read_file(os->user, "/proc/sys/kernel/osrelease", text, sizeof text) <= 0 ||
      sscanf(text, "%d.%d", &a, &b) != 2)
    return 1;
  return a > major || (a == major && b >= minor);
}

int prof_os_list(const struct prof_os *os, const char *folder, int **numbers, size_t *capacity) {
  for (;;) {
    int count = os->list_numbers(os->user, folder, *numbers, (int)*capacity);
    if (count < 0 || (size_t)count <= *capacity)
      return count;
    if (prof_array_reserve((void **)numbers, capacity, (size_t)count + 64, sizeof **numbers))
      return -ENOMEM;
  }
}

int prof_os_try(const struct prof_os *os, const struct perf_event_attr *attr) {
  int cpus[1], fd;
  prof_os_cpus(os, cpus, 1);
  fd = os->perf_event_open(os->user, attr, 0, cpus[0]);
  if (fd < 0)
    return fd;
  os->close(os->user, fd);
  return 0;
}

int prof_os_parse_cpus(const char *text, int *cpus, int capacity) {
  int count = 0;
  while (*text && *text != '\n') {
    char *end;
    long first = strtol(text, &end, 10), last = first;
    if (end == text || first < 0)
      return -1;
    if (*end == '-') {
      text = end + 1;
      last = strtol(text, &end, 10);
      if (end == text || last < first || last > 0xffff)
        return -1;
    }
    for (long cpu = first; cpu <= last && count < capacity; cpu++)
      cpus[count++] = (int)cpu;
    text = *end == ',' ? end + 1 : end;
    if (end == text && *end && *end != '\n')
      return -1;
  }
  return count;
}

int prof_os_cpus(const struct prof_os *os, int *cpus, int capacity) {
  char text[4096];
  int count = 0;
  if (os->read_file(os->user, "/sys/devices/system/cpu/online", text, sizeof text) > 0)
    count = prof_os_parse_cpus(text, cpus, capacity);
  if (count > 0)
    return count;
  /* No /sys (some sandboxes): /proc/self/status has the CPUs that this thread may run on. */
  if (os->read_file(os->user, "/proc/self/status", text, sizeof text) > 0) {
    const char *line = strstr(text, "Cpus_allowed_list:");
    if (line &&
        (count = prof_os_parse_cpus(line + strcspn(line, "0123456789"), cpus, capacity)) > 0)
      return count;
  }
  cpus[0] = 0;
  return 1;
}
