/* Code that V8 does not list: code/v8function on objects laid out by hand, stack/unlisted, and
 * stack/splice with both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "code/v8function.h"
#include "stack/splice.h"
#include "stack/unlisted.h"

enum { SHARED_AT = 24, DATA_AT = 8, JIT = 0x900000, HEADER = 0x36 };

static struct {
  _Alignas(8) uint64_t map[2], data_map[2], bytecode[4], baseline[12], shared[6], function[8];
  uint64_t frame[8]; /* the frame pointer leads to its middle */
} heap;

static uint64_t tagged(const uint64_t *object) {
  return (uint64_t)(uintptr_t)object + 1;
}

/* Of the heap above alone: whatever else is asked for is unreadable. */
static bool read_heap(uint64_t address, uint64_t *out) {
  if (address - (uintptr_t)&heap > sizeof heap - sizeof *out)
    return false;
  memcpy(out, (const void *)(uintptr_t)address, sizeof *out);
  return true;
}

static uint64_t *fp(void) {
  return &heap.frame[4];
}

static int set_up(void **state) {
  (void)state;
  memset(&heap, 0, sizeof heap);
  heap.map[0] = heap.data_map[0] = tagged(heap.data_map);
  heap.bytecode[0] = tagged(heap.map);
  heap.baseline[0] = tagged(heap.data_map);
  heap.shared[0] = heap.function[0] = tagged(heap.data_map);
  heap.function[1] = 1; /* a small word that is odd; no pointer */
  heap.function[2] = 0x7ffffffff001;
  heap.function[SHARED_AT / 8] = tagged(heap.shared);
  heap.shared[DATA_AT / 8] = tagged(heap.bytecode);
  fp()[-2] = tagged(heap.function);
  return 0;
}

static struct prof_v8function_layout calibrated(void) {
  struct prof_v8function_layout layout;
  assert_true(prof_v8function_calibrate(fp(), tagged(heap.bytecode), read_heap, &layout));
  assert_int_equal(layout.shared_at, SHARED_AT);
  assert_int_equal(layout.data_at, DATA_AT);
  assert_int_equal(layout.bytecode_map, tagged(heap.map));
  return layout;
}

static void a_known_function_shows_where_the_fields_are(void **state) {
  (void)state;
  struct prof_v8function_layout layout = calibrated();
  uint64_t bytecode = 0;
  assert_true(prof_v8function_bytecode(&layout, (uintptr_t)fp(), read_heap, &bytecode));
  assert_int_equal(bytecode, tagged(heap.bytecode));
}

static void nothing_is_proven_where_the_chain_does_not_hold(void **state) {
  (void)state;
  struct prof_v8function_layout layout;
  heap.shared[DATA_AT / 8] = tagged(heap.baseline);
  assert_false(prof_v8function_calibrate(fp(), tagged(heap.bytecode), read_heap, &layout));
  assert_int_equal(layout.bytecode_map, 0);
  assert_false(prof_v8function_bytecode(&layout, (uintptr_t)fp(), read_heap, &(uint64_t){0}));
  fp()[-2] = 8; /* a small integer, as in a stub's frame */
  assert_false(prof_v8function_calibrate(fp(), tagged(heap.bytecode), read_heap, &layout));
}

static void baseline_code_has_its_bytecode_in_a_field(void **state) {
  (void)state;
  struct prof_v8function_layout layout = calibrated();
  uint64_t bytecode = 0;
  heap.shared[DATA_AT / 8] = tagged(heap.baseline);
  heap.baseline[3] = 0x1234500001;
  heap.baseline[4] = tagged(heap.data_map);
  heap.baseline[7] = tagged(heap.bytecode);
  assert_true(prof_v8function_bytecode(&layout, (uintptr_t)fp(), read_heap, &bytecode));
  assert_int_equal(bytecode, tagged(heap.bytecode));
  heap.baseline[7] = 0;
  assert_false(prof_v8function_bytecode(&layout, (uintptr_t)fp(), read_heap, &bytecode));
}

