#include "trace/match.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/table.h"
#include "trace/exits.h"
#include "trace/flow.h"

/* Two records of one hit, by two events: some hundred ns apart. */
enum { TWICE_NS = 1000000 };

struct frame {
  uint64_t id; /* 0: too deep for an event */
  uint64_t sp, start_ns, child_ns;
  uint32_t func;
  uint32_t spawner; /* of a job */
  uint64_t job;
  bool is_outermost, is_job, is_repeated;
};

struct thread {
  uint32_t tid;
  struct frame *frames;
  size_t count, capacity;
  uint64_t *inside; /* bit by function: a call of it is open */
  size_t inside_words;
  struct {
    uint64_t sp, time_ns, id;
    uint32_t func;
    uint8_t kind;
  } last;
};

struct prof_match {
  struct prof_match_sink sink;
  struct prof_match_counts counts;
  uint64_t next_frame;
  uint32_t depth;
  struct thread *threads;
  size_t thread_count, thread_capacity;
  struct prof_table by_tid;
  struct prof_flow flow;
};

struct prof_match *prof_match_create(const struct prof_match_sink *sink, uint32_t depth) {
  struct prof_match *self = calloc(1, sizeof *self);
  if (self) {
    self->sink = *sink;
    self->depth = depth ? depth : UINT32_MAX;
  }
  return self;
}

void prof_match_free(struct prof_match *self) {
  if (!self)
    return;
  for (size_t i = 0; i < self->thread_count; i++) {
    free(self->threads[i].frames);
    free(self->threads[i].inside);
  }
  free(self->threads);
  prof_table_free(&self->by_tid);
  prof_flow_free(&self->flow);
  free(self);
}

static struct thread *thread_of(struct prof_match *self, uint32_t tid) {
  uint32_t index = prof_table_get(&self->by_tid, tid);
  if (index != PROF_TABLE_NONE)
    return &self->threads[index];
  if (prof_array_reserve((void **)&self->threads, &self->thread_capacity, self->thread_count + 1,
                         sizeof *self->threads) ||
      prof_table_put(&self->by_tid, tid, (uint32_t)self->thread_count)) {
    self->counts.no_memory++;
    return NULL;
  }
  struct thread *thread = &self->threads[self->thread_count++];
  *thread = (struct thread){.tid = tid};
  return thread;
}

static bool is_inside(const struct thread *thread, uint32_t func) {
  return func / 64 < thread->inside_words && (thread->inside[func / 64] >> (func % 64) & 1);
}

static bool enter(struct thread *thread, uint32_t func) {
  size_t words = func / 64 + 1;
  if (words > thread->inside_words) {
    uint64_t *grown = realloc(thread->inside, words * 2 * sizeof *grown);
    if (!grown)
      return false;
    for (size_t i = thread->inside_words; i < words * 2; i++)
      grown[i] = 0;
    thread->inside = grown;
    thread->inside_words = words * 2;
  }
  thread->inside[func / 64] |= 1ull << (func % 64);
  return true;
}

static void emit(struct prof_match *self, const struct thread *thread, uint64_t frame,
                 uint64_t parent, uint32_t func, uint8_t kind, uint64_t time_ns) {
  struct prof_call_event event = {.time_ns = time_ns,
                                  .frame = frame,
                                  .parent = parent,
                                  .tid = thread->tid,
                                  .func = func,
                                  .kind = kind};
  if (frame)
    self->sink.event(self->sink.user, &event);
}

