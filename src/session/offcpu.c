#include "session/offcpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "perf/os.h"
#include "perf/switches.h"
#include "session/frozen.h"
#include "session/settle.h"

enum {
  LOOK_NS = 40000000,    /* between two looks at the sleepers */
  SLEEPER_NS = 20000000, /* a wait that lasts for longer is worth a reading of its stack */
  LOOK_NS_MAX = 5000000, /* one look */
};

static bool is_off_cpu(const struct prof_recording *self) {
  return self->options.plan.switches != PROF_SWITCHES_NONE;
}

static struct prof_waits_thread *waits_of(struct prof_recording *self, uint32_t row) {
  struct prof_waits *waits = &self->waits;
  if (row >= waits->count) {
    if (prof_array_reserve((void **)&waits->rows, &waits->capacity, row + 1, sizeof *waits->rows)) {
      self->counters.no_memory++;
      return NULL;
    }
    memset(waits->rows + waits->count, 0, (row + 1 - waits->count) * sizeof *waits->rows);
    waits->count = row + 1;
  }
  return &waits->rows[row];
}

/* --- sleepers --- */

/* Where a thread sleeps: "NUMBER ARGUMENTS.. SP PC", "-1 SP PC" in a fault, "running"
 * (fs/proc/base.c, proc_pid_syscall; 2.6.27 to 6.18). */
static bool find_sleeper(uint32_t tid, uint64_t *sp, uint64_t *pc) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%u/syscall", tid);
  if (prof_os_real.read_file(prof_os_real.user, path, text, sizeof text) <= 0)
    return false;
  char *last = strrchr(text, ' ');
  if (!last)
    return false;
  *last = 0;
  char *before = strrchr(text, ' ');
  if (!before)
    return false;
  *sp = strtoull(before + 1, NULL, 16);
  *pc = strtoull(last + 1, NULL, 16);
  return *sp && *pc;
}

/* The row of a wait whose stack is read now, while it lasts. */
static bool read_sleeper(struct prof_recording *self, uint32_t tid, struct prof_sample *sample) {
  struct prof_walk walk;
  uint64_t sp, pc;
  self->waits.asked++;
  if (!find_sleeper(tid, &sp, &pc) ||
      prof_frozen_walk(&self->unwind, self->options.max_words, pc, sp, 0, &walk))
    return false;
  sample->node =
      prof_splice_user(&self->splice, NULL, walk.words, walk.count, prof_settle_base(walk.end));
  sample->end = (uint8_t)prof_settle_end(walk.end);
  sample->reason = (uint8_t)walk.end;
  sample->end_pc = sample->end == PROF_END_BROKEN ? walk.end_pc : 0;
  sample->flags = PROF_SAMPLE_JOINED;
  self->waits.read++;
  free(walk.words);
  return true;
}

void prof_offcpu_begin(struct prof_recording *self) {
  if (!is_off_cpu(self))
    return;
  for (size_t i = 0; i < self->join.thread_count; i++) {
    struct prof_join_thread *thread = &self->join.threads[i];
    struct prof_waits_thread *waits = waits_of(self, thread->row);
    if (!waits)
      continue;
    prof_times_begin(&waits->times, self->start_ns);
    waits->has_begun = true;
    struct prof_sample sample = {
        .time_ns = self->start_ns, .thread = thread->row, .state = PROF_STATE_BLOCKED};
    if (read_sleeper(self, thread->tid, &sample)) {
      waits->held = sample;
      waits->is_held = true;
    }
  }
}

void prof_offcpu_look(struct prof_recording *self) {
  struct prof_waits *waits = &self->waits;
  uint64_t now_ns = prof_now_ns();
  if (self->options.plan.switches != PROF_SWITCHES_RECORDS || now_ns - waits->look_ns < LOOK_NS)
    return;
  waits->look_ns = now_ns;
  for (size_t i = 0; i < self->join.thread_count; i++) {
    const struct prof_join_thread *thread = &self->join.threads[i];
    struct prof_waits_thread *own = thread->row < waits->count ? &waits->rows[thread->row] : NULL;
    if (!own || thread->ended || !own->is_held || own->asked_ns ||
        own->held.state != PROF_STATE_BLOCKED || now_ns - own->held.time_ns < SLEEPER_NS)
      continue;
    own->asked = own->held;
    if (read_sleeper(self, thread->tid, &own->asked))
      own->asked_ns = now_ns;
    if (prof_now_ns() - now_ns > LOOK_NS_MAX)
      break;
  }
}

/* --- records --- */

