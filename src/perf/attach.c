#include "perf/attach.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/table.h"
#include "perf/attr.h"
#include "perf/files.h"
#include "perf/mapping.h"
#include "perf/pmu.h"

#define CPUS_MAX 1024
/* Scans of /proc/self/task while new threads turn up. A thread that is found late was nearly
 * certainly made by one that had its event, and inherits: the bound costs nothing but doubles. */
#define SCANS_MAX 16
#define TIDS_MAX (1u << 22) /* PID_MAX_LIMIT of 64-bit kernels */

struct prof_attach {
  const struct prof_os *os;
  struct prof_plan plan;
  struct prof_record_layout layout;
  uint64_t sig_data;
  int skip_tid;
  int cpu_count;
  struct prof_ring *rings; /* by CPU; fd -1: that CPU went away */
  uint64_t *hybrid;        /* by CPU: prof_pmu_hybrid_config */
  unsigned char *scratch;  /* of all rings */
  int *fds;                /* every event */
  size_t fd_count, fd_capacity;
  struct prof_table owner;  /* event id -> thread it was opened for */
  _Atomic uint64_t *direct; /* bit per thread id: it has events of its own */
  int *tids;                /* scratch of scans */
  size_t tid_capacity;
  int thread_count;
  struct prof_files files;
  bool enabled;
};

static bool bit_get(const struct prof_attach *self, uint32_t tid) {
  return tid < TIDS_MAX &&
         (atomic_load_explicit(&self->direct[tid / 64], memory_order_acquire) >> tid % 64 & 1);
}

static void bit_put(struct prof_attach *self, uint32_t tid, bool value) {
  uint64_t bit = 1ull << tid % 64;
  if (tid >= TIDS_MAX)
    return;
  if (value)
    atomic_fetch_or_explicit(&self->direct[tid / 64], bit, memory_order_release);
  else
    atomic_fetch_and_explicit(&self->direct[tid / 64], ~bit, memory_order_release);
}

/* The kernel lowers perf_event_max_sample_rate by itself when interrupts take too long, then
 * refuses what it took a moment before. Periods are in the samples: events may differ in rate. */
static bool follow_sample_rate(struct prof_attach *self) {
  long rate = prof_os_number(self->os, "/proc/sys/kernel/perf_event_max_sample_rate", -1);
  if (rate <= 0 || rate >= (long)self->plan.frequency)
    return false;
  prof_plan_note(&self->plan, "frequency-lowered", "",
                 "%u Hz is lowered to %ld Hz: the kernel has lowered perf_event_max_sample_rate",
                 self->plan.frequency, rate);
  self->plan.frequency = (uint32_t)rate;
  return true;
}

/* A process in a pid namespace that looks at another one's /proc would find its threads under
 * numbers that are other processes' here, and send them our signals. */
static int check_proc(const struct prof_os *os, struct prof_error *error) {
  long own = prof_os_number(os, "/proc/self/stat", getpid());
  if (own == getpid())
    return 0;
  return prof_error_set(error, PROF_SYSTEM, 0, NULL,
                        "this is process %d, and %ld in /proc, which is another pid namespace's: "
                        "mount its own, as `unshare --pid --fork --mount-proc` does",
                        getpid(), own);
}

/* One event. A descriptor, or -errno. */
static int open_one(struct prof_attach *self, int tid, int cpu_index) {
  const struct prof_os *os = self->os;
  struct perf_event_attr attr;
  int fd;
  do {
    prof_attr_fill(&self->plan, self->sig_data | (uint32_t)tid, &attr);
    if (attr.type == PERF_TYPE_HARDWARE || attr.type == PERF_TYPE_HW_CACHE)
      attr.config |= self->hybrid[cpu_index];
    fd = os->perf_event_open(os->user, &attr, tid, self->rings[cpu_index].cpu);
  } while (fd == -EINTR || (fd == -EINVAL && follow_sample_rate(self)));
  return fd;
}

