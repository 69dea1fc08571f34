/* space: look-ups against a naive model, ends, trims, moves, aliases, and its speed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "code/ranges.h"
#include "code/space.h"

static uint64_t seed = 88172645463325252ull;

static uint64_t next_random(void) { /* xorshift64, Marsaglia 2003 */
  seed ^= seed << 13;
  seed ^= seed >> 7;
  return seed ^= seed << 17;
}

static uint32_t add(struct prof_space *space, uint8_t kind, uint64_t start, uint64_t size,
                    const char *name) {
  struct prof_code code = {
      .kind = kind, .start = start, .size = size, .name = name, .module = kind ? -1 : 0};
  return prof_space_add(space, &code);
}

static uint32_t at(const struct prof_space *space, uint64_t address) {
  struct prof_place place;
  return prof_space_find(space, address, &place) ? place.code : PROF_CODE_NONE;
}

static void finds_code_at_its_edges_and_not_beside(void **state) {
  struct prof_space *space = prof_space_create();
  uint32_t a = add(space, PROF_CODE_JIT, 0x1000, 0x100, "a");
  uint32_t b = add(space, PROF_CODE_JIT, 0x1100, 1, "b");
  struct prof_place place;
  (void)state;
  assert_int_equal(prof_space_count(space), 4);
  assert_true(a != b && a > PROF_SPACE_KERNEL && b > PROF_SPACE_KERNEL);
  assert_int_equal(at(space, 0xfff), PROF_CODE_NONE);
  assert_int_equal(at(space, 0x1000), a);
  assert_true(prof_space_find(space, 0x10ff, &place));
  assert_int_equal(place.code, a);
  assert_int_equal(place.offset, 0xff);
  assert_int_equal(at(space, 0x1100), b);
  assert_int_equal(at(space, 0x1101), PROF_CODE_NONE);
  assert_string_equal(prof_space_code(space, b)->name, "b");
  assert_null(prof_space_code(space, 4));
  prof_space_free(space);
}

static void refuses_ranges_that_are_none(void **state) {
  struct prof_space *space = prof_space_create();
  (void)state;
  assert_int_equal(add(space, PROF_CODE_JIT, 0x1000, 0, "a"), PROF_CODE_NONE);
  assert_int_equal(add(space, PROF_CODE_JIT, UINT64_MAX - 5, 10, "a"), PROF_CODE_NONE);
  assert_int_equal(add(space, PROF_CODE_JIT, 0x1000, 1ull << 32, "a"), PROF_CODE_NONE);
  assert_int_equal(prof_space_alias(space, 0x1000, 0x100, 0x10ff), -1); /* into itself */
  assert_int_equal(prof_space_count(space), 2);
  assert_int_equal(prof_space_live(space), 0);
  prof_space_free(space);
}

static void new_code_ends_what_it_overlaps_and_ids_stay(void **state) {
  struct prof_space *space = prof_space_create();
  uint32_t a = add(space, PROF_CODE_JIT, 0x1000, 0x100, "a");
  uint32_t b = add(space, PROF_CODE_JIT, 0x1100, 0x100, "b");
  uint32_t c = add(space, PROF_CODE_BYTECODE, 0x1200, 0x100, "c");
  uint32_t d = add(space, PROF_CODE_JIT, 0x10f0, 0x111, "d");
  (void)state;
  assert_int_equal(prof_space_live(space), 1);
  assert_int_equal(at(space, 0x1000), PROF_CODE_NONE); /* a is gone as a whole */
  assert_int_equal(at(space, 0x10f0), d);
  assert_int_equal(at(space, 0x1200), d);
  assert_int_equal(at(space, 0x1201), PROF_CODE_NONE);
  assert_string_equal(prof_space_code(space, a)->name, "a");
  assert_string_equal(prof_space_code(space, b)->name, "b");
  assert_string_equal(prof_space_code(space, c)->name, "c");
  assert_int_not_equal(add(space, PROF_CODE_JIT, 0x1000, 0x50, "a"), a);
  prof_space_free(space);
}

