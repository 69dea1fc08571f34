#include "runner/counter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "perf/lethal.h"

/* PERF_PMU_TYPE_SHIFT: newer than some distributions' headers. */
enum { PMU_TYPE_SHIFT = 32 };

static uint64_t pmu_type(const char *pmu) {
  char path[96], text[32] = "";
  snprintf(path, sizeof path, "/sys/bus/event_source/devices/%s/type", pmu);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  ssize_t bytes = read(fd, text, sizeof text - 1);
  close(fd);
  return bytes > 0 ? strtoull(text, NULL, 10) : 0;
}

static int open_on(int pid, uint64_t type) {
  struct perf_event_attr attr = {
      .type = PERF_TYPE_HARDWARE,
      .size = sizeof attr,
      .config = PERF_COUNT_HW_INSTRUCTIONS | type << PMU_TYPE_SHIFT,
      .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
      .disabled = 1,
      .inherit = 1,
      .enable_on_exec = 1,
      .exclude_kernel = 1,
      .exclude_hv = 1,
  };
  if (prof_lethal_perf_event_open())
    return -EPERM;
  long fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return fd < 0 ? -errno : (int)fd;
}

static void close_all(struct prof_counter *self) {
  while (self->count > 0)
    close(self->fds[--self->count]);
}

int prof_counter_open(struct prof_counter *self, int pid) {
  static const char *const hybrid[] = {"cpu_core", "cpu_atom", "cpu_lowpower"};
  uint64_t types[PROF_COUNTER_PMUS] = {0};
  int count = 0;
  self->count = 0;
  for (size_t i = 0; i < sizeof hybrid / sizeof hybrid[0]; i++) {
    uint64_t type = pmu_type(hybrid[i]);
    if (type)
      types[count++] = type;
  }
  /* One kind of cores: type 0 leaves the choice of the PMU to the kernel. */
  if (count == 0)
    count = 1;
  for (int i = 0; i < count; i++) {
    int fd = open_on(pid, types[i]);
    if (fd < 0) {
      close_all(self);
      return fd;
    }
    self->fds[self->count++] = fd;
  }
  return 0;
}

int prof_counter_take(struct prof_counter *self, struct prof_count *count) {
  struct {
    uint64_t value, enabled_ns, running_ns;
  } read_format;
  uint64_t enabled_ns = 0, running_ns = 0;
  *count = (struct prof_count){0};
  for (int i = 0; i < self->count; i++) {
    if (read(self->fds[i], &read_format, sizeof read_format) != (ssize_t)sizeof read_format)
      continue;
    count->value += read_format.value;
    running_ns += read_format.running_ns;
    if (read_format.enabled_ns > enabled_ns)
      enabled_ns = read_format.enabled_ns;
  }
  close_all(self);
  if (enabled_ns == 0 || running_ns == 0)
    return -1;
  count->time_share = running_ns >= enabled_ns ? 1 : (double)running_ns / (double)enabled_ns;
  count->value = (uint64_t)((double)count->value / count->time_share);
  return 0;
}
