#include "session/follow.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "code/jit.h"
#include "session/frozen.h"
#include "stack/sampler.h"

/* Reading stacks of sleeping threads waits for the process's memory map, and somebody waits for us:
 * what is not read by then stays without a stack. */
enum { FROZEN_NS_MAX = 100000000 };

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

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

void prof_follow_threads(struct prof_recording *self) {
  DIR *folder = opendir("/proc/self/task");
  struct dirent *entry;
  while (folder && (entry = readdir(folder))) {
    char path[64], name[16] = "";
    uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
    if (!tid || (int)tid == self->options.skip_tid)
      continue;
    snprintf(path, sizeof path, "/proc/self/task/%u/comm", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, name, sizeof name - 1);
    if (fd >= 0)
      close(fd);
    name[length > 0 ? length : 0] = 0;
    name[strcspn(name, "\n")] = 0;
    thread_of(self, tid, 0, name);
  }
  if (folder)
    closedir(folder);
}

static void add_sample(struct prof_recording *self, const struct prof_join_thread *thread,
                       const struct prof_wait *wait, uint32_t node, enum prof_sample_end end,
                       int reason, uint64_t end_pc, uint8_t flags) {
  struct prof_sample sample = {
      .time_ns = wait->time_ns,
      .weight = wait->weight,
      .end_pc = end == PROF_END_BROKEN ? end_pc : 0,
      .thread = thread->row,
      .node = prof_splice_graft(&self->tree, node, &self->kernel_tree, wait->kernel_node),
      .cpu = wait->cpu,
      .end = (uint8_t)end,
      .reason = (uint8_t)reason,
      .flags = wait->flags | flags,
  };
  if (prof_samples_add(&self->samples, &sample))
    self->counters.no_memory++;
}

static enum prof_sample_end end_of(enum prof_walk_end end) {
  return end == PROF_WALK_COMPLETE    ? PROF_END_COMPLETE
         : end == PROF_WALK_TRUNCATED ? PROF_END_TRUNCATED
                                      : PROF_END_BROKEN;
}

static uint64_t base_of(enum prof_walk_end end) {
  return end == PROF_WALK_COMPLETE    ? 0
         : end == PROF_WALK_TRUNCATED ? PROF_FRAME_TRUNCATED
                                      : PROF_FRAME_BROKEN;
}

/* A sample without a stack of its own: its user pc alone, below a frame that says broken. */
static void add_leaf(struct prof_recording *self, const struct prof_join_thread *thread,
                     const struct prof_wait *wait, enum prof_join_fate fate) {
  /* The kernel part of a thread's exit: start_thread has called exit, clone3 is above it. */
  bool is_start = fate == PROF_JOIN_ENDED && wait->ip >= self->thread_start &&
                  wait->ip < self->thread_start_end;
  uint32_t node = PROF_TREE_ROOT;
  if (!is_start)
    node = prof_splice_frame(&self->tree, node, PROF_FRAME_BROKEN);
  if (wait->ip) {
    node = prof_splice_frame(&self->tree, node, prof_splice_key(&self->splice, wait->ip));
  }
  add_sample(self, thread, wait, node, is_start ? PROF_END_COMPLETE : PROF_END_BROKEN,
             PROF_REASON_JOIN + fate, wait->ip, is_start ? PROF_SAMPLE_JOINED : 0);
}

/* Samples of one system call share one walk here too. thread->walk is free: no walk follows. */
static bool walk_frozen(struct prof_recording *self, struct prof_join_last *known,
                        const struct prof_wait *wait) {
  struct prof_walk walk;
  if (known->time_ns == UINT64_MAX && known->ip == wait->ip && known->sp == wait->sp)
    return true;
  uint64_t start_ns = now_ns();
  if (!wait->ip || self->frozen_ns > FROZEN_NS_MAX)
    return false;
  int status = prof_frozen_walk(&self->unwind, self->options.max_frames, wait->ip, wait->sp,
                                wait->bp, &walk);
  self->frozen_ns += now_ns() - start_ns;
  if (status)
    return false;
  *known = (struct prof_join_last){
      .time_ns = UINT64_MAX,
      .ip = wait->ip,
      .sp = wait->sp,
      .end_pc = walk.end_pc,
      .end = (uint8_t)walk.end,
      .node = prof_splice_user(&self->splice, NULL, walk.words, walk.count, base_of(walk.end)),
  };
  free(walk.words);
  return true;
}

