#include "session/recording.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "code/jit.h"
#include "perf/cputimer.h"
#include "perf/datasave.h"
#include "session/copied.h"
#include "session/follow.h"
#include "session/offcpu.h"
#include "session/rawfile.h"
#include "session/timers.h"
#include "stack/sampler.h"

enum {
  ORDER_LIMIT_BYTES = 256 << 20,
  /* Walks not drained yet. A CPU leaves 2 MB a second at 4000 Hz and 50 frames, 60 MB at 2,000
   * frames; it wakes the drain at a quarter of this. All of it is touched in time, so many CPUs
   * share. */
  WALK_BYTES_PER_CPU = 4 << 20,
  WALK_BYTES_MAX = 64 << 20,
  RESIDENT_NS = 40000000, /* each drain, at most */
  PREFETCH_NS = 2000000,  /* of 50 ms: 4 % of one CPU while there is something new */
};

/* Tells the unwinder where V8's builtins are, when that is not what it knows. Old maps stay until
 * the end: a handler may be reading one. */
static void publish_v8(struct prof_recording *self) {
  struct prof_jit_map map;
  if (!self->options.has_jit || !prof_jit_v8_map(&map))
    return;
  struct prof_v8_map fresh = {0}, *out = &fresh;
  /* Copies of the builtins lie in no ELF image: frame pointers are the rule there anyway. */
  out->blob_start = map.blob.start;
  out->blob_end = map.blob.end;
  uint32_t most = sizeof out->interpreter / sizeof out->interpreter[0];
  for (uint32_t i = 0; i < map.interpreter_count && i < most; i++) {
    out->interpreter[i].start = map.interpreter[i].start;
    out->interpreter[i].end = map.interpreter[i].end;
    out->interpreter_count = i + 1;
  }
  out->bytecode_slot = self->options.bytecode.slot;
  out->has_bytecode = self->options.bytecode.slot != 0;
  const struct prof_v8_map *now = atomic_load_explicit(&self->unwind.v8, memory_order_relaxed);
  if (now && memcmp(now, &fresh, sizeof fresh) == 0)
    return;
  out = prof_arena_alloc(&self->arena, sizeof *out);
  if (!out)
    return;
  memcpy(out, &fresh, sizeof fresh);
  atomic_store_explicit(&self->unwind.v8, out, memory_order_release);
}

/* Where libc's start_thread lies: the frame below the outermost one of this very thread. */
static void find_thread_start(struct prof_recording *self) {
  uint64_t words[64];
  struct prof_walk walk = {.words = words, .capacity = 64};
  struct prof_memory memory;
  struct prof_regs regs = {.valid = 1u << 6 | 1u << 7 | 1u << 16};
  struct prof_cfi_image image;
  struct prof_cfi_row row;
#if defined(__x86_64__)
  __asm__ volatile("movq %%rbp, %0\n\tmovq %%rsp, %1\n\tleaq (%%rip), %2"
                   : "=r"(regs.r[6]), "=r"(regs.r[7]), "=r"(regs.r[16]));
#endif
  prof_memory_live(&memory);
  prof_unwind_walk(&self->unwind, &memory, &regs, &walk);
  if (walk.end != PROF_WALK_COMPLETE || walk.count < 3)
    return;
  uint64_t pc = PROF_WORD_VALUE(words[walk.count - 2]);
  if (prof_rows_image(self->rows, pc, &image) &&
      prof_cfi_compile(&image, pc, &row) == PROF_CFI_OK) {
    self->thread_start = row.function_start;
    self->thread_start_end = row.function_end;
  }
}

