#include "trace/ledger.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/status.h"

#define FLUSH_NS 1000000000ull /* what a killed tracer loses at most */

static void on_event(void *user, const struct prof_call_event *event) {
  prof_spill_add(&((struct prof_ledger *)user)->spill, event);
}

static void on_end(void *user, const struct prof_call_end *end) {
  prof_tally_add(((struct prof_ledger *)user)->tally, end);
}

int prof_ledger_open(struct prof_ledger *self, const struct prof_tracer_options *options,
                     struct prof_error *error) {
  const struct prof_match_sink sink = {.user = self, .event = on_event, .end = on_end};
  *self = (struct prof_ledger){.spill = {.fd = -1}};
  bool has_file = options->spill_fd < 0 || prof_spill_open(&self->spill, options->spill_fd) == 0;
  self->match = prof_match_create(&sink, options->depth);
  self->tally = prof_tally_create(options->plan->func_count);
  if (has_file && self->match && self->tally &&
      prof_dropper_init(&self->dropper, options->plan, options->limit_calls,
                        options->budget_percent) == 0)
    return PROF_OK;
  return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the trace");
}

void prof_ledger_free(struct prof_ledger *self) {
  prof_spill_close(&self->spill);
  prof_match_free(self->match);
  prof_tally_free(self->tally);
  prof_dropper_free(&self->dropper);
  prof_cpu_free(&self->cpu);
  free(self->threads);
}

void prof_ledger_begin(struct prof_ledger *self, uint64_t now_ns) {
  self->flushed_ns = self->moment_ns = now_ns;
  self->first_cpu_ns = self->dropper.cpu_ns = prof_cpu_read(&self->cpu);
}

bool prof_ledger_round(struct prof_ledger *self, uint64_t now_ns) {
  if (now_ns - self->flushed_ns > FLUSH_NS) {
    self->flushed_ns = now_ns;
    prof_spill_flush(&self->spill);
  }
  if (now_ns - self->moment_ns <= PROF_DROPPER_MOMENT_NS)
    return false;
  self->moment_ns = now_ns;
  return true;
}

struct prof_trace_thread *prof_ledger_thread(struct prof_ledger *self, uint32_t pid, uint32_t tid) {
  for (size_t i = self->thread_count; i > 0; i--)
    if (self->threads[i - 1].tid == tid && self->threads[i - 1].pid == pid)
      return &self->threads[i - 1];
  if (prof_array_reserve((void **)&self->threads, &self->thread_capacity, self->thread_count + 1,
                         sizeof *self->threads))
    return NULL;
  struct prof_trace_thread *thread = &self->threads[self->thread_count++];
  *thread = (struct prof_trace_thread){.pid = pid, .tid = tid};
  return thread;
}

double prof_ledger_cpu_ns(struct prof_ledger *self) {
  return prof_cpu_read(&self->cpu) - self->first_cpu_ns;
}

void prof_ledger_close(struct prof_ledger *self, struct prof_tracer_result *out) {
  prof_match_finish(self->match);
  prof_spill_close(&self->spill);
  out->match = prof_match_counts(self->match);
  out->tally = self->tally;
  out->events = self->spill.events;
  out->event_bytes = self->spill.bytes;
  out->missed_events = self->spill.missed;
  out->spill_errno = self->spill.failure;
  out->cost_ns = self->dropper.cost_ns;
  out->drops = self->dropper.drops;
  out->drop_count = self->dropper.drop_count;
  out->threads = self->threads;
  out->thread_count = self->thread_count;
}
