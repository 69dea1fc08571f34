#include "session/follow.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "code/jit.h"
#include "perf/attach_events.h"
#include "perf/os.h"
#include "session/offcpu.h"
#include "session/settle.h"
#include "stack/sampler.h"

/* The thread's record, made where it is new; NULL where memory ends. */
static struct prof_join_thread *thread_of(struct prof_recording *self, uint32_t tid,
                                          uint64_t start_ns, const char *name) {
  struct prof_join_thread *thread = prof_join_find(&self->join, tid);
  if (thread)
    return thread;
  uint32_t row = prof_threads_add(&self->threads, tid, start_ns, name);
  thread = row == UINT32_MAX ? NULL : prof_join_add(&self->join, tid, row);
  if (!thread)
    self->counters.no_memory++;
  return thread;
}

static void read_name(uint32_t tid, char name[16]) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%u/comm", tid);
  if (prof_os_real.read_file(prof_os_real.user, path, name, 16) < 0)
    name[0] = 0;
  name[strcspn(name, "\n")] = 0;
}

struct prof_join_thread *prof_follow_born(struct prof_recording *self, uint32_t tid,
                                          uint64_t start_ns) {
  char name[16];
  struct prof_join_thread *thread = prof_join_find(&self->join, tid);
  if (thread)
    return thread;
  read_name(tid, name);
  return thread_of(self, tid, start_ns, name);
}

void prof_follow_rename(struct prof_recording *self) {
  for (size_t i = 0; i < self->threads.count; i++) {
    struct prof_thread_row *row = &self->threads.rows[i];
    char name[16];
    if (row->end_ns)
      continue;
    read_name(row->tid, name);
    if (name[0])
      memcpy(row->name, name, sizeof name);
  }
}

void prof_follow_threads(struct prof_recording *self) {
  DIR *folder = opendir("/proc/self/task");
  struct dirent *entry;
  while (folder && (entry = readdir(folder))) {
    uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
    if (tid && (int)tid != self->options.skip_tid)
      prof_follow_born(self, tid, 0);
  }
  if (folder)
    closedir(folder);
}

static void follow_sample(struct prof_recording *self, const struct prof_record *record) {
  const struct prof_record_sample *sample = &record->sample;
  struct prof_join_thread *thread = thread_of(self, record->tid, record->time_ns, "");
  if (!thread)
    return;
  struct prof_wait wait = {
      .time_ns = record->time_ns,
      .weight =
          self->options.plan.period_events ? self->options.plan.period_events : sample->period,
      .ip = sample->has_user_regs ? sample->user_ip
            : sample->in_kernel   ? 0
                                  : sample->ip,
      .sp = sample->user_sp,
      .bp = sample->user_bp,
      .cpu = (uint16_t)record->cpu,
      .flags = sample->in_kernel ? PROF_SAMPLE_KERNEL : 0,
      .event = self->attach ? (uint8_t)prof_attach_event_of(self->attach, record->id) : 0,
  };
  if (sample->in_kernel) {
    const uint64_t *chain = sample->chain_count ? sample->kernel_chain : &sample->ip;
    uint32_t count = sample->chain_count ? sample->chain_count : 1;
    wait.kernel_node = prof_splice_kernel(&self->splice, &self->kernel_tree, chain, count);
  }
  prof_offcpu_sample(self, thread, &wait, record);
  if (self->options.replay_pid || !self->options.plan.sigtrap) {
    if (!self->options.replay_pid)
      prof_jit_apply(record->time_ns, self->space, &self->arena);
    prof_settle_at_once(self, thread, &wait, sample);
  } else if (!sample->has_user_regs) {
    /* No user part is left: the thread is on its way out of the kernel for the last time. */
    prof_settle_leaf(self, thread, &wait, PROF_JOIN_ENDED);
  } else if (prof_join_sample(&self->join, thread, &wait)) {
    self->counters.no_memory++;
  }
}

static void follow_mmap(struct prof_recording *self, const struct prof_record *record) {
  if (!record->mmap.executable || record->mmap.path[0] != '/')
    return;
  uint64_t start = record->mmap.start, end = start + record->mmap.length;
  /* Forgetting is for the case that another file was there before (dlclose): it costs every row. */
  struct prof_place before;
  if (prof_space_find(self->space, start, &before) ||
      prof_space_find(self->space, end - 1, &before)) {
    prof_rows_forget(self->rows, start, end);
  }
  prof_rows_refresh(self->rows, NULL);
  int module = prof_modules_mapped(self->modules, self->space, start, record->mmap.length,
                                   record->mmap.offset, record->mmap.path);
  if (module >= 0)
    prof_unindexed_mapped(&self->unindexed, self->rows,
                          prof_modules_at(self->modules, (size_t)module), start, end);
  prof_kept_recall(self);
}

