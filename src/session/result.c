#include "session/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/array.h"
#include "perf/attach_events.h"
#include "session/breaks.h"
#include "session/notes.h"

enum { INLINE_DEPTH = 64 };

/* A recording's frame as functions, innermost first: a run in struct build.chains. */
struct chain {
  uint32_t first, count;
};

struct build {
  struct prof_result *out;
  struct prof_recording *recording;
  struct prof_table func_of; /* identity -> func */
  struct chain *chains;      /* of each frame of the recording's tree */
  uint32_t *links;           /* frames of tree */
  size_t link_count, link_capacity;
  struct prof_tree tree; /* folded: a frame's key is a link */
  uint32_t *node_of;     /* the recording's node -> folded node */
};

static const char *special_name(uint64_t key) {
  switch (key) {
  case PROF_FRAME_GAP:
    return "[frames not known]";
  case PROF_FRAME_TRUNCATED:
    return "[truncated stack]";
  case PROF_FRAME_BROKEN:
    return "[broken stack]";
  case PROF_FRAME_HANDLER:
    return "[rspack-prof]";
  default:
    return NULL;
  }
}

/* A frame that stands for none or many. false: it is a place. */
static bool name_special(struct build *self, uint64_t key, struct prof_named *named) {
  const struct prof_modules *modules = self->recording->modules;
  uint32_t offset = (uint32_t)key, module = PROF_SKIPPED_MODULE(offset);
  const char *name = special_name(key);
  bool is_skipped = key >> 32 == PROF_FRAME_SKIPPED, is_handler = key == PROF_FRAME_HANDLER;
  uint64_t handler = (uint64_t)(uintptr_t)name_special; /* any code of the addon */
  bool is_live = !self->recording->options.replay_pid;
  char text[512];
  if (is_skipped) {
    bool is_known = module < prof_modules_count(modules);
    snprintf(text, sizeof text, "[%llu bytes of %s]",
             (unsigned long long)PROF_SKIPPED_BYTES(offset),
             is_known ? prof_modules_at(modules, module)->name : "code without an object");
    name = prof_arena_copy_text(&self->recording->arena, text, strlen(text));
  }
  if (!name)
    return false;
  *named = (struct prof_named){.name = name,
                               .symbol = name,
                               .module =
                                   is_live && is_handler ? prof_modules_find(modules, handler) : -1,
                               .kind = PROF_KIND_NATIVE,
                               .named = 1,
                               .identity = key};
  return true;
}

/* The named functions of a frame, innermost first. */
static int name_frame(struct build *self, uint64_t key, struct prof_named *named) {
  uint32_t code_id = (uint32_t)(key >> 32), offset = (uint32_t)key;
  if (name_special(self, key, named))
    return 1;
  struct prof_space *space = self->recording->space;
  const struct prof_place place = {.code = code_id, .offset = offset};
  struct prof_code code = *prof_space_code(space, code_id);
  if (code_id == PROF_SPACE_UNKNOWN) {
    code.start = prof_space_address(space, place);
    uint32_t unlisted = prof_unlisted_near(&self->recording->unlisted, code.start);
    if (unlisted != PROF_CODE_NONE) {
      code_id = unlisted;
      code = *prof_space_code(space, unlisted);
    }
  }
  return prof_symbols_resolve(self->recording->symbols, &code, code_id, offset, named,
                              INLINE_DEPTH);
}

static uint32_t intern(struct build *self, const char *text) {
  return prof_strings_intern(&self->out->strings, text);
}

static int32_t intern_optional(struct build *self, const char *text) {
  return text ? (int32_t)intern(self, text) : -1;
}

/* Where this place lies in its file, so that other tools find the same function there. */
static int64_t address_of(const struct build *self, uint64_t key) {
  uint32_t code_id = (uint32_t)(key >> 32), offset = (uint32_t)key;
  if (code_id >= PROF_FRAME_SPECIAL)
    return 0;
  if (code_id == PROF_SPACE_KERNEL)
    return (int64_t)(PROF_KERNEL_BASE | offset);
  const struct prof_code *code = prof_space_code(self->recording->space, code_id);
  if (code->kind != PROF_CODE_MODULE || code->module < 0)
    return 0;
  const struct prof_module *module =
      prof_modules_at(self->recording->modules, (size_t)code->module);
  return (int64_t)(code->start + offset - module->bias);
}