static void add_frozen(struct prof_recording *self, struct prof_join_thread *thread,
                       const struct prof_wait *wait) {
  struct prof_join_last *walk = &thread->walk;
  if (walk_frozen(self, walk, wait)) {
    add_sample(self, thread, wait, walk->node, end_of(walk->end), walk->end, walk->end_pc,
               PROF_SAMPLE_JOINED);
  } else {
    add_leaf(self, thread, wait, PROF_JOIN_FROZEN);
  }
}

static void decide(void *user, struct prof_join_thread *thread, const struct prof_wait *wait,
                   enum prof_join_fate fate) {
  struct prof_recording *self = user;
  const struct prof_join_last *walk = &thread->walk;
  enum prof_walk_end end = walk->end;
  if (fate == PROF_JOIN_MATCHED) {
    add_sample(self, thread, wait, walk->node, end_of(end), end, walk->end_pc, 0);
  } else if (fate == PROF_JOIN_HANDLER) {
    uint32_t node = prof_splice_frame(&self->tree, walk->node, PROF_FRAME_HANDLER);
    add_sample(self, thread, wait, node, end_of(end), end, walk->end_pc, PROF_SAMPLE_HANDLER);
  } else if (fate == PROF_JOIN_OUTER) {
    /* What was called in between is not known, and said so. */
    uint32_t node = prof_splice_frame(&self->tree, walk->node, PROF_FRAME_GAP);
    node = prof_splice_frame(&self->tree, node, prof_splice_key(&self->splice, wait->ip));
    add_sample(self, thread, wait, node, end_of(end), end, walk->end_pc, PROF_SAMPLE_JOINED);
  } else if (fate == PROF_JOIN_FROZEN) {
    add_frozen(self, thread, wait);
  } else {
    add_leaf(self, thread, wait, fate);
  }
}

/* A stack that came as a copy in the record. */
static void add_dump(struct prof_recording *self, struct prof_join_thread *thread,
                     const struct prof_wait *wait, const struct prof_record_sample *sample) {
  struct prof_regs regs = {.valid = sample->user_regs_valid};
  memcpy(regs.r, sample->user_regs, sizeof regs.r);
  uint64_t *words = malloc(self->options.max_frames * sizeof *words);
  if (!words || !sample->has_user_regs) {
    free(words);
    add_leaf(self, thread, wait, PROF_JOIN_NO_STACK);
    return;
  }
  struct prof_memory memory;
  prof_memory_bytes(&memory, sample->user_sp, sample->stack, sample->stack_bytes);
  struct prof_walk walk = {.words = words, .capacity = self->options.max_frames};
  prof_unwind_walk(&self->unwind, &memory, &regs, &walk);
  uint32_t node =
      prof_splice_user(&self->splice, &thread->memo, words, walk.count, base_of(walk.end));
  add_sample(self, thread, wait, node, end_of(walk.end), walk.end, walk.end_pc, 0);
  free(words);
}

/* callGraph none: the leaf is all there is, and the stack is truncated by wish. */
static void add_flat(struct prof_recording *self, const struct prof_join_thread *thread,
                     const struct prof_wait *wait) {
  uint32_t node = PROF_TREE_ROOT;
  if (!wait->kernel_node && wait->ip) {
    node = prof_splice_frame(&self->tree, node, prof_splice_key(&self->splice, wait->ip));
  }
  add_sample(self, thread, wait, node, PROF_END_TRUNCATED, PROF_WALK_TRUNCATED, 0, 0);
}

/* How a callchain that says so itself ends: our export's, by its outermost frame. *count is then
 * one less. */
static enum prof_walk_end marked_end(struct prof_recording *self, uint64_t outer, uint32_t *count) {
  struct prof_place place;
  const char *name = prof_space_find(self->space, outer, &place)
                         ? prof_space_code(self->space, place.code)->name
                         : NULL;
  enum prof_walk_end end = !name                                    ? PROF_WALK_COMPLETE
                           : strcmp(name, "[broken stack]") == 0    ? PROF_WALK_BAD_READ
                           : strcmp(name, "[truncated stack]") == 0 ? PROF_WALK_TRUNCATED
                                                                    : PROF_WALK_COMPLETE;
  *count -= end != PROF_WALK_COMPLETE;
  return end;
}

/* A callchain of the kernel's, by frame pointers: nothing in it says where it broke off, so only
 * one that ends in a thread's first function is complete. */