void prof_offcpu_hold(struct prof_recording *self, const struct prof_join_thread *thread,
                      const struct prof_sample *sample) {
  struct prof_waits_thread *waits = waits_of(self, thread->row);
  if (!waits)
    return;
  waits->held = *sample;
  waits->is_held = true;
  waits->asked_ns = 0;
}

/* The wait is over, if there was one. */
static void close_wait(struct prof_recording *self, const struct prof_join_thread *thread,
                       struct prof_waits_thread *waits, uint64_t now_ns, uint64_t off_ns) {
  struct prof_wait *newest = prof_join_newest(&self->join, thread);
  if (newest && newest->is_open) {
    newest->weight = off_ns;
    newest->is_open = false;
  } else if (waits->is_held && off_ns) {
    /* A reading from after this is another wait's. */
    struct prof_sample *sample =
        waits->asked_ns && waits->asked_ns < now_ns ? &waits->asked : &waits->held;
    sample->weight = off_ns;
    if (prof_samples_add(&self->samples, sample))
      self->counters.no_memory++;
  }
  waits->is_held = false;
  waits->asked_ns = 0;
}

void prof_offcpu_sample(struct prof_recording *self, struct prof_join_thread *thread,
                        struct prof_wait *wait, const struct prof_record *record) {
  if (!is_off_cpu(self))
    return;
  struct prof_waits_thread *waits = waits_of(self, thread->row);
  if (!waits)
    return;
  if (prof_switches_is_sample(&self->options.plan, record)) {
    wait->state = PROF_STATE_BLOCKED;
    wait->is_open = true;
    wait->weight = 0;
    waits->is_held = false;
    return;
  }
  /* Running, although no record told that it is back. */
  if (waits->times.is_known && waits->times.state != PROF_STATE_RUNNING) {
    waits->times.lost++;
    close_wait(self, thread, waits, wait->time_ns, prof_times_in(&waits->times, wait->time_ns));
  }
  waits->is_held = false;
  wait->weight = prof_times_tick(&waits->times, wait->time_ns, wait->weight);
}

/* The stack that was sampled last stands for that of a wait without one. */
static void guess_wait(struct prof_recording *self, struct prof_join_thread *thread,
                       const struct prof_record *record, enum prof_state state) {
  const struct prof_join_last *walk = &thread->walk;
  struct prof_wait wait = {.time_ns = record->time_ns,
                           .cpu = (uint16_t)record->cpu,
                           .state = (uint8_t)state,
                           .is_open = true};
  if (self->options.plan.switches == PROF_SWITCHES_EVENT)
    self->waits.without++;
  if (walk->time_ns)
    prof_settle_row(self, thread, &wait, walk->node, prof_settle_end(walk->end), walk->end,
                    walk->end_pc, PROF_SAMPLE_LAST);
  else
    prof_settle_leaf(self, thread, &wait, PROF_JOIN_NO_STACK);
}

void prof_offcpu_switch(struct prof_recording *self, struct prof_join_thread *thread,
                        const struct prof_record *record) {
  if (!is_off_cpu(self))
    return;
  struct prof_waits_thread *waits = waits_of(self, thread->row);
  if (!waits)
    return;
  uint64_t now_ns = record->time_ns;
  self->waits.switches++;
  if (!record->context_switch.out) {
    close_wait(self, thread, waits, now_ns, prof_times_in(&waits->times, now_ns));
    return;
  }
  bool is_preempted = record->context_switch.preempted;
  enum prof_state state = is_preempted ? PROF_STATE_RUNNABLE : PROF_STATE_BLOCKED;
  struct prof_wait *newest = prof_join_newest(&self->join, thread);
  prof_times_out(&waits->times, now_ns, is_preempted);
  if (newest && newest->is_open)
    newest->state = (uint8_t)state;
  else if (waits->is_held && self->options.plan.switches == PROF_SWITCHES_EVENT)
    waits->held.state = (uint8_t)state;
  else
    guess_wait(self, thread, record, state);
}

void prof_offcpu_ended(struct prof_recording *self, const struct prof_join_thread *thread,
                       uint64_t time_ns) {
  if (!is_off_cpu(self) || thread->row >= self->waits.count)
    return;
  struct prof_waits_thread *waits = &self->waits.rows[thread->row];
  close_wait(self, thread, waits, time_ns, prof_times_end(&waits->times, time_ns));
}

void prof_offcpu_finish(struct prof_recording *self) {
  for (size_t i = 0; is_off_cpu(self) && i < self->join.thread_count; i++) {
    struct prof_join_thread *thread = &self->join.threads[i];
    if (!thread->ended)
      prof_offcpu_ended(self, thread, self->end_ns);
  }
}