static void frames_of_no_function_are_refused(void **state) {
  (void)state;
  struct prof_v8function_layout layout = calibrated();
  uint64_t bytecode;
  static const uint64_t slots[] = {0, 8, 0x10, 0x11, 0x7fffffffe001, ~0ull};
  for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
    fp()[-2] = slots[i];
    assert_false(prof_v8function_bytecode(&layout, (uintptr_t)fp(), read_heap, &bytecode));
  }
  assert_false(prof_v8function_bytecode(&layout, 0, read_heap, &bytecode));
}

static void what_is_asked_about_becomes_few_stretches(void **state) {
  (void)state;
  struct prof_unlisted self = {0};
  prof_unlisted_ask(&self, 0x5000);
  prof_unlisted_ask(&self, 0x1010);
  assert_int_equal(self.asked_count, 2);
  assert_true(self.is_new);
  assert_int_equal(self.asked[0].start, 0x1000);
  assert_int_equal(self.asked[1].end, 0x6000);
  self.is_new = false;
  prof_unlisted_ask(&self, 0x5fff);
  assert_false(self.is_new);
  prof_unlisted_ask(&self, 0x2000); /* touches the first */
  prof_unlisted_ask(&self, 0x4000); /* and the second */
  assert_int_equal(self.asked_count, 2);
  prof_unlisted_ask(&self, 0x3000); /* closes the gap */
  assert_int_equal(self.asked_count, 1);
  assert_int_equal(self.asked[0].start, 0x1000);
  assert_int_equal(self.asked[0].end, 0x6000);
  prof_unlisted_free(&self);
}

static bool is_asked(const struct prof_unlisted *self, uint64_t address) {
  for (uint32_t i = 0; i < self->asked_count; i++)
    if (address >= self->asked[i].start && address < self->asked[i].end)
      return true;
  return false;
}

static void assert_in_order(const struct prof_unlisted *self) {
  for (uint32_t i = 1; i < self->asked_count; i++)
    assert_true(self->asked[i - 1].end < self->asked[i].start);
}

static uint64_t far(uint64_t index) {
  return 0x100000 * (index + 1);
}

static void more_stretches_than_there_is_room_for_are_counted(void **state) {
  (void)state;
  struct prof_unlisted self = {0};
  prof_unlisted_round(&self, 1000);
  for (uint64_t i = 0; i < 2 * PROF_V8_UNLISTED; i++)
    prof_unlisted_ask(&self, far(i));
  assert_int_equal(self.asked_count, PROF_V8_UNLISTED);
  assert_int_equal(self.refused, PROF_V8_UNLISTED);
  assert_int_equal(self.turns, 0);
  assert_in_order(&self);
  prof_unlisted_free(&self);
}

/* 3 was met a moment ago, 5 rests longest. */
static void the_one_that_rests_longest_makes_room(void **state) {
  (void)state;
  struct prof_unlisted self = {0};
  prof_unlisted_round(&self, 1000);
  prof_unlisted_ask(&self, far(5));
  prof_unlisted_round(&self, 2000);
  for (uint64_t i = 0; i < PROF_V8_UNLISTED; i++)
    if (i != 5)
      prof_unlisted_ask(&self, far(i));
  assert_int_equal(self.asked_count, PROF_V8_UNLISTED);
  prof_unlisted_round(&self, 1000 + PROF_UNLISTED_SPARE_NS);
  prof_unlisted_ask(&self, far(3) + 8);
  self.is_new = false;
  prof_unlisted_ask(&self, far(100));
  assert_true(self.is_new);
  assert_false(is_asked(&self, far(5)));
  assert_true(is_asked(&self, far(100)));
  assert_int_equal(self.turns, 1);
  prof_unlisted_ask(&self, far(101)); /* the others have not rested that long */
  assert_int_equal(self.refused, 1);
  prof_unlisted_round(&self, 2000 + PROF_UNLISTED_SPARE_NS);
  prof_unlisted_ask(&self, far(101));
  assert_true(is_asked(&self, far(101)) && is_asked(&self, far(3)) && is_asked(&self, far(100)));
  assert_int_equal(self.asked_count, PROF_V8_UNLISTED);
  assert_in_order(&self);
  prof_unlisted_free(&self);
}