static int open_stages(struct prof_recording *self, struct prof_error *error) {
  prof_arena_init(&self->arena, 0);
  prof_join_init(&self->join);
  self->perfmap.fd = -1;
  size_t most = PROF_RING_SCRATCH_BYTES / 8;
  most = most < self->options.max_words ? self->options.max_words : most;
  self->words = prof_arena_alloc(&self->arena, most * sizeof *self->words);
  self->record = prof_arena_alloc(&self->arena, PROF_RING_SCRATCH_BYTES);
  bool is_live = !self->options.replay_pid;
  int no_tail =
      prof_tail_init(&self->tail, &self->unwind, is_live ? prof_tail_read_self : NULL, NULL);
  self->space = prof_space_create();
  self->kernel = prof_kernel_create(self->options.kernel_path);
  self->order = prof_order_create(ORDER_LIMIT_BYTES);
  if (no_tail || !self->words || !self->record || !self->space || !self->kernel || !self->order ||
      prof_tree_init(&self->tree) || prof_tree_init(&self->kernel_tree)) {
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL,
                          "no memory for a recording: free some memory");
  }
  self->modules = prof_modules_create(error);
  self->rows = self->modules ? prof_rows_create(error) : NULL;
  if (!self->rows)
    return error ? error->status : PROF_NO_MEMORY;
  self->symbols = prof_symbols_create(self->modules, self->kernel, &self->arena);
  if (!self->symbols) {
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL,
                          "no memory for symbol tables: free some memory");
  }
  prof_symbols_set_space(self->symbols, self->space);
  int status = PROF_OK;
  if (self->options.replay_pid)
    prof_rows_foreign(self->rows);
  else
    status = prof_modules_load_self(self->modules, self->space, error);
  if (!status && !self->options.replay_pid)
    status = prof_rows_refresh(self->rows, error);
  self->unwind.rows = self->rows;
  self->unwind.scan = true;
  self->splice = (struct prof_splice){
      .tree = &self->tree, .space = self->space, .bytecode = self->options.bytecode};
  return status;
}

static size_t walk_bytes(void) {
  size_t bytes = WALK_BYTES_PER_CPU * (size_t)sysconf(_SC_NPROCESSORS_CONF);
  return bytes < WALK_BYTES_MAX ? bytes : WALK_BYTES_MAX;
}

static int arm(struct prof_recording *self, struct prof_error *error) {
  const struct prof_sampler_options sampler = {
      .unwind = &self->unwind,
      .max_words = self->options.plan.sigtrap ? self->options.max_words : 1,
      .buffer_bytes = walk_bytes(),
      .wake = self->options.wake,
      .user = self->options.wake_user,
  };
  return prof_sampler_arm(&sampler, error);
}

static int open_timers(struct prof_recording *self, struct prof_error *error) {
  if (self->options.budget_percent > 0) {
    self->options.budget_percent = 0;
    prof_plan_note(&self->options.plan, "budget-not-kept", "",
                   "the budget is not kept: timers of CPU time have one rate");
  }
  int status = arm(self, error);
  return status ? status : prof_timers_open(self, error);
}

/* errno for prof_cputimer_plan of what attach could not get; 0: timers would not help. */
static int why_not_attached(const struct prof_error *error) {
  switch (error->status) {
  case PROF_TOO_MANY_FILES:
    return EMFILE;
  case PROF_MEMORY_LOCK:
    return ENOMEM;
  case PROF_PERMISSION:
    return error->sys_errno;
  case PROF_SYSTEM:
    return access("/proc/self/task", R_OK) ? ENOENT : 0;
  default:
    return 0;
  }
}

static int open_events(struct prof_recording *self, struct prof_error *error) {
  int status = PROF_OK;
  struct prof_plan *plan = &self->options.plan;
  struct prof_error refused = {0};
  if (plan->timers)
    return open_timers(self, error);
  uint32_t frequency = prof_meter_open(&self->meter, self->options.budget_percent, plan);
  if (plan->sigtrap)
    status = arm(self, error);
  const struct prof_attach_options attach = {
      .plan = *plan,
      .ring_bytes = self->options.ring_bytes,
      .sig_data = prof_sampler_cookie(),
      .skip_tid = self->options.skip_tid,
      .frequency = frequency,
      .cpus = self->options.cpus,
  };
  if (status)
    return status;
  status = prof_attach_open(&prof_os_real, &attach, &self->attach, &refused);
  if (!status)
    return PROF_OK;
  prof_sampler_disarm();
  /* Timers see no waits: who asked for these is told instead. */
  if (plan->switches == PROF_SWITCHES_NONE && !plan->extra_count && !plan->period_events &&
      prof_cputimer_plan(&prof_os_real, plan, why_not_attached(&refused), plan))
    return open_timers(self, error);
  *error = refused;
  return status;
}

