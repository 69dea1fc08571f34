#include "stack/join.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum {
  NONE = UINT32_MAX,
  /* The way into and out of the handler: signal delivery and rt_sigreturn, in ns. */
  HANDLER_SLACK_NS = 20000,
  /* How far below the interrupted code the handler's own frames can be (signal frame with AVX-512
   * state: 3 KB). */
  HANDLER_REACH_BYTES = 64 * 1024,
  /* A system call that is to be restarted has its instruction pointer put back onto `syscall`. */
  SYSCALL_BYTES = 2,
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

static bool is_walk_of(const struct prof_wait *sample, const struct prof_join_last *walk) {
  return sample->sp == walk->sp &&
         (sample->ip == walk->ip || sample->ip == walk->ip + SYSCALL_BYTES);
}

/* Taken while the thread's last walk was under way: below its stack pointer, at its time. */
static bool is_in_handler(const struct prof_join_last *walk, const struct prof_wait *sample) {
  uint64_t over_ns = walk->time_ns + walk->duration_ns + HANDLER_SLACK_NS;
  return walk->time_ns && sample->time_ns <= over_ns && sample->sp < walk->sp &&
         walk->sp - sample->sp < HANDLER_REACH_BYTES;
}

void prof_join_walk(struct prof_join *self, struct prof_join_thread *thread,
                    const struct prof_stack *walk, uint32_t node, prof_join_emit *emit,
                    void *user) {
  const struct prof_join_last now = {.time_ns = walk->time_ns,
                                     .duration_ns = walk->duration_ns,
                                     .ip = walk->ip,
                                     .sp = walk->sp,
                                     .end_pc = walk->end_pc,
                                     .node = node,
                                     .end = walk->end};
  bool any = false;
  while (thread->first != NONE && self->pool[thread->first].time_ns <= now.time_ns) {
    const struct prof_wait *sample = &self->pool[thread->first];
    enum prof_join_fate fate = PROF_JOIN_MATCHED;
    if (is_walk_of(sample, &now)) {
      thread->walk = now;
    } else if (is_in_handler(&thread->walk, sample)) {
      fate = PROF_JOIN_HANDLER;
    } else {
      fate = walk->flags & PROF_STACK_ASYNC ? PROF_JOIN_BLOCKED : PROF_JOIN_NO_STACK;
    }
    any = true;
    emit_first(self, thread, fate, emit, user);
  }
  if (!any && !(walk->flags & PROF_STACK_ASYNC))
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
  static const char *const names[] = {"matched",  "handler",      "SIGTRAP blocked",
                                      "no stack", "thread ended", "blocked at the end"};
  return names[fate];
}