static uint32_t bytecode_at(struct prof_space *space, uint64_t start, const char *name) {
  return prof_space_add(
      space,
      &(struct prof_code){
          .kind = PROF_CODE_BYTECODE, .start = start, .size = 0x40, .name = name, .module = -1});
}

static void what_nothing_unknown_is_met_in_is_given_back(void **state) {
  (void)state;
  struct prof_unlisted self = {0};
  struct prof_space *space = prof_space_create();
  uint32_t a = bytecode_at(space, 0x1000, "JS:~a a.js:1:1");
  const uint64_t step_ns = PROF_UNLISTED_REST_NS / 2;
  uint64_t now_ns = 1;
  prof_unlisted_round(&self, now_ns);
  for (uint64_t i = 0; i < 4; i++)
    prof_unlisted_ask(&self, far(i));
  uint32_t code = prof_unlisted_answer(&self, space, far(1), a);
  for (int round = 0; round < 6; round++) {
    prof_unlisted_round(&self, now_ns += step_ns);
    prof_unlisted_ask(&self, far(0) + 0x10);
    assert_int_equal(prof_unlisted_find(&self, far(1)), code);
    prof_unlisted_answer(&self, space, far(2) + (uint64_t)round, a);
  }
  assert_int_equal(self.asked_count, 3);
  assert_false(is_asked(&self, far(3)));
  for (int round = 0; round < 2; round++)
    prof_unlisted_round(&self, now_ns += step_ns);
  assert_int_equal(self.asked_count, 0);
  assert_int_equal(prof_unlisted_find(&self, far(1)), code); /* what was answered stays answered */
  for (uint64_t i = 0; i < 2 * PROF_UNLISTED_TURNS; i++) {
    prof_unlisted_round(&self, now_ns += PROF_UNLISTED_REST_NS);
    prof_unlisted_ask(&self, far(i));
  }
  assert_int_equal(self.turns, PROF_UNLISTED_TURNS);
  assert_true(self.refused > 0);
  assert_int_equal(self.asked_count, PROF_V8_UNLISTED);
  assert_in_order(&self);
  prof_unlisted_free(&self);
  prof_space_free(space);
}

static void places_without_an_answer_go_by_those_around_them(void **state) {
  (void)state;
  struct prof_unlisted self = {0};
  struct prof_space *space = prof_space_create();
  uint32_t a = bytecode_at(space, 0x1000, "JS:~a a.js:1:1");
  uint32_t b = bytecode_at(space, 0x2000, "JS:~b a.js:2:1");
  uint32_t code_a = prof_unlisted_answer(&self, space, JIT + 0x100, a);
  assert_int_equal(prof_unlisted_answer(&self, space, JIT + 0x180, a), code_a);
  uint32_t code_b = prof_unlisted_answer(&self, space, JIT + 0x200, b);
  assert_int_not_equal(code_a, code_b);
  assert_string_equal(prof_space_code(space, code_b)->name, "JS:~b a.js:2:1");
  assert_int_equal(prof_unlisted_find(&self, JIT + 0x180), code_a);
  assert_int_equal(prof_unlisted_find(&self, JIT + 0x140), PROF_CODE_NONE);
  assert_int_equal(prof_unlisted_near(&self, JIT + 0x140), code_a);
  assert_int_equal(prof_unlisted_near(&self, JIT + 0x1c0), PROF_CODE_NONE); /* between a and b */
  assert_int_equal(prof_unlisted_near(&self, JIT + 0x80), PROF_CODE_NONE);
  assert_int_equal(prof_unlisted_near(&self, JIT + 0x201), PROF_CODE_NONE);
  prof_unlisted_answer(&self, space, JIT + 0x1000000, b);
  assert_int_equal(prof_unlisted_near(&self, JIT + 0x300), PROF_CODE_NONE); /* too far apart */
  prof_unlisted_free(&self);
  prof_space_free(space);
}