int prof_recording_open(struct prof_recording *self, const struct prof_recording_options *options,
                        struct prof_error *error) {
  memset(self, 0, sizeof *self);
  self->options = *options;
  prof_journal_init(&self->journal, options->journal, options->about);
  int status = open_stages(self, error);
  if (status)
    prof_recording_free(self);
  return status;
}

int prof_recording_start(struct prof_recording *self, const struct prof_recording_options *options,
                         struct prof_error *error) {
  int status = prof_recording_open(self, options, error);
  if (!status) {
    publish_v8(self);
    find_thread_start(self);
    if (!options->has_jit)
      prof_perfmap_open(&self->perfmap, NULL, NULL);
    status = open_events(self, error);
  }
  if (status) {
    prof_sampler_disarm();
    prof_recording_free(self);
    return status;
  }
  prof_follow_threads(self);
  prof_rawfile_begin(self);
  self->start_unix_ms = prof_clock_ns(CLOCK_REALTIME) / 1000000u;
  self->start_ns = prof_now_ns();
  if (self->timers) {
    prof_timers_begin(self);
  } else {
    prof_attach_enable(self->attach);
    prof_attach_scan(self->attach);
    prof_offcpu_begin(self);
  }
  if (self->options.memory) {
    prof_resident_open(&self->resident, RESIDENT_NS);
    prof_resident_look(&self->resident, self->start_ns);
  }
  prof_meter_begin(&self->meter);
  return PROF_OK;
}

static void push_record(void *user, const struct perf_event_header *header, int cpu) {
  struct prof_recording *self = user;
  const struct prof_record_layout *layout = prof_attach_layout(self->attach);
  struct prof_record record;
  uint64_t time_ns;
  self->counters.ring_bytes += header->size;
  if (prof_record_time(layout, header, &time_ns)) {
    self->counters.malformed++;
    return;
  }
  /* What cannot be decoded is counted when its turn comes. */
  if (self->options.plan.stack_dump && !prof_record_decode(layout, header, &record)) {
    prof_rawfile_record(self, header, &record);
    header = prof_copied_walk(self, header, &record);
  }
  if (prof_order_push(self->order, header, cpu, time_ns))
    self->counters.no_memory++;
}

/* Records up to the walk's time first, then the walk. */
static void follow_walk_in_order(void *user, const struct prof_stack *stack) {
  struct prof_recording *self = user;
  prof_order_flush(self->order, stack->time_ns + 1, prof_follow_record, self);
  prof_follow_walk(self, stack);
}

void prof_recording_take(struct prof_recording *self) {
  for (int i = 0; self->attach && i < prof_attach_ring_count(self->attach); i++) {
    prof_ring_drain(prof_attach_ring(self->attach, i), push_record, self);
  }
  prof_rawfile_round(self);
}

/* Walks are collected before the rings are read: then the sample of each walk is in hand. */
static void drain_until(struct prof_recording *self, uint64_t until_ns) {
  if (self->timers && until_ns != UINT64_MAX)
    prof_timers_round(self);
  if (!self->options.has_jit)
    prof_perfmap_read(&self->perfmap, self->space, &self->arena);
  publish_v8(self);
  prof_walks_collect(&self->walks);
  prof_recording_take(self);
  prof_walks_flush(&self->walks, until_ns, self->timers ? prof_timers_walk : follow_walk_in_order,
                   self);
  prof_order_flush(self->order, until_ns, prof_follow_record, self);
  if (self->timers)
    prof_timers_flushed(self, until_ns);
}

/* Sampled places are named while the build runs, for at most PREFETCH_NS a round, so that the end
 * is quick. */
static void prefetch_some(struct prof_recording *self) {
  uint64_t deadline_ns = prof_now_ns() + PREFETCH_NS;
  for (; self->prefetched < self->tree.key_count; self->prefetched++) {
    uint64_t key = self->tree.keys[self->prefetched];
    const struct prof_code *code = prof_space_code(self->space, (uint32_t)(key >> 32));
    if (!code || code->kind == PROF_CODE_UNKNOWN)
      continue;
    if (prof_symbols_prefetch(self->symbols, code, (uint32_t)(key >> 32), (uint32_t)key) ||
        prof_now_ns() >= deadline_ns)
      return;
  }
}

static void meter_round(struct prof_recording *self) {
  const struct prof_recording_counters *counters = &self->counters;
  if (prof_meter_is_due(&self->meter))
    prof_meter_round(&self->meter, self->attach,
                     self->samples.forgotten + self->samples.count + counters->doubles +
                         counters->lost);
}