static int open_failed(struct prof_attach *self, int tid, int cpu, int result,
                       struct prof_error *error) {
  if (result == -EMFILE || result == -ENFILE)
    return prof_error_set(error, PROF_TOO_MANY_FILES, -result, "perf_event_open",
                          "no descriptor is left after %zu events (%d CPUs): raise the limit with "
                          "`ulimit -n 65536`",
                          self->fd_count, self->cpu_count);
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
static int adopt(struct prof_attach *self, int fd, int tid, int cpu_index) {
  const struct prof_os *os = self->os;
  struct prof_ring *ring = &self->rings[cpu_index];
  uint64_t id;
  int result = 0;
  if (prof_array_reserve((void **)&self->fds, &self->fd_capacity, self->fd_count + 1,
                         sizeof *self->fds))
    result = -ENOMEM;
  if (!result)
    result = os->event_id(os->user, fd, &id);
  if (!result && prof_table_put(&self->owner, id, (uint32_t)tid))
    result = -ENOMEM;
  if (!result && ring->map)
    result = os->ioctl(os->user, fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd);
  if (result) {
    os->close(os->user, fd);
    return result;
  }
  if (!ring->map)
    ring->fd = fd;
  self->fds[self->fd_count++] = fd;
  return 0;
}

/* All events of one thread. 1, 0 for a thread that has ended, or a status. */
static int open_thread(struct prof_attach *self, int tid, struct prof_error *error) {
  const struct prof_os *os = self->os;
  size_t first = self->fd_count;
  for (int i = 0; i < self->cpu_count; i++) {
    int fd, result;
    fd = open_one(self, tid, i);
    if (fd == -ESRCH) {
      while (self->fd_count > first)
        os->close(os->user, self->fds[--self->fd_count]);
      for (int j = 0; j < self->cpu_count; j++)
        if (!self->rings[j].map)
          self->rings[j].fd = -1;
      return 0;
    }
    if (fd == -ENODEV || fd == -ENXIO)
      continue;
    result = fd < 0 ? fd : adopt(self, fd, tid, i);
    if (result < 0)
      return open_failed(self, tid, self->rings[i].cpu, result, error);
  }
  if (self->fd_count == first)
    return open_failed(self, tid, self->rings[0].cpu, -ENODEV, error);
  /* Enabled first: a thread that turned up late is better counted twice for a moment than not. */
  if (self->enabled)
    for (size_t i = first; i < self->fd_count; i++)
      os->ioctl(os->user, self->fds[i], PERF_EVENT_IOC_ENABLE, 0);
  bit_put(self, (uint32_t)tid, true);
  self->thread_count++;
  return 1;
}

/* On the first thread's events; CPUs that went away meanwhile are left out from here on. */
static int map_rings(struct prof_attach *self, size_t bytes, struct prof_error *error) {
  int kept = 0;
  for (int i = 0; i < self->cpu_count; i++)
    if (self->rings[i].fd >= 0) {
      self->hybrid[kept] = self->hybrid[i];
      self->rings[kept++] = self->rings[i];
    }
  self->cpu_count = kept;
  return prof_mapping_map(self->os, self->rings, kept, bytes, self->scratch, &self->plan, error);
}

/* The threads now, the process's first one in front: it outlives the others, and the ring's
 * descriptor should not report a hang-up before the end. Their number, or a status. */
static int list_threads(struct prof_attach *self, struct prof_error *error) {
  const struct prof_os *os = self->os;
  for (;;) {
    int count = os->list_numbers(os->user, "/proc/self/task", self->tids, (int)self->tid_capacity);
    if (count < 0)
      return prof_error_set(error, PROF_SYSTEM, -count, "open",
                            "/proc/self/task cannot be read (is /proc mounted?): %s",
                            strerror(-count));
    if ((size_t)count <= self->tid_capacity) {
      for (int i = 1; i < count; i++)
        if (self->tids[i] == getpid()) {
          self->tids[i] = self->tids[0];
          self->tids[0] = getpid();
        }
      return count;
    }
    if (prof_array_reserve((void **)&self->tids, &self->tid_capacity, (size_t)count + 64,
                           sizeof *self->tids))
      return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for %d threads", count);
  }
}

/* One scan: how many threads were opened, or a status. ring_bytes is for the first one alone. */
static int scan(struct prof_attach *self, size_t ring_bytes, struct prof_error *error) {
  const struct prof_os *os = self->os;
  int count = list_threads(self, error), fresh = 0, opened = 0, status;
  if (count < 0)
    return count;
  for (int i = 0; i < count; i++)
    if (self->tids[i] != self->skip_tid && !bit_get(self, (uint32_t)self->tids[i]))
      self->tids[fresh++] = self->tids[i];
  status =
      prof_files_reserve(&self->files, os, (long)self->fd_count, fresh, self->cpu_count, error);
  for (int i = 0; i < fresh && !status; i++) {
    int result = open_thread(self, self->tids[i], error);
    if (result < 0)
      return result;
    opened += result;
    if (result && self->thread_count == 1)
      status = map_rings(self, ring_bytes, error);
  }
  return status ? status : opened;
}

static int check_options(const struct prof_attach_options *options, struct prof_error *error) {
  size_t bytes = options->ring_bytes;
  if (bytes && (bytes < PROF_RING_BYTES_MIN || bytes > PROF_RING_BYTES_MAX || bytes & (bytes - 1)))
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "ringBytes is %zu: it must be a power of two, %zu to %zu", bytes,
                          PROF_RING_BYTES_MIN, PROF_RING_BYTES_MAX);
  if ((uint32_t)options->sig_data)
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "sig_data has its cookie in the upper 32 bits: the lower get a thread");
  return 0;
}