/* Ends the innermost call. */
static void pop(struct prof_match *self, struct thread *thread, uint8_t how, uint64_t time_ns) {
  struct frame frame = thread->frames[--thread->count];
  struct frame *caller = thread->count ? &thread->frames[thread->count - 1] : NULL;
  struct prof_call_end end = {.func = frame.func,
                              .caller = caller ? caller->func : PROF_NO_FUNC,
                              .spawner = frame.is_repeated ? PROF_NO_FUNC : frame.spawner,
                              .how = how,
                              .is_outermost = frame.is_outermost};
  if (how == PROF_CALL_EXIT || how == PROF_CALL_TAIL) {
    end.total_ns = time_ns > frame.start_ns ? time_ns - frame.start_ns : 0;
    end.self_ns = end.total_ns > frame.child_ns ? end.total_ns - frame.child_ns : 0;
    if (caller)
      caller->child_ns += end.total_ns;
  } else if (caller) {
    caller->child_ns += frame.child_ns; /* what is known of it */
  }
  if (caller && caller->spawner != PROF_NO_FUNC) {
    end.caller = caller->spawner;
    end.is_crossed = true;
  }
  if (frame.is_outermost)
    thread->inside[frame.func / 64] &= ~(1ull << (frame.func % 64));
  if (how != PROF_CALL_OPEN)
    emit(self, thread, frame.id, caller ? caller->id : 0, frame.func, how, time_ns);
  self->sink.end(self->sink.user, &end);
}

static void push(struct prof_match *self, struct thread *thread, uint32_t func, uint64_t sp,
                 uint64_t time_ns) {
  /* A call at or above the place of an open one: that was left, and nobody saw how. */
  while (thread->count) {
    uint64_t top = thread->frames[thread->count - 1].sp;
    if (sp < top || sp - top > PROF_MATCH_NEAR)
      break;
    pop(self, thread, PROF_CALL_UNSEEN, time_ns);
  }
  if (thread->count >= PROF_MATCH_DEPTH) {
    self->counts.too_deep++;
    return;
  }
  bool outermost = !is_inside(thread, func);
  if (prof_array_reserve((void **)&thread->frames, &thread->capacity, thread->count + 1,
                         sizeof *thread->frames) ||
      (outermost && !enter(thread, func))) {
    self->counts.no_memory++;
    return;
  }
  uint64_t parent = thread->count ? thread->frames[thread->count - 1].id : 0;
  bool written = thread->count < self->depth;
  thread->frames[thread->count++] = (struct frame){.id = written ? ++self->next_frame : 0,
                                                   .sp = sp,
                                                   .start_ns = time_ns,
                                                   .func = func,
                                                   .spawner = PROF_NO_FUNC,
                                                   .is_outermost = outermost};
  self->counts.deeper += !written;
  if (written)
    emit(self, thread, self->next_frame, parent, func, PROF_CALL_ENTRY, time_ns);
}

static void leave(struct prof_match *self, struct thread *thread, uint32_t func, uint64_t sp,
                  uint8_t how, uint64_t time_ns) {
  size_t at = thread->count;
  while (at > 0) {
    const struct frame *frame = &thread->frames[at - 1];
    if (frame->sp == sp && frame->func == func)
      break;
    /* Open calls lie the deeper the farther out: beyond this place there is none of this stack. */
    at = frame->sp > sp && frame->sp - sp <= PROF_MATCH_NEAR ? 0 : at - 1;
  }
  if (at == 0) {
    self->counts.unmatched++;
    return;
  }
  while (thread->count > at)
    pop(self, thread, PROF_CALL_UNSEEN, time_ns);
  pop(self, thread, how, time_ns);
}

static bool came_twice(struct prof_match *self, struct thread *thread, uint32_t func, uint8_t kind,
                       uint64_t sp, uint64_t time_ns, uint64_t id) {
  /* Both on the CPU where the hit was: elsewhere it is another hit. */
  bool same_cpu = thread->last.id >> 32 == id >> 32;
  bool twice = same_cpu && thread->last.id != id && thread->last.func == func &&
               thread->last.kind == kind && thread->last.sp == sp &&
               time_ns - thread->last.time_ns < TWICE_NS && thread->last.time_ns != 0;
  thread->last.id = id;
  thread->last.func = func;
  thread->last.kind = kind;
  thread->last.sp = sp;
  thread->last.time_ns = twice ? 0 : time_ns;
  self->counts.twice += twice;
  return twice;
}