static int func_of(struct build *self, const struct prof_named *named, int64_t address,
                   uint32_t *func) {
  struct prof_result *out = self->out;
  *func = prof_table_get(&self->func_of, named->identity);
  if (*func != PROF_TABLE_NONE) {
    if (!out->funcs[*func].address) /* was seen inlined only */
      out->funcs[*func].address = address;
    return 0;
  }
  if (prof_array_reserve((void **)&out->funcs, &out->func_capacity, out->func_count + 1,
                         sizeof *out->funcs) ||
      prof_table_put(&self->func_of, named->identity, (uint32_t)out->func_count)) {
    return -1;
  }
  *func = (uint32_t)out->func_count;
  out->funcs[out->func_count++] = (struct prof_result_func){
      .name = intern(self, named->name),
      .symbol = intern(self, named->symbol),
      .line = named->line,
      .column = named->column,
      .module = named->module,
      .crate = intern_optional(self, named->crate),
      .file = intern_optional(self, named->file),
      /* What has no symbol is machine code all the same; `named` tells. */
      .kind = named->kind == PROF_KIND_UNKNOWN ? PROF_KIND_NATIVE : named->kind,
      .tier = named->tier,
      .named = named->named,
      .address = address,
  };
  return 0;
}

static uint32_t inline_skipped(const struct build *self) {
  return prof_symbols_stats(self->recording->symbols).inline_skipped;
}

static int name_frames(struct build *self) {
  const struct prof_tree *tree = &self->recording->tree;
  /* Of this result alone: naming ahead, and each dump() before, counted the same places. */
  uint32_t skipped_before = inline_skipped(self);
  self->chains = calloc(tree->key_count + 1, sizeof *self->chains);
  if (!self->chains)
    return -1;
  for (size_t i = 0; i < tree->key_count; i++) {
    struct prof_named named[INLINE_DEPTH];
    int count = name_frame(self, tree->keys[i], named);
    self->chains[i] = (struct chain){.first = (uint32_t)self->link_count, .count = (uint32_t)count};
    if (prof_array_reserve((void **)&self->links, &self->link_capacity,
                           self->link_count + (size_t)count, sizeof *self->links)) {
      return -1;
    }
    for (int j = 0; j < count; j++) {
      uint32_t func;
      int64_t address = named[j].inlined ? 0 : address_of(self, tree->keys[i]);
      if (func_of(self, &named[j], address, &func))
        return -1;
      uint32_t link = func << 1 | (named[j].inlined ? 1 : 0);
      self->links[self->link_count++] = prof_tree_frame(&self->tree, link);
    }
  }
  self->out->quality.inline_skipped = inline_skipped(self) - skipped_before;
  return 0;
}

static int fold_nodes(struct build *self) {
  const struct prof_tree *tree = &self->recording->tree;
  self->node_of = malloc(tree->count * sizeof *self->node_of);
  if (!self->node_of)
    return -1;
  self->node_of[0] = PROF_TREE_ROOT;
  for (size_t i = 1; i < tree->count; i++) {
    struct chain chain = self->chains[tree->nodes[i].frame];
    uint32_t node = self->node_of[tree->nodes[i].parent];
    for (uint32_t j = chain.count; j-- > 0;) {
      node = prof_tree_child(&self->tree, node, self->links[chain.first + j]);
    }
    self->node_of[i] = node;
  }
  struct prof_result *out = self->out;
  out->nodes = malloc(self->tree.count * sizeof *out->nodes);
  if (!out->nodes)
    return -1;
  out->node_count = self->tree.count;
  out->nodes[0] = (struct prof_result_node){.parent = -1, .func = -1};
  for (size_t i = 1; i < self->tree.count; i++) {
    uint32_t link = (uint32_t)self->tree.keys[self->tree.nodes[i].frame];
    out->nodes[i] = (struct prof_result_node){.parent = (int32_t)self->tree.nodes[i].parent,
                                              .func = (int32_t)(link >> 1),
                                              .inlined = link & 1};
  }
  return 0;
}