static int prepare(struct prof_attach *self) {
  int cpus[CPUS_MAX];
  self->cpu_count = prof_os_cpus(self->os, cpus, CPUS_MAX);
  self->rings = calloc((size_t)self->cpu_count, sizeof *self->rings);
  self->hybrid = calloc((size_t)self->cpu_count, sizeof *self->hybrid);
  self->scratch = aligned_alloc(64, PROF_RING_SCRATCH_BYTES);
  self->direct = calloc(TIDS_MAX / 64, sizeof *self->direct); /* touched where tids are: lazy */
  if (!self->rings || !self->hybrid || !self->scratch || !self->direct)
    return -1;
  for (int i = 0; i < self->cpu_count; i++) {
    self->rings[i] = (struct prof_ring){.fd = -1, .cpu = cpus[i]};
    self->hybrid[i] = prof_pmu_hybrid_config(self->os, cpus[i]);
  }
  return 0;
}

int prof_attach_open(const struct prof_os *os, const struct prof_attach_options *options,
                     struct prof_attach **out, struct prof_error *error) {
  struct prof_attach *self;
  struct perf_event_attr attr;
  size_t ring_bytes;
  int found = check_options(options, error);
  if (!found)
    found = check_proc(os, error);
  if (found)
    return found;
  self = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the events");
  self->os = os;
  self->plan = options->plan;
  self->sig_data = options->sig_data;
  self->skip_tid = options->skip_tid;
  prof_files_init(&self->files, os);
  prof_attr_fill(&self->plan, 0, &attr);
  prof_record_layout_of(&attr, &self->layout);
  ring_bytes = options->ring_bytes ? options->ring_bytes : prof_mapping_bytes(&self->plan);
  if (prepare(self)) {
    prof_attach_close(self);
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the events");
  }
  for (int i = 0; i < SCANS_MAX; i++) {
    found = scan(self, ring_bytes, error);
    if (found <= 0)
      break;
  }
  if (found >= 0 && !self->thread_count)
    found = prof_error_set(error, PROF_SYSTEM, 0, NULL, "no thread to profile was found");
  if (found < 0) {
    prof_attach_close(self);
    return found;
  }
  *out = self;
  return 0;
}

static void control(struct prof_attach *self, unsigned long request, bool enabled) {
  for (size_t i = 0; i < self->fd_count; i++)
    self->os->ioctl(self->os->user, self->fds[i], request, 0);
  self->enabled = enabled;
}

void prof_attach_enable(struct prof_attach *self) {
  control(self, PERF_EVENT_IOC_ENABLE, true);
}

void prof_attach_disable(struct prof_attach *self) {
  control(self, PERF_EVENT_IOC_DISABLE, false);
}

int prof_attach_scan(struct prof_attach *self) {
  return scan(self, 0, NULL);
}

void prof_attach_close(struct prof_attach *self) {
  if (!self)
    return;
  if (self->rings)
    prof_mapping_unmap(self->os, self->rings, self->cpu_count);
  while (self->fd_count)
    self->os->close(self->os->user, self->fds[--self->fd_count]);
  prof_files_restore(&self->files, self->os);
  prof_table_free(&self->owner);
  free(self->rings);
  free(self->hybrid);
  free(self->scratch);
  free(self->fds);
  free(self->tids);
  free((void *)self->direct);
  free(self);
}

int prof_attach_ring_count(const struct prof_attach *self) {
  return self->cpu_count;
}

struct prof_ring *prof_attach_ring(struct prof_attach *self, int index) {
  return &self->rings[index];
}

int prof_attach_fd_count(const struct prof_attach *self) {
  return (int)self->fd_count;
}

int prof_attach_thread_count(const struct prof_attach *self) {
  return self->thread_count;
}

const struct prof_plan *prof_attach_plan(const struct prof_attach *self) {
  return &self->plan;
}

const struct prof_record_layout *prof_attach_layout(const struct prof_attach *self) {
  return &self->layout;
}

bool prof_attach_is_direct(const struct prof_attach *self, uint32_t tid) {
  return bit_get(self, tid);
}

bool prof_attach_is_double(const struct prof_attach *self, uint64_t id, uint32_t tid) {
  return bit_get(self, tid) && prof_table_get(&self->owner, id) != tid;
}

bool prof_attach_signal_is_double(const struct prof_attach *self, uint64_t sig_data, uint32_t tid) {
  return bit_get(self, tid) && (uint32_t)sig_data != tid;
}

bool prof_attach_drops(const struct prof_attach *self, const struct prof_record *record) {
  switch (record->type) {
  case PERF_RECORD_SAMPLE:
  case PERF_RECORD_MMAP:
  case PERF_RECORD_MMAP2:
  case PERF_RECORD_COMM:
  case PERF_RECORD_FORK:
  case PERF_RECORD_EXIT:
  case PERF_RECORD_SWITCH:
    return prof_attach_is_double(self, record->id, record->writer_tid);
  default: /* of the ring, or of one event each */
    return false;
  }
}

void prof_attach_thread_ended(struct prof_attach *self, uint32_t tid) {
  bit_put(self, tid, false);
}
