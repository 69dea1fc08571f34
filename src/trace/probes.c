#include "trace/probes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/status.h"

#define GROUP "rspack_prof_%d_%u"

enum { DEFINED_MAX = 64 };

struct prof_probes {
  int folder;       /* tracefs */
  int pid;          /* part of the groups' names */
  unsigned defined; /* how many so far */
  uint32_t types[DEFINED_MAX];
};

int prof_probes_refused(const char *where, int result, struct prof_error *error) {
  static const char call[] = "perf_event_open";
  switch (-result) {
  case EACCES:
  case EPERM:
    return prof_error_set(error, PROF_PERMISSION, -result, call,
                          "function tracing places probes in files, which the kernel allows to "
                          "root alone: run the same command with sudo (sudo -E keeps PATH and "
                          "the environment), or trace a binding that was built with XRay");
  case EMFILE:
  case ENFILE:
    return prof_error_set(error, PROF_TOO_MANY_FILES, -result, call,
                          "too many open files: raise the limit (ulimit -n)");
  case ENOENT:
    return prof_error_set(error, PROF_BAD_FILE, -result, call, "%s is not there", where);
  case EINVAL:
    return prof_error_set(error, PROF_BAD_OPTION, -result, call, "no probe can be placed at %s",
                          where);
  default:
    return prof_error_set(error, PROF_SYSTEM, -result, call, "no probe at %s: %s", where,
                          strerror(-result));
  }
}

/* The mount point in a line of /proc/self/mounts; none has blanks unescaped. */
static bool mounted_at(char *out, size_t size) {
  char line[4096], type[64], place[2048];
  FILE *mounts = fopen("/proc/self/mounts", "re");
  bool found = false;
  while (mounts && !found && fgets(line, sizeof line, mounts))
    found = sscanf(line, "%*s %2047s %63s", place, type) == 2 && strcmp(type, "tracefs") == 0 &&
            (size_t)snprintf(out, size, "%s", place) < size;
  if (mounts)
    fclose(mounts);
  return found;
}

/* Mounted for the moment of opening it: detached at once, it lives as long as the descriptor. */
static int open_private(void) {
  char place[] = "/tmp/rspack-prof-XXXXXX";
  int fd = -1, failed = 0;
  if (!mkdtemp(place))
    return -errno;
  if (mount("none", place, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
    failed = errno;
  } else {
    fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    failed = fd < 0 ? errno : 0;
    umount2(place, MNT_DETACH);
  }
  rmdir(place);
  return failed ? -failed : fd;
}

static int append(const struct prof_probes *self, const char *line) {
  /* Never with O_TRUNC: it would take everybody's events away. */
  int fd = openat(self->folder, "uprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
  ssize_t wrote = fd < 0 ? -1 : write(fd, line, strlen(line));
  int failed = wrote < 0 ? errno : 0;
  if (fd >= 0)
    close(fd);
  return -failed;
}

/* What tracers left that were killed. */
static void remove_stale(struct prof_probes *self) {
  char line[4096], last[128] = "", remove[160];
  int fd = openat(self->folder, "uprobe_events", O_RDONLY | O_CLOEXEC), pid;
  unsigned generation;
  FILE *events = fd < 0 ? NULL : fdopen(fd, "r");
  while (events && fgets(line, sizeof line, events)) {
    if (sscanf(line, "p:" GROUP "/", &pid, &generation) != 2 ||
        (kill(pid, 0) == 0 || errno != ESRCH))
      continue;
    snprintf(remove, sizeof remove, "-:" GROUP "/hit\n", pid, generation);
    if (strcmp(remove, last) == 0)
      continue;
    append(self, remove);
    snprintf(last, sizeof last, "%.127s", remove);
  }
  if (events)
    fclose(events);
  else if (fd >= 0)
    close(fd);
}

int prof_probes_open(struct prof_probes **out, struct prof_error *error) {
  char place[2048];
  int fd = -EACCES;
  if (mounted_at(place, sizeof place))
    fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && (fd = open_private()) < 0) {
    if (fd == -ENODEV)
      return prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, ENODEV, "mount",
                            "this kernel has no tracefs: function tracing by probes needs "
                            "CONFIG_UPROBE_EVENTS; trace a binding that was built with XRay");
    return prof_probes_refused("tracefs", fd == -EPERM ? fd : -EACCES, error);
  }
  struct prof_probes *self = calloc(1, sizeof *self);
  if (!self || faccessat(fd, "uprobe_events", W_OK, 0)) {
    int failed = errno;
    free(self);
    close(fd);
    if (!self)
      return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the probes");
    return failed == ENOENT
               ? prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, ENOENT, "faccessat",
                                "this kernel has no uprobes (CONFIG_UPROBE_EVENTS): trace a "
                                "binding that was built with XRay")
               : prof_probes_refused("tracefs", -EACCES, error);
  }
  self->folder = fd;
  self->pid = (int)getpid();
  remove_stale(self);
  *out = self;
  return PROF_OK;
}

void prof_probes_close(struct prof_probes *self) {
  if (!self)
    return;
  for (unsigned i = 0; i < self->defined; i++)
    if (self->types[i])
      prof_probes_remove(self, self->types[i]);
  close(self->folder);
  free(self);
}

