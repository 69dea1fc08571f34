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

/* For each object, the samples that have a frame in it; seen holds the last sample + 1. */
static void count_samples(const struct prof_result *out, uint32_t *counts, uint32_t *seen) {
  for (size_t i = 0; i < out->sample_count; i++) {
    for (int32_t node = (int32_t)out->samples[i].node; node > 0; node = out->nodes[node].parent) {
      uint32_t object = object_of_func(out, out->nodes[node].func);
      if (seen[object] == i + 1)
        continue;
      seen[object] = (uint32_t)i + 1;
      counts[object]++;
    }
  }
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
  uint32_t *counts = calloc(objects, sizeof *counts), *seen = calloc(objects, sizeof *seen);
  int status = counts && seen ? 0 : -1;
  if (!status)
    count_samples(out, counts, seen);
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
  free(seen);
  return status;
}