static void repeated_code_keeps_its_id(void **state) {
  struct prof_space *space = prof_space_create();
  char other[] = "a";
  uint32_t a = add(space, PROF_CODE_JIT, 0x1000, 0x100, "a");
  (void)state;
  assert_int_equal(add(space, PROF_CODE_JIT, 0x1000, 0x100, other), a);
  assert_int_not_equal(add(space, PROF_CODE_JIT, 0x1000, 0x100, "b"), a);
  uint32_t module = add(space, PROF_CODE_MODULE, 0x9000, 0x1000, NULL);
  assert_int_equal(add(space, PROF_CODE_MODULE, 0x9000, 0x1000, NULL), module);
  prof_space_free(space);
}

static void builtins_are_found_before_the_module_around_them(void **state) {
  struct prof_space *space = prof_space_create();
  uint32_t builtin = add(space, PROF_CODE_BUILTIN, 0x401000, 0x80, "Builtin:X");
  uint32_t module = add(space, PROF_CODE_MODULE, 0x400000, 0x10000, NULL);
  (void)state;
  assert_int_equal(at(space, 0x401000), builtin); /* also though the module came later */
  assert_int_equal(at(space, 0x401080), module);
  assert_int_equal(at(space, 0x400fff), module);
  prof_space_free(space);
}

static void a_module_trims_modules_and_ends_code(void **state) {
  struct prof_space *space = prof_space_create();
  uint32_t old = add(space, PROF_CODE_MODULE, 0x10000, 0x10000, NULL);
  uint32_t jit = add(space, PROF_CODE_JIT, 0x14000, 0x100, "f");
  struct prof_place place;
  (void)state;
  assert_int_equal(at(space, 0x14000), jit);
  struct prof_code code = {.kind = PROF_CODE_MODULE, .start = 0x13000, .size = 0x2000, .module = 7};
  uint32_t new = prof_space_add(space, &code);
  assert_int_equal(at(space, 0x14000), new);
  assert_int_equal(at(space, 0x12fff), old);
  assert_true(prof_space_find(space, 0x15000, &place));
  assert_int_equal(place.code, old);
  assert_int_equal(place.offset, 0x5000); /* still from the module's start */
  prof_space_unmap(space, 0x14000, 0x4000);
  assert_int_equal(at(space, 0x13fff), new);
  assert_int_equal(at(space, 0x14000), PROF_CODE_NONE);
  assert_int_equal(at(space, 0x17fff), PROF_CODE_NONE);
  assert_int_equal(at(space, 0x18000), old);
  prof_space_remove(space, 0x13000);
  assert_int_equal(at(space, 0x13000), PROF_CODE_NONE);
  prof_space_free(space);
}

static void moved_code_keeps_its_id(void **state) {
  struct prof_space *space = prof_space_create();
  uint32_t a = add(space, PROF_CODE_BYTECODE, 0x1000, 0x100, "a");
  uint32_t b = add(space, PROF_CODE_BYTECODE, 0x5000, 0x100, "b");
  struct prof_place place;
  (void)state;
  prof_space_move(space, 0x1000, 0x5080); /* b was collected without a word */
  assert_int_equal(at(space, 0x1000), PROF_CODE_NONE);
  assert_int_equal(at(space, 0x5000), PROF_CODE_NONE);
  assert_true(prof_space_find(space, 0x5090, &place));
  assert_int_equal(place.code, a);
  assert_int_equal(place.offset, 0x10);
  prof_space_move(space, 0x5080, 0x5040); /* onto itself */
  assert_int_equal(at(space, 0x5040), a);
  assert_int_equal(at(space, 0x5140), PROF_CODE_NONE);
  prof_space_move(space, 0x5041, 0x9000); /* no start there */
  prof_space_move(space, 0x7777, 0x9000);
  assert_int_equal(at(space, 0x9000), PROF_CODE_NONE);
  assert_int_equal(prof_space_live(space), 1);
  assert_string_equal(prof_space_code(space, b)->name, "b");
  prof_space_free(space);
}