static int copy_samples(struct build *self) {
  const struct prof_samples *samples = &self->recording->samples;
  struct prof_result *out = self->out;
  struct prof_result_quality *quality = &out->quality;
  out->samples = malloc((samples->count + 1) * sizeof *out->samples);
  if (!out->samples)
    return -1;
  out->sample_count = samples->count;
  for (size_t i = 0; i < samples->count; i++) {
    struct prof_sample *sample = &out->samples[i];
    *sample = samples->rows[i];
    sample->node = self->node_of[sample->node];
    int32_t func = out->nodes[sample->node].func;
    quality->complete += sample->end == PROF_END_COMPLETE;
    quality->truncated += sample->end == PROF_END_TRUNCATED;
    quality->broken += sample->end == PROF_END_BROKEN;
    quality->joined += sample->end == PROF_END_COMPLETE && (sample->flags & PROF_SAMPLE_JOINED);
    quality->guessed += (sample->flags & PROF_SAMPLE_GUESSED) != 0;
    quality->in_handler += (sample->flags & PROF_SAMPLE_HANDLER) != 0;
    quality->unnamed_leaf += func < 0 || !out->funcs[func].named;
  }
  quality->samples = samples->count;
  quality->forgotten = samples->forgotten;
  /* A dump() while it runs has them in order of decision, not of time. */
  struct prof_samples sorted = {.rows = out->samples, .count = out->sample_count};
  prof_samples_sort(&sorted);
  return 0;
}

static int copy_modules_and_threads(struct build *self) {
  const struct prof_recording *recording = self->recording;
  struct prof_result *out = self->out;
  out->module_count = prof_modules_count(recording->modules);
  out->thread_count = recording->threads.count;
  out->modules = calloc(out->module_count + 1, sizeof *out->modules);
  out->threads = calloc(out->thread_count + 1, sizeof *out->threads);
  if (!out->modules || !out->threads)
    return -1;
  for (size_t i = 0; i < out->module_count; i++) {
    const struct prof_module *module = prof_modules_at(recording->modules, i);
    out->modules[i] = (struct prof_result_module){.path = intern(self, module->path),
                                                  .name = intern(self, module->name),
                                                  .build_id = intern(self, module->build_id),
                                                  .start = module->start,
                                                  .end = module->end,
                                                  .flags = module->flags};
  }
  for (size_t i = 0; i < out->thread_count; i++) {
    const struct prof_thread_row *row = &recording->threads.rows[i];
    out->threads[i] = (struct prof_result_thread){.tid = row->tid,
                                                  .name = intern(self, row->name),
                                                  .start_ns = row->start_ns,
                                                  .end_ns = row->end_ns};
  }
  return 0;
}

static int copy_resident(struct build *self) {
  const struct prof_resident *from = &self->recording->resident;
  struct prof_result *out = self->out;
  if (!from->count)
    return 0;
  out->resident = malloc(from->count * sizeof *out->resident);
  if (!out->resident)
    return -1;
  memcpy(out->resident, from->rows, from->count * sizeof *out->resident);
  out->resident_count = from->count;
  return 0;
}

static int copy_allocations(struct build *self) {
  struct prof_allocations *from = &self->recording->allocations;
  struct prof_result *out = self->out;
  out->mean_bytes = self->recording->options.allocations.mean_bytes;
  if (!out->mean_bytes)
    return 0;
  prof_allocations_settle(from);
  out->allocated = *from;
  out->allocated.rows = NULL;
  out->allocations = malloc((from->count + 1) * sizeof *out->allocations);
  if (!out->allocations)
    return -1;
  out->allocation_count = from->count;
  for (size_t i = 0; i < from->count; i++) {
    out->allocations[i] = from->rows[i];
    out->allocations[i].node = self->node_of[from->rows[i].node];
  }
  return 0;
}