static bool is_signalled(const struct prof_recording *self) {
  return self->options.plan.sigtrap || self->options.plan.timers;
}

static void silence(struct prof_recording *self) {
  if (self->timers)
    prof_timers_stop(self);
  else
    prof_attach_disable(self->attach);
}

void prof_recording_drain(struct prof_recording *self) {
  drain_until(self, prof_now_ns() - PROF_ORDER_LAG_NS);
  prof_offcpu_look(self);
  prof_resident_look(&self->resident, prof_now_ns());
  if (prof_meter_affords(&self->meter))
    prefetch_some(self);
  meter_round(self);
  prof_journal_round(self);
  if (is_signalled(self) && !self->signal_taken && !prof_sampler_owns_signal()) {
    silence(self);
    self->signal_taken = true;
  }
}

void prof_recording_finish(struct prof_recording *self) {
  silence(self);
  self->end_ns = prof_now_ns();
  self->resident.last_ns = 0;
  prof_resident_look(&self->resident, self->end_ns);
  drain_until(self, UINT64_MAX);
  prof_order_finish(self->order, prof_follow_record, self);
  prof_follow_finish(self);
  if (self->journal.fd >= 0) /* what comes now may fail, or somebody may lose patience */
    prof_journal_flush(self);
  prof_samples_sort(&self->samples);
  prof_rawfile_end(self);
  if (is_signalled(self))
    prof_sampler_disarm();
}

void prof_recording_free(struct prof_recording *self) {
  if (self->options.has_jit)
    prof_jit_drop();
  if (self->raw)
    prof_datasave_close(self->raw, NULL, NULL);
  prof_journal_close(&self->journal);
  prof_timers_free(self);
  prof_order_free(self->order);
  prof_walks_free(&self->walks);
  prof_resident_free(&self->resident);
  free(self->waits.rows);
  prof_join_free(&self->join);
  prof_tail_free(&self->tail);
  prof_samples_free(&self->samples);
  prof_threads_free(&self->threads);
  prof_tree_free(&self->tree);
  prof_tree_free(&self->kernel_tree);
  prof_symbols_free(self->symbols);
  prof_kernel_free(self->kernel);
  prof_modules_free(self->modules);
  prof_space_free(self->space);
  prof_rows_free(self->rows);
  if (self->perfmap.fd >= 0)
    prof_perfmap_close(&self->perfmap);
  prof_attach_close(self->attach); /* last: memory goes first, while the table is made */
  prof_arena_free(&self->arena);
  memset(self, 0, sizeof *self);
}

void prof_recording_counters(const struct prof_recording *self,
                             struct prof_recording_counters *out) {
  struct prof_sampler_counters sampler;
  *out = self->counters;
  if (!self->attach && !self->timers)
    return;
  prof_sampler_counters(&sampler);
  out->unmatched = self->join.unmatched;
  out->signals = sampler.signals;
  out->handler_ns = sampler.handler_ns;
  out->handler_dropped = sampler.dropped + self->walks.dropped;
  out->lost += prof_order_counts(self->order).dropped;
  for (int i = 0; self->attach && i < prof_attach_ring_count(self->attach); i++) {
    out->malformed += prof_attach_ring(self->attach, i)->malformed;
  }
}

size_t prof_recording_bytes(const struct prof_recording *self) {
  struct prof_sampler_counters sampler = {0};
  struct prof_jit_stats jit = {0};
  size_t bytes = sizeof *self;
  if (self->attach || self->timers) {
    prof_sampler_counters(&sampler);
    prof_jit_stats(&jit);
  }
  for (int i = 0; self->attach && i < prof_attach_ring_count(self->attach); i++) {
    bytes += prof_attach_ring(self->attach, i)->map_bytes;
  }
  return bytes + sampler.buffer_bytes + jit.peak_bytes + self->arena.total_bytes +
         prof_tree_bytes(&self->tree) + prof_tree_bytes(&self->kernel_tree) +
         prof_symbols_stats(self->symbols).table_bytes + self->walks.capacity_bytes +
         prof_order_counts(self->order).held_bytes +
         self->samples.capacity * sizeof self->samples.rows[0];
}
