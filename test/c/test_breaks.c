/* Who breaks stacks: each object with a broken stack is told how many samples have a frame in it,
 * the same number as by walking every stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/breaks.h"

enum { MODULES = 70, NODES = 900, SAMPLES = 4000, SIZE = 0x1000 };

static uint32_t state = 12345;

static uint32_t dice(uint32_t below) {
  state = state * 1664525u + 1013904223u;
  return (state >> 8) % below;
}

struct made {
  struct prof_recording recording;
  struct prof_result result;
};

static void make(struct made *self, uint32_t broken_in_100) {
  struct prof_result *out = &self->result;
  memset(self, 0, sizeof *self);
  self->recording.space = prof_space_create();
  self->recording.modules = prof_modules_create(NULL);
  assert_int_equal(prof_strings_init(&out->strings), 0);
  out->funcs = calloc(MODULES, sizeof *out->funcs);
  out->nodes = calloc(NODES, sizeof *out->nodes);
  out->samples = calloc(SAMPLES, sizeof *out->samples);
  out->module_count = MODULES;
  out->func_count = MODULES;
  out->node_count = NODES;
  out->sample_count = SAMPLES;
  for (uint32_t i = 0; i < MODULES; i++) {
    char path[32];
    snprintf(path, sizeof path, "/none/lib%u.so", i);
    struct prof_module module = {.path = path, .build_id = "", .start = 0x10000 + i * SIZE};
    module.end = module.start + SIZE;
    assert_int_equal(prof_modules_declare(self->recording.modules, &module), i);
    struct prof_code code = {
        .kind = PROF_CODE_MODULE, .start = module.start, .size = SIZE, .module = (int32_t)i};
    assert_int_not_equal(prof_space_add(self->recording.space, &code), PROF_CODE_NONE);
    out->funcs[i].module = (int32_t)i;
  }
  out->nodes[0] = (struct prof_result_node){.parent = -1, .func = -1};
  for (uint32_t i = 1; i < NODES; i++)
    out->nodes[i] = (struct prof_result_node){.parent = (int32_t)(i - 1 - dice(i < 8 ? i : 8)),
                                              .func = (int32_t)dice(MODULES)};
  for (uint32_t i = 0; i < SAMPLES; i++) {
    bool is_broken = dice(100) < broken_in_100;
    out->samples[i] = (struct prof_sample){
        .node = dice(NODES),
        .end = is_broken ? PROF_END_BROKEN : PROF_END_COMPLETE,
        .end_pc = is_broken ? 0x10000 + (uint64_t)dice(MODULES) * SIZE + 8 : 0,
    };
  }
}

static void discard(struct made *self) {
  prof_space_free(self->recording.space);
  prof_modules_free(self->recording.modules);
  prof_strings_free(&self->result.strings);
  free(self->result.funcs);
  free(self->result.nodes);
  free(self->result.samples);
  free(self->result.broken);
}

static uint32_t walked(const struct prof_result *out, int32_t module) {
  uint32_t samples = 0;
  for (size_t i = 0; i < out->sample_count; i++) {
    int32_t node = (int32_t)out->samples[i].node;
    while (node > 0 && out->funcs[out->nodes[node].func].module != module)
      node = out->nodes[node].parent;
    samples += node > 0;
  }
  return samples;
}

static void counts_are_those_of_walking_every_stack(void **unused) {
  (void)unused;
  struct made *made = malloc(sizeof *made);
  make(made, 30);
  assert_int_equal(prof_breaks_count(&made->recording, &made->result), 0);
  /* More objects than are counted in one pass. */
  assert_int_equal(made->result.broken_count, MODULES);
  for (size_t i = 0; i < made->result.broken_count; i++) {
    const struct prof_result_broken *row = &made->result.broken[i];
    int32_t module;
    assert_int_equal(
        sscanf(prof_strings_at(&made->result.strings, row->object), "lib%d.so", &module), 1);
    assert_int_equal(row->samples, walked(&made->result, module));
    assert_true(i == 0 || row->broken <= made->result.broken[i - 1].broken);
  }
  discard(made);
  free(made);
}

static void nothing_is_told_where_no_stack_broke(void **unused) {
  (void)unused;
  struct made *made = malloc(sizeof *made);
  make(made, 0);
  assert_int_equal(prof_breaks_count(&made->recording, &made->result), 0);
  assert_int_equal(made->result.broken_count, 0);
  discard(made);
  free(made);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counts_are_those_of_walking_every_stack),
      cmocka_unit_test(nothing_is_told_where_no_stack_broke),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