/* One frame in code that is not known: asked about, answered, and then known without an answer. */
static void an_answer_names_the_frame(void **state) {
  (void)state;
  struct prof_tree tree;
  struct prof_unlisted unlisted = {0};
  struct prof_splice splice = {.tree = &tree, .unlisted = &unlisted};
  splice.space = prof_space_create();
  splice.bytecode = (struct prof_bytecode_layout){.slot = -4, .header = HEADER, .proven = true};
  assert_int_equal(prof_tree_init(&tree), 0);
  bytecode_at(splice.space, 0x50000 + HEADER, "JS:~hot a.js:1:1");
  uint64_t words[] = {PROF_WORD(PROF_WORD_PC, JIT + 0x20), 0};

  uint32_t node = prof_splice_user(&splice, NULL, words, 1, 0);
  assert_int_equal(tree.keys[tree.nodes[node].frame] >> 32, PROF_SPACE_UNKNOWN);
  assert_int_equal(unlisted.asked_count, 1);
  assert_int_equal(unlisted.asked[0].start, JIT);

  words[1] = PROF_WORD(PROF_WORD_BYTECODE, 0x50000 + 1);
  uint32_t named = prof_splice_user(&splice, NULL, words, 2, 0);
  uint32_t code = (uint32_t)(tree.keys[tree.nodes[named].frame] >> 32);
  assert_string_equal(prof_space_code(splice.space, code)->name, "JS:~hot a.js:1:1");
  assert_int_equal(prof_space_code(splice.space, code)->kind, PROF_CODE_JIT);
  assert_int_equal(prof_splice_user(&splice, NULL, words, 1, 0), named);

  words[1] = PROF_WORD(PROF_WORD_BYTECODE, 0x60000 + 1); /* of nobody: not believed */
  words[0] = PROF_WORD(PROF_WORD_PC, JIT + 0x30);
  node = prof_splice_user(&splice, NULL, words, 2, 0);
  assert_int_equal(tree.keys[tree.nodes[node].frame] >> 32, PROF_SPACE_UNKNOWN);
  assert_int_equal(splice.unnamed_interpreter, 0);

  /* Code that V8 did tell about keeps its own name, whatever its frame says. */
  uint32_t listed = prof_space_add(splice.space, &(struct prof_code){.kind = PROF_CODE_JIT,
                                                                     .start = JIT,
                                                                     .size = 0x100,
                                                                     .name = "JS:*other a.js:9:1",
                                                                     .module = -1});
  words[1] = PROF_WORD(PROF_WORD_BYTECODE, 0x50000 + 1);
  node = prof_splice_user(&splice, NULL, words, 2, 0);
  assert_int_equal(tree.keys[tree.nodes[node].frame], PROF_FRAME_KEY(listed, 0));
  prof_unlisted_free(&unlisted);
  prof_space_free(splice.space);
  prof_tree_free(&tree);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
  const struct CMUnitTest tests[] = {
      TEST(a_known_function_shows_where_the_fields_are),
      TEST(nothing_is_proven_where_the_chain_does_not_hold),
      TEST(baseline_code_has_its_bytecode_in_a_field),
      TEST(frames_of_no_function_are_refused),
      TEST(what_is_asked_about_becomes_few_stretches),
      TEST(more_stretches_than_there_is_room_for_are_counted),
      TEST(the_one_that_rests_longest_makes_room),
      TEST(what_nothing_unknown_is_met_in_is_given_back),
      TEST(places_without_an_answer_go_by_those_around_them),
      TEST(an_answer_names_the_frame),
  };
  return cmocka_run_group_tests_name("unlisted", tests, NULL, NULL);
}