void prof_follow_ended(struct prof_recording *self, uint32_t tid, uint64_t end_ns) {
  struct prof_join_thread *thread = prof_join_find(&self->join, tid);
  if (!thread)
    return;
  self->threads.rows[thread->row].end_ns = end_ns;
  prof_offcpu_ended(self, thread, end_ns);
  prof_join_ended(&self->join, thread, prof_settle_decided, self);
  if (!self->options.replay_pid)
    prof_sampler_thread_ended(tid);
}

static void follow_exit(struct prof_recording *self, const struct prof_record *record) {
  bool is_known = prof_join_find(&self->join, record->tid) != NULL;
  prof_follow_ended(self, record->tid, record->time_ns);
  if (is_known && !self->options.replay_pid)
    prof_attach_thread_ended(self->attach, record->tid);
}

static void follow_fork(struct prof_recording *self, const struct prof_record *record) {
  struct prof_join_thread *parent = prof_join_find(&self->join, record->task.ptid);
  char name[16] = "";
  uint32_t own = self->options.replay_pid ? self->options.replay_pid : (uint32_t)getpid();
  if (record->pid != own)
    return; /* a child process: not ours */
  if (parent)
    snprintf(name, sizeof name, "%s", self->threads.rows[parent->row].name);
  thread_of(self, record->tid, record->time_ns, name);
}

static void follow_comm(struct prof_recording *self, const struct prof_record *record) {
  struct prof_join_thread *thread = prof_join_find(&self->join, record->tid);
  if (!thread && self->options.replay_pid) /* a file names each thread before its first sample */
    thread = thread_of(self, record->tid, record->time_ns, "");
  if (!thread)
    return;
  struct prof_thread_row *row = &self->threads.rows[thread->row];
  snprintf(row->name, sizeof row->name, "%s", record->comm.name);
}

void prof_follow_record(void *user, const struct perf_event_header *header, int cpu) {
  struct prof_recording *self = user;
  struct prof_record record;
  (void)cpu;
  if (prof_record_decode(prof_attach_layout(self->attach), header, &record)) {
    self->counters.malformed++;
    return;
  }
  if (prof_attach_drops(self->attach, &record)) {
    if (record.type == PERF_RECORD_SAMPLE)
      self->counters.doubles++;
    return;
  }
  prof_follow_decoded(self, &record);
}

void prof_follow_decoded(struct prof_recording *self, const struct prof_record *record) {
  switch (record->type) {
  case PERF_RECORD_SAMPLE:
    follow_sample(self, record);
    break;
  case PERF_RECORD_MMAP:
  case PERF_RECORD_MMAP2:
    follow_mmap(self, record);
    break;
  case PERF_RECORD_COMM:
    follow_comm(self, record);
    break;
  case PERF_RECORD_FORK:
    follow_fork(self, record);
    break;
  case PERF_RECORD_EXIT:
    follow_exit(self, record);
    break;
  case PERF_RECORD_SWITCH: {
    struct prof_join_thread *thread = thread_of(self, record->tid, record->time_ns, "");
    if (thread)
      prof_offcpu_switch(self, thread, record);
    break;
  }
  case PERF_RECORD_LOST:
  case PERF_RECORD_LOST_SAMPLES:
    self->counters.lost += record->lost.count;
    break;
  case PERF_RECORD_THROTTLE:
    self->counters.throttled++;
    break;
  default:
    break;
  }
}

void prof_follow_walk(void *user, const struct prof_stack *stack) {
  struct prof_recording *self = user;
  prof_jit_apply(stack->time_ns, self->space, &self->arena);
  struct prof_join_thread *thread = thread_of(self, stack->tid, stack->time_ns, "");
  if (!thread)
    return;
  uint32_t node = prof_splice_user(&self->splice, &thread->memo, stack->words, stack->count,
                                   prof_settle_base(stack->end));
  prof_join_walk(&self->join, thread, stack, node, prof_settle_decided, self);
}

void prof_follow_finish(struct prof_recording *self) {
  if (!self->options.replay_pid)
    prof_jit_apply(UINT64_MAX, self->space, &self->arena);
  prof_offcpu_finish(self);
  prof_join_finish(&self->join, prof_settle_decided, self);
}
