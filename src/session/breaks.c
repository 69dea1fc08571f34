#include "session/breaks.h"

#include <stdlib.h>

#include "base/array.h"

/* Objects: modules by index, then these. */
enum { OBJECT_KERNEL, OBJECT_JIT, OBJECT_UNKNOWN, OBJECT_EXTRA };
static const char *const extra_names[] = {"[kernel]", "[jit]", "[unknown]"};

static uint32_t object_of_func(const struct prof_result *out, int32_t func) {
  uint32_t extra = (uint32_t)out->module_count;
  if (func < 0)
    return extra + OBJECT_UNKNOWN;
  const struct prof_result_func *row = &out->funcs[func];
  if (row->module >= 0)
    return (uint32_t)row->module;
  return extra + (row->kind == PROF_KIND_KERNEL                            ? OBJECT_KERNEL
                  : row->kind == PROF_KIND_JS || row->kind == PROF_KIND_V8 ? OBJECT_JIT
                                                                           : OBJECT_UNKNOWN);
}

static uint32_t object_of_pc(const struct prof_recording *recording, const struct prof_result *out,
                             uint64_t pc) {
  uint32_t extra = (uint32_t)out->module_count;
  struct prof_place place;
  if (!prof_space_find(recording->space, pc, &place))
    return extra + OBJECT_UNKNOWN;
  const struct prof_code *code = prof_space_code(recording->space, place.code);
  if (code->kind == PROF_CODE_MODULE && code->module >= 0)
    return (uint32_t)code->module;
  return extra + (code->kind == PROF_CODE_KERNEL ? OBJECT_KERNEL : OBJECT_JIT);
}

/* Of up to 64 objects, the samples that have a frame in each. One pass over the tree, whose parents
 * stand before their children, and one over the samples: no stack is walked. */
static int count_some(const struct prof_result *out, const uint32_t *objects, size_t count,
                      uint32_t *counts) {
  uint64_t *within = malloc((out->node_count ? out->node_count : 1) * sizeof *within);
  if (!within)
    return -1;
  within[0] = 0;
  for (size_t node = 1; node < out->node_count; node++) {
    uint32_t object = object_of_func(out, out->nodes[node].func);
    within[node] = within[out->nodes[node].parent];
    for (size_t i = 0; i < count; i++)
      within[node] |= (uint64_t)(objects[i] == object) << i;
  }
  for (size_t i = 0; i < out->sample_count; i++)
    for (uint64_t bits = within[out->samples[i].node]; bits; bits &= bits - 1)
      counts[objects[__builtin_ctzll(bits)]]++;
  free(within);
  return 0;
}

/* The same for every object that a stack broke in: mostly none, or a handful. */
static int count_samples(const struct prof_recording *recording, const struct prof_result *out,
                         size_t object_count, uint32_t *counts) {
  enum { MOST = 64 };
  uint32_t objects[MOST];
  size_t count = 0;
  int status = 0;
  unsigned char *is_met = calloc(object_count, 1);
  if (!is_met)
    return -1;
  for (size_t i = 0; i < out->sample_count && !status; i++) {
    if (out->samples[i].end != PROF_END_BROKEN)
      continue;
    uint32_t object = object_of_pc(recording, out, out->samples[i].end_pc);
    if (is_met[object])
      continue;
    is_met[object] = 1;
    objects[count++] = object;
    if (count == MOST) {
      status = count_some(out, objects, count, counts);
      count = 0;
    }
  }
  if (count && !status)
    status = count_some(out, objects, count, counts);
  free(is_met);
  return status;
}

static const char *reason_name(uint8_t reason) {
  return reason >= PROF_REASON_JOIN
             ? prof_join_fate_name((enum prof_join_fate)(reason - PROF_REASON_JOIN))
             : prof_walk_end_name((enum prof_walk_end)reason);
}

static int count_one(struct prof_result *out, uint32_t object, uint32_t reason, uint32_t samples) {
  for (size_t i = 0; i < out->broken_count; i++) {
    if (out->broken[i].object == object && out->broken[i].reason == reason) {
      out->broken[i].broken++;
      return 0;
    }
  }
  if (prof_array_reserve((void **)&out->broken, &out->broken_capacity, out->broken_count + 1,
                         sizeof *out->broken)) {
    return -1;
  }
  out->broken[out->broken_count++] = (struct prof_result_broken){
      .object = object, .reason = reason, .samples = samples, .broken = 1};
  return 0;
}

static int most_first(const void *left, const void *right) {
  const struct prof_result_broken *a = left, *b = right;
  return a->broken < b->broken ? 1 : a->broken > b->broken ? -1 : 0;
}

int prof_breaks_count(const struct prof_recording *recording, struct prof_result *out) {
  size_t objects = out->module_count + OBJECT_EXTRA;
  uint32_t *counts = calloc(objects, sizeof *counts);
  int status = counts ? count_samples(recording, out, objects, counts) : -1;
  for (size_t i = 0; i < out->sample_count && !status; i++) {
    const struct prof_sample *sample = &out->samples[i];
    if (sample->end != PROF_END_BROKEN)
      continue;
    uint32_t object = object_of_pc(recording, out, sample->end_pc);
    const char *name = object < out->module_count
                           ? prof_modules_at(recording->modules, object)->name
                           : extra_names[object - out->module_count];
    status =
        count_one(out, prof_strings_intern(&out->strings, name),
                  prof_strings_intern(&out->strings, reason_name(sample->reason)), counts[object]);
  }
  if (out->broken_count) {
    qsort(out->broken, out->broken_count, sizeof *out->broken, most_first);
  }
  free(counts);
  return status;
}
