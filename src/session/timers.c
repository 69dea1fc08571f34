#include "session/timers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "code/jit.h"
#include "code/loaded.h"
#include "perf/cputimer.h"
#include "session/follow.h"
#include "session/settle.h"
#include "stack/sampler.h"

/* Told from this share of the sampled time on. */
#define UNSEEN_SHOWN_FROM 0.02

enum { RENAME_EVERY = 16 }; /* rounds: a thread names itself after its birth */

struct mapped {
  uint64_t start, end;
  bool is_there;
};

struct ended {
  uint32_t tid;
  uint64_t end_ns; /* when it was missed */
};

struct prof_timers {
  struct prof_cputimers *cputimers;
  uint64_t generation; /* of the dynamic linker's list */
  struct mapped *mapped;
  size_t count, capacity;
  bool is_first;
  struct ended *ended; /* whose last walks may still be under way */
  size_t ended_count, ended_capacity;
  uint32_t rounds;
};

/* --- libraries --- */

static struct mapped *find_mapped(struct prof_timers *self, uint64_t start, uint64_t end) {
  for (size_t i = 0; i < self->count; i++)
    if (self->mapped[i].start == start && self->mapped[i].end == end)
      return &self->mapped[i];
  return NULL;
}

static void see_mapping(void *user, const struct prof_mapping *mapping) {
  struct prof_recording *recording = user;
  struct prof_timers *self = recording->timers;
  if (!mapping->is_executable || mapping->path[0] != '/')
    return;
  struct mapped *known = find_mapped(self, mapping->start, mapping->end);
  if (known) {
    known->is_there = true;
    return;
  }
  if (prof_array_reserve((void **)&self->mapped, &self->capacity, self->count + 1,
                         sizeof *self->mapped))
    return;
  self->mapped[self->count++] =
      (struct mapped){.start = mapping->start, .end = mapping->end, .is_there = true};
  if (self->is_first) /* those of the start are in already */
    return;
  int module = prof_modules_mapped(recording->modules, recording->space, mapping->start,
                                   mapping->end - mapping->start, mapping->offset, mapping->path);
  if (module >= 0)
    prof_unindexed_mapped(&recording->unindexed, recording->rows,
                          prof_modules_at(recording->modules, (size_t)module), mapping->start,
                          mapping->end);
}

/* In place of the kernel's mmap records. What was unloaded is forgotten before anything new is
 * believed at its place; a library of the same size at the same place within one round is taken for
 * the one before. */
static void follow_libraries(struct prof_recording *recording) {
  struct prof_timers *self = recording->timers;
  uint64_t generation = prof_loaded_generation();
  if (generation == self->generation)
    return;
  self->generation = generation;
  for (size_t i = 0; i < self->count; i++)
    self->mapped[i].is_there = false;
  if (!self->is_first)
    prof_rows_refresh(recording->rows, NULL);
  prof_loaded_visit(see_mapping, recording);
  size_t kept = 0;
  for (size_t i = 0; i < self->count; i++) {
    struct mapped *mapped = &self->mapped[i];
    if (mapped->is_there)
      self->mapped[kept++] = *mapped;
    else
      prof_rows_forget(recording->rows, mapped->start, mapped->end);
  }
  self->count = kept;
  self->is_first = false;
}

/* --- threads --- */

static void see_thread(void *user, uint32_t tid, bool is_born) {
  struct prof_recording *recording = user;
  struct prof_timers *self = recording->timers;
  uint64_t now_ns = prof_now_ns();
  if (is_born)
    prof_follow_born(recording, tid, recording->start_ns ? now_ns : 0);
  else if (prof_array_reserve((void **)&self->ended, &self->ended_capacity, self->ended_count + 1,
                              sizeof *self->ended) == 0)
    self->ended[self->ended_count++] = (struct ended){.tid = tid, .end_ns = now_ns};
}