static void an_alias_leads_to_the_same_code(void **state) {
  struct prof_space *space = prof_space_create();
  struct prof_place image, copy;
  (void)state;
  uint32_t module = add(space, PROF_CODE_MODULE, 0x400000, 0x10000, NULL);
  uint32_t builtin = add(space, PROF_CODE_BUILTIN, 0x401000, 0x80, "Builtin:X");
  assert_int_equal(prof_space_alias(space, 0x7f0000000000, 0x8000, 0x400000), 0);
  assert_int_equal(prof_space_alias(space, 0x7f0000000000, 0x8000, 0x400000), 0);
  assert_int_equal(prof_space_live(space), 3);
  assert_true(prof_space_find(space, 0x401020, &image));
  assert_true(prof_space_find(space, 0x7f0000001020, &copy));
  assert_int_equal(copy.code, builtin);
  assert_int_equal(copy.code, image.code);
  assert_int_equal(copy.offset, image.offset);
  assert_int_equal(at(space, 0x7f0000000000), module);
  assert_int_equal(at(space, 0x7f0000008000), PROF_CODE_NONE);
  assert_int_equal(prof_space_canonical(space, 0x7f0000001020), 0x401020);
  assert_int_equal(prof_space_canonical(space, 0x1234), 0x1234);
  /* the isolate ended, its memory is used anew */
  uint32_t jit = add(space, PROF_CODE_JIT, 0x7f0000001000, 0x100, "f");
  assert_int_equal(at(space, 0x7f0000001020), jit);
  assert_int_equal(at(space, 0x7f0000000000), PROF_CODE_NONE);
  prof_space_free(space);
}

static void every_address_has_a_place_and_comes_back(void **state) {
  struct prof_space *space = prof_space_create();
  uint32_t a = add(space, PROF_CODE_JIT, 0x1000, 0x100, "a");
  const uint64_t addresses[] = {0x1010, 0x5555, 0, 0xffffffff81234567, 0xffffc90000001234};
  struct prof_place place = {0};
  (void)state;
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    place = prof_space_place(space, addresses[i]);
    assert_int_equal(prof_space_address(space, place), addresses[i]);
  }
  assert_int_equal(prof_space_place(space, 0x1010).code, a);
  assert_int_equal(prof_space_place(space, 0x5555).code, PROF_SPACE_UNKNOWN);
  assert_int_equal(prof_space_place(space, 0x5555).offset, prof_space_place(space, 0x5555).offset);
  assert_int_equal(prof_space_place(space, 0xffffffff81234567).code, PROF_SPACE_KERNEL);
  assert_int_equal(prof_space_address(space, (struct prof_place){99, 0}), 0);
  assert_int_equal(prof_space_address(space, (struct prof_place){0, 99}), 0);
  for (uint64_t i = 0; i < (1 << 20) + 100; i++) /* a hostile stack cannot fill memory */
    place = prof_space_place(space, 0x100000 + i);
  assert_int_equal(place.offset, 0);
  prof_space_free(space);
}

/* A byte map of 64 K addresses, the plainest thing that can be right. */
enum { MODEL = 1 << 16, MODEL_STEPS = 30000 };