static int copy_budget(struct build *self) {
  const struct prof_recording *recording = self->recording;
  const struct prof_meter *meter = &recording->meter;
  struct prof_result_budget *out = &self->out->budget;
  if (!recording->options.budget_percent)
    return 0;
  size_t count = prof_attach_turns(recording->attach);
  out->rates = calloc(count, sizeof *out->rates);
  if (!out->rates)
    return -1;
  for (; out->rate_count < count; out->rate_count++) {
    struct prof_result_rate *rate = &out->rates[out->rate_count];
    rate->time_ns = prof_attach_turn(recording->attach, out->rate_count, &rate->frequency);
  }
  out->rates[0].time_ns = recording->start_ns;
  out->percent = recording->options.budget_percent;
  out->cost_percent = 100 * prof_budget_spent(&meter->budget);
  out->interrupt_ns = meter->price_ns;
  out->arrival_ns = meter->arrivals ? meter->arrival_ns / meter->arrivals : 0;
  out->walk_ns = meter->walks ? meter->walk_ns / meter->walks : 0;
  out->is_measured = meter->is_measured;
  return 0;
}

static void copy_facts(struct build *self) {
  const struct prof_recording *recording = self->recording;
  struct prof_result *out = self->out;
  struct prof_recording_counters counters;
  struct utsname name;
  prof_recording_counters(recording, &counters);
  for (int i = 0; i <= PROF_EXTRAS_MAX; i++)
    out->scaled_by[i] = recording->attach && i <= recording->options.plan.extra_count
                            ? prof_attach_scale_of(recording->attach, i)
                            : 1;
  out->plan = recording->attach ? *prof_attach_plan(recording->attach) : recording->options.plan;
  out->pid = recording->options.replay_pid ? recording->options.replay_pid : (uint32_t)getpid();
  out->start_ns = recording->start_ns;
  out->end_ns = recording->end_ns;
  out->start_unix_ms = recording->start_unix_ms;
  out->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
  if (uname(&name) == 0) {
    snprintf(out->kernel, sizeof out->kernel, "%s", name.release);
    snprintf(out->arch, sizeof out->arch, "%s", name.machine);
  }
  snprintf(out->journal, sizeof out->journal, "%s", recording->journal.path);
  out->quality.lost = counters.lost + counters.no_memory + counters.malformed;
  out->quality.throttled = counters.throttled;
  out->quality.handler_dropped = counters.handler_dropped;
  out->quality.unmatched_stacks = counters.unmatched;
  out->quality.spared = counters.spared;
  out->quality.unlisted_refused = recording->unlisted.refused;
  out->quality.used_ns =
      recording->end_ns ? recording->used_ns : prof_meter_used_ns(&recording->meter);
  out->quality.ring_bytes = counters.ring_bytes;
  out->quality.doubles = counters.doubles;
  out->quality.signals = counters.signals;
  out->quality.passed_on = counters.passed_on;
  out->quality.late = counters.late;
  out->quality.jit_dropped = counters.jit_dropped;
  out->quality.unnamed_interpreter = counters.unnamed_interpreter;
  out->quality.refused_modules = counters.refused_modules;
  out->quality.refused_tables = counters.refused_tables;
  out->quality.handler_ms = (double)counters.handler_ns / 1e6;
  out->quality.peak_bytes = prof_recording_bytes(recording);
}

struct prof_result *prof_result_build(struct prof_recording *recording) {
  struct build build = {.recording = recording};
  struct prof_result *out = build.out = calloc(1, sizeof *out);
  if (!out)
    return NULL;
  int failed = prof_strings_init(&out->strings) || prof_tree_init(&build.tree) ||
               name_frames(&build) || fold_nodes(&build) || copy_samples(&build) ||
               copy_modules_and_threads(&build) || copy_budget(&build) || copy_resident(&build) ||
               copy_allocations(&build) || prof_breaks_count(recording, out);
  if (!failed) {
    copy_facts(&build);
    prof_notes_add(recording, out);
  }
  free(build.chains);
  free(build.links);
  free(build.node_of);
  prof_table_free(&build.func_of);
  prof_tree_free(&build.tree);
  if (!failed)
    return out;
  prof_result_free(out);
  return NULL;
}

void prof_result_free(struct prof_result *self) {
  if (!self)
    return;
  prof_strings_free(&self->strings);
  free(self->modules);
  free(self->funcs);
  free(self->nodes);
  free(self->threads);
  free(self->broken);
  free(self->budget.rates);
  free(self->samples);
  free(self->resident);
  free(self->allocations);
  free(self);
}