bool prof_match_hit(struct prof_match *self, uint32_t tid, uint32_t func, uint8_t kind, uint64_t sp,
                    uint64_t time_ns, uint64_t id) {
  struct thread *thread = thread_of(self, tid);
  self->counts.hits++;
  if (!thread || came_twice(self, thread, func, kind, sp, time_ns, id))
    return false;
  if (kind == PROF_SITE_SPAWN)
    return true;
  if (prof_site_is_entry(kind))
    push(self, thread, func, sp, time_ns);
  if (kind == PROF_SITE_COUNT)
    leave(self, thread, func, sp, PROF_CALL_UNSEEN, time_ns);
  else if (kind != PROF_SITE_ENTRY)
    leave(self, thread, func, sp, kind == PROF_SITE_TAIL ? PROF_CALL_TAIL : PROF_CALL_EXIT,
          time_ns);
  return true;
}

void prof_match_spawn(struct prof_match *self, uint32_t tid, uint64_t job, uint64_t time_ns) {
  const struct thread *thread = thread_of(self, tid);
  struct prof_flow_spawn spawn = {.job = job, .time_ns = time_ns, .tid = tid, .func = PROF_NO_FUNC};
  if (thread && thread->count) {
    const struct frame *top = &thread->frames[thread->count - 1];
    spawn.func = top->is_job ? top->spawner : top->func;
    spawn.frame = top->id;
  }
  if (prof_flow_put(&self->flow, &spawn))
    self->counts.no_memory++;
}

static bool is_open(const struct thread *thread, uint64_t frame) {
  size_t at = thread->count;
  while (at > 0 && thread->frames[at - 1].id != frame)
    at--;
  return frame && at > 0;
}

void prof_match_run(struct prof_match *self, uint32_t tid, uint64_t job) {
  struct thread *thread = thread_of(self, tid);
  struct frame *frame = thread && thread->count ? &thread->frames[thread->count - 1] : NULL;
  if (!frame || frame->is_job || frame->start_ns != thread->last.time_ns)
    return; /* that call was too deep, or is over already */
  const struct prof_flow_spawn *spawn = prof_flow_find(&self->flow, job);
  frame->is_job = true;
  frame->job = job;
  if (thread->count > 1 && frame[-1].is_job && frame[-1].job == job) {
    frame->is_repeated = true; /* raw::poll and Harness::poll, where one calls the other */
    frame->spawner = frame[-1].spawner;
    return;
  }
  self->counts.jobs++;
  if (!spawn)
    return;
  if (spawn->func == PROF_NO_FUNC) {
    self->counts.jobs_outside++;
    return;
  }
  if (spawn->tid == tid && is_open(thread, spawn->frame)) {
    self->counts.jobs_inside++;
    return;
  }
  frame->spawner = spawn->func;
  self->counts.jobs_crossed++;
  struct prof_call_event event = {.time_ns = frame->start_ns,
                                  .frame = frame->id,
                                  .parent = spawn->frame,
                                  .spawned_ns = spawn->time_ns,
                                  .spawner_tid = spawn->tid,
                                  .tid = tid,
                                  .func = frame->func,
                                  .kind = PROF_CALL_SPAWNED};
  if (frame->id && spawn->frame)
    self->sink.event(self->sink.user, &event);
}

void prof_match_thread_ended(struct prof_match *self, uint32_t tid, uint64_t time_ns) {
  uint32_t index = prof_table_get(&self->by_tid, tid);
  if (index == PROF_TABLE_NONE)
    return;
  struct thread *thread = &self->threads[index];
  while (thread->count)
    pop(self, thread, PROF_CALL_UNSEEN, time_ns);
  thread->last.time_ns = 0; /* the number may be another thread's soon */
}

void prof_match_finish(struct prof_match *self) {
  for (size_t i = 0; i < self->thread_count; i++)
    while (self->threads[i].count)
      pop(self, &self->threads[i], PROF_CALL_OPEN, 0);
}

uint32_t prof_match_running(const struct prof_match *self, uint32_t tid) {
  uint32_t index = prof_table_get(&self->by_tid, tid);
  if (index == PROF_TABLE_NONE || self->threads[index].count == 0)
    return PROF_NO_FUNC;
  return self->threads[index].frames[self->threads[index].count - 1].func;
}

struct prof_match_counts prof_match_counts(const struct prof_match *self) {
  return self->counts;
}
