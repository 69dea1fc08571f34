#include "stack/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/arch.h"
#include "base/array.h"

enum {
  NONE = UINT32_MAX,
  /* The way into and out of the handler: signal delivery, a new thread's first touches of its slot,
   * rt_sigreturn, and the timer's interrupts meanwhile. */
  HANDLER_SLACK_NS = 100000,
  HANDLER_BYTES = 8192, /* of stack, at most; see stack/trap.c */
  /* From libc's blocking of all signals around clone, raise, ... to its end: the system call. */
  OUTER_NS = 2000000,
  /* Else the signal comes as the system call ends: rt_sigreturn, which goes back further out. */
  OUTER_SYNC_NS = 50000,
  OUTER_BYTES = 16384,    /* frames of libc between the two stack pointers */
  INSTRUCTION_BYTES = 15, /* at most */
  PUSH_BYTES = 8,
};

void prof_join_init(struct prof_join *self) {
  memset(self, 0, sizeof *self);
  self->free = NONE;
}

void prof_join_free(struct prof_join *self) {
  for (size_t i = 0; i < self->thread_count; i++)
    prof_splice_memo_free(&self->threads[i].memo);
  free(self->threads);
  free(self->pool);
  prof_table_free(&self->thread_of);
  prof_join_init(self);
}

struct prof_join_thread *prof_join_find(struct prof_join *self, uint32_t tid) {
  uint32_t index = prof_table_get(&self->thread_of, tid);
  if (index == PROF_TABLE_NONE || self->threads[index].ended)
    return NULL;
  return &self->threads[index];
}

struct prof_join_thread *prof_join_add(struct prof_join *self, uint32_t tid, uint32_t row) {
  if (prof_array_reserve((void **)&self->threads, &self->thread_capacity, self->thread_count + 1,
                         sizeof *self->threads) ||
      prof_table_put(&self->thread_of, tid, (uint32_t)self->thread_count)) {
    return NULL;
  }
  struct prof_join_thread *thread = &self->threads[self->thread_count++];
  *thread = (struct prof_join_thread){.tid = tid, .row = row, .first = NONE, .last = NONE};
  return thread;
}

int prof_join_sample(struct prof_join *self, struct prof_join_thread *thread,
                     const struct prof_wait *sample) {
  uint32_t index = self->free;
  if (index != NONE) {
    self->free = self->pool[index].next;
  } else {
    if (prof_array_reserve((void **)&self->pool, &self->pool_capacity, self->pool_count + 1,
                           sizeof *self->pool)) {
      return -1;
    }
    index = (uint32_t)self->pool_count++;
  }
  self->pool[index] = *sample;
  self->pool[index].next = NONE;
  if (thread->last == NONE) {
    thread->first = index;
  } else {
    self->pool[thread->last].next = index;
  }
  thread->last = index;
  self->waiting++;
  return 0;
}

struct prof_wait *prof_join_newest(struct prof_join *self, const struct prof_join_thread *thread) {
  return thread->last == NONE ? NULL : &self->pool[thread->last];
}

/* Takes the thread's oldest sample out and emits it. */
static void emit_first(struct prof_join *self, struct prof_join_thread *thread,
                       enum prof_join_fate fate, prof_join_emit *emit, void *user) {
  uint32_t index = thread->first;
  struct prof_wait sample = self->pool[index];
  thread->first = sample.next;
  if (thread->first == NONE)
    thread->last = NONE;
  self->pool[index].next = self->free;
  self->free = index;
  self->waiting--;
  emit(user, thread, &sample, fate);
}

/* A system call that is to be restarted has its instruction pointer put back onto `syscall`. At a
 * probe the kernel does the instruction's work before it delivers the signal: the walk stands
 * at the next one, and what a push has put there is below the sample's stack pointer. */
