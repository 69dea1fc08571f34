#include "session/allocations.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "code/jit.h"
#include "heap/hooks.h"
#include "session/follow.h"
#include "session/recording.h"
#include "session/settle.h"

/* What a short time cost is no share of anything: the cap is looked at from here on. */
enum { CAP_FROM_CPU_MS = 300 };

/* Modules stay held from one recording to the next (heap/slots.h). */
static struct prof_slots slots;

static uint64_t process_cpu_ns(void) {
  return prof_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void look(struct prof_allocations *self) {
  prof_heap_read_counters(&self->counters);
  self->cpu_ns = process_cpu_ns() - self->start_cpu_ns;
}

static void note_slots(struct prof_allocations *self) {
  self->slots = (uint32_t)slots.count;
  self->modules = (uint32_t)slots.module_count;
  self->refused = (uint32_t)slots.refused;
}

int prof_allocations_begin(struct prof_recording *recording, struct prof_error *error) {
  struct prof_allocations *self = &recording->allocations;
  const struct prof_heap_options heap = {
      .unwind = &recording->unwind,
      .mean_bytes = recording->options.allocations.mean_bytes,
      .max_words = recording->options.max_words,
      .most_samples = PROF_ALLOCATIONS_MOST_SAMPLES,
      .wake = recording->options.wake,
      .user = recording->options.wake_user,
  };
  if (!heap.mean_bytes)
    return PROF_OK;
  prof_hooks_leave_out_thread();
  int status = prof_hooks_prepare(error);
  if (!status)
    status = prof_heap_arm(&heap, error);
  if (status)
    return status;
  self->is_on = true;
  self->price_ps = prof_hooks_price_ps();
  self->start_cpu_ns = process_cpu_ns();
  slots.hooks = prof_hooks;
  slots.hook_count = prof_hook_count;
  slots.is_real = prof_hooks_is_real;
  slots.refused = 0;
  prof_slots_turn(&slots);
  note_slots(self);
  return PROF_OK;
}

void prof_allocations_walk(struct prof_recording *recording, const struct prof_stack *stack) {
  struct prof_allocations *self = &recording->allocations;
  prof_jit_apply(stack->time_ns, recording->space, &recording->arena);
  struct prof_join_thread *thread = prof_follow_born(recording, stack->tid, stack->time_ns);
  if (!thread || prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                                    sizeof *self->rows)) {
    self->no_memory++;
    return;
  }
  self->rows[self->count++] = (struct prof_allocation){
      .time_ns = stack->time_ns,
      .bytes = stack->sp,
      .thread = thread->row,
      .node = prof_splice_user(&recording->splice, &thread->memo, stack->words, stack->count,
                               prof_settle_base(stack->end)),
      .number = (uint32_t)stack->ticks,
      .cpu = stack->cpu,
      .end = (uint8_t)prof_settle_end(stack->end),
      .flags = prof_settle_flags(stack->flags),
  };
}

double prof_allocations_cost(const struct prof_allocations *self) {
  double spent_ns =
      (double)self->counters.take_ns + (double)self->counters.calls * (double)self->price_ps / 1000;
  return self->cpu_ns ? 100 * spent_ns / (double)self->cpu_ns : 0;
}

static void put_back(struct prof_allocations *self, enum prof_allocations_end reason) {
  if (self->end_ns)
    return;
  note_slots(self);
  prof_slots_restore(&slots);
  self->end_ns = prof_now_ns();
  self->reason = reason;
  look(self);
}

void prof_allocations_round(struct prof_recording *recording) {
  struct prof_allocations *self = &recording->allocations;
  if (!self->is_on || self->end_ns)
    return;
  prof_slots_turn(&slots);
  look(self);
  if (self->counters.is_full)
    put_back(self, PROF_ALLOCATIONS_SAMPLES);
  else if (self->cpu_ns > CAP_FROM_CPU_MS * 1000000ull &&
           prof_allocations_cost(self) > recording->options.allocations.cap_percent)
    put_back(self, PROF_ALLOCATIONS_COST);
}

void prof_allocations_settle(struct prof_allocations *self) {
  if (!self->is_on)
    return;
  for (size_t i = 0; i < self->count; i++) {
    struct prof_allocation *row = &self->rows[i];
    if (!row->freed_ns)
      row->freed_ns = prof_heap_freed_ns(row->number);
  }
  if (!self->end_ns)
    look(self);
}

void prof_allocations_end(struct prof_recording *recording) {
  if (!recording->allocations.is_on)
    return;
  put_back(&recording->allocations, PROF_ALLOCATIONS_ON);
  prof_heap_wait(); /* the last drain comes after this */
}

void prof_allocations_close(struct prof_recording *recording) {
  struct prof_allocations *self = &recording->allocations;
  if (!self->is_on)
    return;
  prof_allocations_settle(self);
  recording->is_held |= !prof_heap_disarm();
  self->is_on = false;
}