static int read_text(const struct prof_probes *self, unsigned generation, const char *name,
                     char *text, size_t size) {
  char path[128];
  snprintf(path, sizeof path, "events/" GROUP "/hit/%s", self->pid, generation, name);
  int fd = openat(self->folder, path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);
  if (fd >= 0)
    close(fd);
  text[got > 0 ? got : 0] = 0;
  return got > 0 ? 0 : -1;
}

/* The raw part of a record, as the kernel lays it out (4 bytes of common_type, flags and preempt
 * count, common_pid, __probe_ip, then the arguments without gaps). */
struct raw {
  uint16_t type;
  uint8_t flags, preempt;
  int32_t pid;
  uint64_t ip;
  uint32_t site;
  uint64_t sp, value;
} __attribute__((packed));
_Static_assert(sizeof(struct raw) == 36, "events/../format is checked to say so");

static bool has_our_layout(const char *format) {
  return strstr(format, "unsigned short common_type;\toffset:0;\tsize:2;") &&
         strstr(format, " __probe_ip;\toffset:8;\tsize:8;") &&
         strstr(format, " site;\toffset:16;\tsize:4;") &&
         strstr(format, " sp;\toffset:20;\tsize:8;") &&
         strstr(format, " value;\toffset:28;\tsize:8;");
}

/* As uprobe_events has it ("Fetch-args"). */
static void write_value(const struct prof_probe *probe, char *out, size_t size) {
  static const char *const names[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di"};
  char number[8];
  const char *name = number;
  if (probe->base < 8)
    name = names[probe->base];
  else
    snprintf(number, sizeof number, "r%u", probe->base & 15u);
  if (!probe->has_value)
    snprintf(out, size, "\\0");
  else if (probe->in_memory)
    snprintf(out, size, "%+d(%%%s)", probe->displacement, name);
  else
    snprintf(out, size, "%%%s", name);
}

int prof_probes_define(struct prof_probes *self, const struct prof_probe *probes, size_t count,
                       uint32_t *type, size_t *refused, struct prof_error *error) {
  unsigned generation = self->defined;
  char line[256], value[32], format[4096];
  int failed = 0, one;
  *refused = 0;
  if (generation == DEFINED_MAX)
    return prof_error_set(error, PROF_SYSTEM, 0, NULL, "the probes were changed too often");
  for (size_t i = 0; i < count; i++) {
    write_value(&probes[i], value, sizeof value);
    snprintf(line, sizeof line,
             "p:" GROUP "/hit /proc/self/fd/%d:0x%llx site=\\%u:u32 sp=%%sp:u64 value=%s:u64\n",
             self->pid, generation, probes[i].fd, (unsigned long long)probes[i].offset,
             probes[i].site, value);
    one = append(self, line);
    if (one) {
      failed = one;
      (*refused)++;
    }
  }
  if (*refused == count)
    return prof_error_set(error, failed == -EPERM ? PROF_PERMISSION : PROF_SYSTEM, -failed, "write",
                          "the kernel takes none of the %zu probes: %s", count, strerror(-failed));
  self->types[self->defined++] = 0;
  if (read_text(self, generation, "id", line, sizeof line) ||
      read_text(self, generation, "format", format, sizeof format) || !has_our_layout(format)) {
    snprintf(line, sizeof line, "-:" GROUP "/hit\n", self->pid, generation);
    append(self, line);
    return prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, 0, NULL,
                          "this kernel writes the records of probes in another form than is known "
                          "here (6.18)");
  }
  *type = (uint32_t)strtoul(line, NULL, 10);
  self->types[generation] = *type;
  return PROF_OK;
}

void prof_probes_remove(struct prof_probes *self, uint32_t type) {
  char line[128];
  for (unsigned i = 0; i < self->defined; i++) {
    if (self->types[i] != type)
      continue;
    snprintf(line, sizeof line, "-:" GROUP "/hit\n", self->pid, i);
    /* Busy for as long as the kernel is still closing the descriptors. */
    for (int tries = 0; append(self, line) == -EBUSY && tries < 50; tries++)
      usleep(20000);
    self->types[i] = 0;
  }
}

void prof_probes_attr(uint32_t type, struct perf_event_attr *out) {
  *out = (struct perf_event_attr){
      .type = PERF_TYPE_TRACEPOINT,
      .size = sizeof *out,
      .config = type,
      .sample_period = 1,
      .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_RAW,
      .disabled = 1,
      .inherit = 1,
      .use_clockid = 1,
      .clockid = 1, /* CLOCK_MONOTONIC */
      .sample_id_all = 1,
      .wakeup_events = 1 << 30, /* read on a clock of our own */
  };
}

bool prof_probes_decode(const struct perf_event_header *record, struct prof_probe_hit *out) {
  struct {
    struct perf_event_header header;
    uint32_t pid, tid;
    uint64_t time_ns, id;
    uint32_t raw_bytes;
    struct raw raw;
  } __attribute__((packed)) sample;
  if (record->size < sizeof sample)
    return false;
  memcpy(&sample, record, sizeof sample);
  if (sample.raw_bytes < sizeof(struct raw) ||
      sample.raw_bytes > record->size - (sizeof sample - sizeof(struct raw)))
    return false;
  *out = (struct prof_probe_hit){
      .time_ns = sample.time_ns,
      .sp = sample.raw.sp,
      .ip = sample.raw.ip,
      .value = sample.raw.value,
      .id = sample.id,
      .pid = sample.pid,
      .tid = sample.tid,
      .site = sample.raw.site,
  };
  return true;
}