static void behaves_as_a_byte_map_does(void **state) {
  static uint32_t code_layer[MODEL], module_layer[MODEL];
  struct prof_space *space = prof_space_create();
  (void)state;
  memset(code_layer, 0xff, sizeof code_layer);
  memset(module_layer, 0xff, sizeof module_layer);
  for (int step = 0; step < MODEL_STEPS; step++) {
    uint64_t start = next_random() % (MODEL - 64), size = 1 + next_random() % 60;
    unsigned what = (unsigned)(next_random() % 100);
    if (what < 60) {
      uint32_t id = add(space, PROF_CODE_JIT, start, size, NULL);
      for (uint64_t i = start; i < start + size; i++) {
        uint32_t ended = code_layer[i];
        for (uint64_t k = i >= 64 ? i - 64 : 0; ended != UINT32_MAX && k < i + 64 && k < MODEL; k++)
          if (code_layer[k] == ended)
            code_layer[k] = UINT32_MAX;
      }
      for (uint64_t i = start; i < start + size; i++)
        code_layer[i] = id;
    } else if (what < 75) {
      struct prof_code code = {
          .kind = PROF_CODE_MODULE, .start = start, .size = size, .module = step};
      uint32_t id = prof_space_add(space, &code);
      for (uint64_t i = start; i < start + size; i++) {
        uint32_t ended = code_layer[i];
        for (uint64_t k = i >= 64 ? i - 64 : 0; ended != UINT32_MAX && k < i + 64 && k < MODEL; k++)
          if (code_layer[k] == ended)
            code_layer[k] = UINT32_MAX;
        module_layer[i] = id;
      }
    } else if (what < 90 && code_layer[start] != UINT32_MAX) {
      uint32_t id = code_layer[start];
      const struct prof_code *code = prof_space_code(space, id);
      uint64_t from = code->start, length = code->size, to = next_random() % (MODEL - 64);
      prof_space_move(space, from, to);
      for (uint64_t i = from; i < from + length; i++)
        code_layer[i] = UINT32_MAX;
      for (uint64_t i = to; i < to + length; i++) {
        uint32_t ended = code_layer[i];
        for (uint64_t k = i >= 64 ? i - 64 : 0; ended != UINT32_MAX && k < i + 64 && k < MODEL; k++)
          if (code_layer[k] == ended)
            code_layer[k] = UINT32_MAX;
      }
      for (uint64_t i = to; i < to + length; i++)
        code_layer[i] = id;
    }
    if (step % 500 == 0 || step == MODEL_STEPS - 1)
      for (uint64_t i = 0; i < MODEL; i++) {
        uint32_t want = code_layer[i] != UINT32_MAX ? code_layer[i] : module_layer[i];
        struct prof_place place;
        bool found = prof_space_find(space, i, &place);
        assert_int_equal(found ? place.code : UINT32_MAX, want);
        if (found)
          assert_int_equal(prof_space_address(space, place), i);
      }
  }
  prof_space_free(space);
}

static double now_ns(void) {
  return (double)prof_clock_ns(CLOCK_THREAD_CPUTIME_ID); /* whatever else the machine does */
}

static void is_fast_with_100_000_ranges(void **state) {
  enum { RANGES = 100000, LOOKUPS = 1000000 };
  struct prof_space *space = prof_space_create();
  uint64_t *starts = malloc(RANGES * sizeof *starts);
  uint64_t found = 0;
  double start, insert_ns, find_ns;
  (void)state;
  for (uint64_t i = 0; i < RANGES; i++)
    starts[i] = 0x7f0000000000 + i * 256;
  for (uint64_t i = RANGES - 1; i > 0; i--) { /* in no order: the hard case */
    uint64_t k = next_random() % (i + 1), held = starts[i];
    starts[i] = starts[k];
    starts[k] = held;
  }
  start = now_ns();
  for (size_t i = 0; i < RANGES; i++)
    add(space, PROF_CODE_JIT, starts[i], 200, "JS:*f");
  insert_ns = (now_ns() - start) / RANGES;
  assert_int_equal(prof_space_live(space), RANGES);
  start = now_ns();
  for (size_t i = 0; i < LOOKUPS; i++)
    found += at(space, starts[(i * 7919) % RANGES] + 100) != PROF_CODE_NONE;
  find_ns = (now_ns() - start) / LOOKUPS;
  assert_int_equal(found, LOOKUPS);
  print_message("bench: space with 100,000 ranges: insert %.0f ns, look-up %.0f ns\n", insert_ns,
                find_ns);
#ifdef __SANITIZE_THREAD__
  const double slower = 20;
#else
  const double slower = 1;
#endif
  /* That it is not linear; other sanitizers are slow too. */
  assert_true(insert_ns < slower * 50000 && find_ns < slower * 10000);
  free(starts);
  prof_space_free(space);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_code_at_its_edges_and_not_beside),
      cmocka_unit_test(refuses_ranges_that_are_none),
      cmocka_unit_test(new_code_ends_what_it_overlaps_and_ids_stay),
      cmocka_unit_test(repeated_code_keeps_its_id),
      cmocka_unit_test(builtins_are_found_before_the_module_around_them),
      cmocka_unit_test(a_module_trims_modules_and_ends_code),
      cmocka_unit_test(moved_code_keeps_its_id),
      cmocka_unit_test(an_alias_leads_to_the_same_code),
      cmocka_unit_test(every_address_has_a_place_and_comes_back),
      cmocka_unit_test(behaves_as_a_byte_map_does),
      cmocka_unit_test(is_fast_with_100_000_ranges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