static enum prof_walk_end chain_end(struct prof_recording *self, uint64_t outer, uint32_t frames) {
  if (PROF_ROW_KIND(prof_rows_find(self->rows, outer)) == PROF_ROW_START)
    return PROF_WALK_COMPLETE;
  return frames >= self->options.max_chain ? PROF_WALK_TRUNCATED : PROF_WALK_BAD_READ;
}

static void add_chain(struct prof_recording *self, struct prof_join_thread *thread,
                      const struct prof_wait *wait, const struct prof_record_sample *sample) {
  uint32_t count = sample->user_chain_count;
  uint64_t *words = malloc(count * sizeof *words);
  bool is_marked = self->options.whole_chains; /* and has no return addresses */
  if (!words) {
    self->counters.no_memory++;
    return;
  }
  for (uint32_t i = 0; i < count; i++) {
    bool is_return = i != 0 && !is_marked;
    words[i] =
        PROF_WORD(is_return ? PROF_WORD_RETURN : PROF_WORD_PC, sample->user_chain[i] - is_return);
  }
  uint64_t outer = PROF_WORD_VALUE(words[count - 1]);
  enum prof_walk_end end = is_marked ? marked_end(self, outer, &count)
                                     : chain_end(self, outer, count + sample->chain_count);
  uint32_t node = prof_splice_user(&self->splice, &thread->memo, words, count, base_of(end));
  add_sample(self, thread, wait, node, end_of(end), end, outer, 0);
  free(words);
}

/* Each sample of a file by what it carries. */
static void add_replayed(struct prof_recording *self, struct prof_join_thread *thread,
                         const struct prof_wait *wait, const struct prof_record_sample *sample) {
  if (sample->stack_bytes && sample->has_user_regs)
    add_dump(self, thread, wait, sample);
  else if (sample->user_chain_count)
    add_chain(self, thread, wait, sample);
  else if (self->options.plan.stack_dump || sample->chain_count)
    add_leaf(self, thread, wait, PROF_JOIN_NO_STACK);
  else
    add_flat(self, thread, wait);
}

static void follow_sample(struct prof_recording *self, const struct prof_record *record) {
  const struct prof_record_sample *sample = &record->sample;
  struct prof_join_thread *thread = thread_of(self, record->tid, record->time_ns, "");
  if (!thread)
    return;
  struct prof_wait wait = {
      .time_ns = record->time_ns,
      .weight = sample->period,
      .ip = sample->has_user_regs ? sample->user_ip
            : sample->in_kernel   ? 0
                                  : sample->ip,
      .sp = sample->user_sp,
      .bp = sample->user_bp,
      .cpu = (uint16_t)record->cpu,
      .flags = sample->in_kernel ? PROF_SAMPLE_KERNEL : 0,
  };
  if (sample->in_kernel) {
    const uint64_t *chain = sample->chain_count ? sample->kernel_chain : &sample->ip;
    uint32_t count = sample->chain_count ? sample->chain_count : 1;
    wait.kernel_node = prof_splice_kernel(&self->kernel_tree, PROF_TREE_ROOT, chain, count);
  }
  if (self->options.replay_pid) {
    add_replayed(self, thread, &wait, sample);
  } else if (self->options.plan.stack_dump) {
    prof_jit_apply(record->time_ns, self->space, &self->arena);
    add_dump(self, thread, &wait, sample);
  } else if (!self->options.plan.sigtrap) {
    prof_jit_apply(record->time_ns, self->space, &self->arena);
    add_flat(self, thread, &wait);
  } else if (!sample->has_user_regs) {
    /* No user part is left: the thread is on its way out of the kernel for the last time. */
    add_leaf(self, thread, &wait, PROF_JOIN_ENDED);
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
  prof_modules_mapped(self->modules, self->space, start, record->mmap.length, record->mmap.offset,
                      record->mmap.path);
}

static void follow_exit(struct prof_recording *self, const struct prof_record *record) {
  struct prof_join_thread *thread = prof_join_find(&self->join, record->tid);
  if (!thread)
    return;
  self->threads.rows[thread->row].end_ns = record->time_ns;
  prof_join_ended(&self->join, thread, decide, self);
  if (self->options.replay_pid)
    return;
  prof_sampler_thread_ended(record->tid);
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
                                   base_of(stack->end));
  prof_join_walk(&self->join, thread, stack, node, decide, self);
}

void prof_follow_finish(struct prof_recording *self) {
  if (!self->options.replay_pid)
    prof_jit_apply(UINT64_MAX, self->space, &self->arena);
  prof_join_finish(&self->join, decide, self);
}