static bool is_walk_of(const struct prof_wait *sample, const struct prof_join_last *walk) {
  bool is_next = walk->ip - sample->ip <= INSTRUCTION_BYTES && sample->sp - walk->sp <= PUSH_BYTES;
  return is_next || (sample->sp == walk->sp && sample->ip == walk->ip + PROF_ARCH_SYSCALL_BYTES);
}

/* Taken while that walk's handler was entered, ran or was left: at its time, on its stack. */
static bool is_in_handler(const struct prof_join_last *walk, const struct prof_wait *sample) {
  uint64_t over_ns = walk->time_ns + walk->duration_ns + HANDLER_SLACK_NS;
  uint64_t return_address = sizeof(void *);
  return walk->time_ns && sample->time_ns + HANDLER_SLACK_NS >= walk->time_ns &&
         sample->time_ns <= over_ns && walk->frame + return_address - sample->sp < HANDLER_BYTES;
}

/* libc blocks all signals only within a function: the walk stands in that function or below. A
 * signal handler's end goes back to what was interrupted. */
static bool is_further_out(const struct prof_join_last *walk, const struct prof_wait *sample,
                           bool is_async) {
  uint64_t limit_ns = is_async ? OUTER_NS : OUTER_SYNC_NS;
  return walk->time_ns - sample->time_ns < limit_ns && walk->sp - sample->sp < OUTER_BYTES;
}

static enum prof_join_fate fate_of(const struct prof_wait *sample, struct prof_join_thread *thread,
                                   const struct prof_join_last *now, bool is_async) {
  if (is_walk_of(sample, now)) {
    thread->walk = *now;
    return PROF_JOIN_MATCHED;
  }
  if (is_in_handler(&thread->walk, sample))
    return PROF_JOIN_HANDLER;
  bool is_entering = is_in_handler(now, sample);
  bool is_outer = is_further_out(now, sample, is_async);
  if (is_entering || is_outer)
    thread->walk = *now;
  return is_entering ? PROF_JOIN_HANDLER
         : is_outer  ? PROF_JOIN_OUTER
         : is_async  ? PROF_JOIN_BLOCKED
                     : PROF_JOIN_NO_STACK;
}

void prof_join_walk(struct prof_join *self, struct prof_join_thread *thread,
                    const struct prof_stack *walk, uint32_t node, prof_join_emit *emit,
                    void *user) {
  const struct prof_join_last now = {.time_ns = walk->time_ns,
                                     .duration_ns = walk->duration_ns,
                                     .ip = walk->ip,
                                     .sp = walk->sp,
                                     .frame = walk->frame,
                                     .end_pc = walk->end_pc,
                                     .node = node,
                                     .end = walk->end,
                                     .flags = walk->flags};
  bool any = false, is_async = walk->flags & PROF_STACK_ASYNC;
  while (thread->first != NONE && self->pool[thread->first].time_ns <= now.time_ns) {
    enum prof_join_fate fate = fate_of(&self->pool[thread->first], thread, &now, is_async);
    any = true;
    emit_first(self, thread, fate, emit, user);
  }
  if (!any && !is_async)
    self->unmatched++;
  thread->walk = now;
}

void prof_join_ended(struct prof_join *self, struct prof_join_thread *thread, prof_join_emit *emit,
                     void *user) {
  while (thread->first != NONE)
    emit_first(self, thread, PROF_JOIN_ENDED, emit, user);
  prof_splice_memo_free(&thread->memo);
  thread->ended = true;
}

void prof_join_finish(struct prof_join *self, prof_join_emit *emit, void *user) {
  for (size_t i = 0; i < self->thread_count; i++) {
    struct prof_join_thread *thread = &self->threads[i];
    while (thread->first != NONE)
      emit_first(self, thread, PROF_JOIN_FROZEN, emit, user);
  }
}

const char *prof_join_fate_name(enum prof_join_fate fate) {
  static const char *const names[] = {"matched",  "handler",      "SIGTRAP blocked",   "outer",
                                      "no stack", "thread ended", "blocked at the end"};
  return names[fate];
}