void prof_timers_flushed(struct prof_recording *recording, uint64_t until_ns) {
  struct prof_timers *self = recording->timers;
  size_t kept = 0;
  for (size_t i = 0; i < self->ended_count; i++) {
    if (self->ended[i].end_ns < until_ns)
      prof_follow_ended(recording, self->ended[i].tid, self->ended[i].end_ns);
    else
      self->ended[kept++] = self->ended[i];
  }
  self->ended_count = kept;
}

int prof_timers_open(struct prof_recording *recording, struct prof_error *error) {
  struct prof_timers *self = recording->timers = calloc(1, sizeof *self);
  if (!self)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the timers");
  self->is_first = true;
  follow_libraries(recording);
  return prof_cputimers_open(&prof_os_real, &recording->options.plan, prof_sampler_cookie(),
                             recording->options.skip_tid, &self->cputimers, error);
}

void prof_timers_begin(struct prof_recording *recording) {
  prof_cputimers_scan(recording->timers->cputimers, see_thread, recording);
}

void prof_timers_round(struct prof_recording *recording) {
  if (++recording->timers->rounds % RENAME_EVERY == 0)
    prof_follow_rename(recording);
  follow_libraries(recording);
  prof_cputimers_scan(recording->timers->cputimers, see_thread, recording);
}

void prof_timers_stop(struct prof_recording *recording) {
  prof_follow_rename(recording);
  prof_cputimers_stop(recording->timers->cputimers);
}

void prof_timers_free(struct prof_recording *recording) {
  if (!recording->timers)
    return;
  prof_cputimers_close(recording->timers->cputimers);
  free(recording->timers->mapped);
  free(recording->timers->ended);
  free(recording->timers);
  recording->timers = NULL;
}

/* --- samples --- */

void prof_timers_walk(void *user, const struct prof_stack *stack) {
  struct prof_recording *recording = user;
  prof_jit_apply(stack->time_ns, recording->space, &recording->arena);
  struct prof_join_thread *thread = prof_follow_born(recording, stack->tid, stack->time_ns);
  const struct prof_wait wait = {
      .time_ns = stack->time_ns,
      .weight = (stack->ticks ? stack->ticks : 1) * recording->options.plan.period_ns,
      .ip = stack->ip,
      .sp = stack->sp,
      .cpu = stack->cpu,
  };
  if (!thread)
    return;
  if (!recording->options.plan.sigtrap) {
    prof_settle_flat(recording, thread, &wait);
    return;
  }
  uint32_t node = prof_splice_user(&recording->splice, &thread->memo, stack->words, stack->count,
                                   prof_settle_base(stack->end));
  prof_settle_row(recording, thread, &wait, node, prof_settle_end(stack->end), stack->end,
                  stack->end_pc, prof_settle_flags(stack->flags));
}

bool prof_timers_note(const struct prof_recording *recording, char *text, size_t size) {
  struct prof_cputimer_counts counts = prof_cputimers_counts(recording->timers->cputimers);
  uint64_t sampled_ns = 0;
  for (size_t i = 0; i < recording->samples.count; i++)
    sampled_ns += recording->samples.rows[i].weight;
  text[0] = 0;
  size_t used = 0;
  if ((double)counts.unseen_ns > UNSEEN_SHOWN_FROM * (double)(sampled_ns + counts.unseen_ns))
    used +=
        (size_t)snprintf(text, size,
                         "%.1f %% of the CPU time was spent by threads too new to "
                         "be found",
                         100 * (double)counts.unseen_ns / (double)(sampled_ns + counts.unseen_ns));
  if (counts.refused && used < size)
    used += (size_t)snprintf(text + used, size - used,
                             "%s%llu threads have no timer (the limit of pending signals)",
                             used ? "; " : "", (unsigned long long)counts.refused);
  bool is_full = counts.swept_errno == EMFILE || counts.swept_errno == ENFILE;
  if (counts.swept_errno && used < size)
    used += (size_t)snprintf(
        text + used, size - used, "%sthreads were found by their numbers and have no names: %s",
        used ? "; " : "", is_full ? "no more files may be open" : "there is no /proc");
  return used != 0;
}
