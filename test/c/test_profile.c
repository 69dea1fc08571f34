/* profile/: interned strings, the calling-context tree, samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "profile/samples.h"
#include "profile/strings.h"
#include "profile/tree.h"

static void each_text_is_kept_once(void **state) {
  (void)state;
  struct prof_strings strings;
  assert_int_equal(prof_strings_init(&strings), 0);
  assert_int_equal(prof_strings_intern(&strings, ""), 0);
  for (int round = 0; round < 2; round++) {
    for (uint32_t i = 0; i < 5000; i++) {
      char text[32];
      snprintf(text, sizeof text, "function %u", i);
      assert_int_equal(prof_strings_intern(&strings, text), i + 1);
    }
  }
  assert_int_equal(strings.count, 5001);
  assert_string_equal(prof_strings_at(&strings, 4321), "function 4320");
  prof_strings_free(&strings);
}

static void same_path_is_same_node(void **state) {
  (void)state;
  struct prof_tree tree;
  assert_int_equal(prof_tree_init(&tree), 0);
  uint32_t a = prof_tree_frame(&tree, 0xaull << 40), b = prof_tree_frame(&tree, 7);
  uint32_t first = prof_tree_child(&tree, PROF_TREE_ROOT, a);
  uint32_t second = prof_tree_child(&tree, first, b);
  assert_int_equal(prof_tree_child(&tree, PROF_TREE_ROOT, a), first);
  assert_int_equal(prof_tree_child(&tree, first, b), second);
  assert_int_not_equal(prof_tree_child(&tree, PROF_TREE_ROOT, b), second);
  assert_int_equal(tree.keys[tree.nodes[first].frame], 0xaull << 40);
  assert_int_equal(tree.nodes[second].parent, first);
  prof_tree_free(&tree);
}

static void parents_stand_before_children(void **state) {
  (void)state;
  struct prof_tree tree;
  uint32_t node = PROF_TREE_ROOT, seed = 1;
  assert_int_equal(prof_tree_init(&tree), 0);
  for (int i = 0; i < 100000; i++) {
    seed = seed * 1664525 + 1013904223;
    node = i % 40 ? node : PROF_TREE_ROOT;
    node = prof_tree_child(&tree, node, prof_tree_frame(&tree, seed >> 28));
  }
  for (size_t i = 1; i < tree.count; i++)
    assert_true(tree.nodes[i].parent < i);
  prof_tree_free(&tree);
}

/* Paths of all lengths, through a tree that grows meanwhile, with frames that are missing. */
static void a_path_is_what_its_children_are_one_by_one(void **state) {
  (void)state;
  struct prof_tree whole, single;
  uint32_t frames[64], nodes[64], seed = 5;
  assert_int_equal(prof_tree_init(&whole), 0);
  assert_int_equal(prof_tree_init(&single), 0);
  for (int round = 0; round < 20000; round++) {
    seed = seed * 1664525 + 1013904223;
    uint32_t parent = (seed >> 8) % (uint32_t)whole.count, count = (seed >> 24) % 65, last = parent;
    for (uint32_t i = 0; i < count; i++) {
      seed = seed * 1664525 + 1013904223;
      frames[i] = seed >> 28 ? prof_tree_frame(&whole, seed >> 29) : PROF_TREE_NO_FRAME;
    }
    uint32_t leaf = prof_tree_path(&whole, parent, frames, count, nodes);
    for (uint32_t i = 0; i < count; i++) {
      last = prof_tree_child(&single, last, frames[i]);
      assert_int_equal(nodes[i], last);
    }
    assert_int_equal(leaf, last);
  }
  assert_int_equal(whole.count, single.count);
  assert_true(whole.count > 100000);
  prof_tree_free(&whole);
  prof_tree_free(&single);
}

static void an_alias_has_the_frame_of_another_key(void **state) {
  (void)state;
  struct prof_tree tree;
  assert_int_equal(prof_tree_init(&tree), 0);
  uint32_t frame = prof_tree_frame(&tree, 7);
  assert_int_equal(prof_tree_known(&tree, 9), PROF_TREE_NO_FRAME);
  prof_tree_alias(&tree, 9, frame);
  assert_int_equal(prof_tree_known(&tree, 9), frame);
  assert_int_equal(prof_tree_frame(&tree, 9), frame);
  assert_int_equal(tree.key_count, 1);
  prof_tree_free(&tree);
}

static void no_frame_leaves_the_sample_with_its_caller(void **state) {
  (void)state;
  struct prof_tree tree;
  assert_int_equal(prof_tree_init(&tree), 0);
  uint32_t node = prof_tree_child(&tree, PROF_TREE_ROOT, prof_tree_frame(&tree, 1));
  assert_int_equal(prof_tree_child(&tree, node, PROF_TREE_NO_FRAME), node);
  prof_tree_free(&tree);
}

/* In order of decision, as a running recording has them. */
static void old_samples_are_forgotten_and_counted(void **state) {
  (void)state;
  struct prof_samples samples = {0};
  for (uint64_t i = 0; i < 1000; i++) {
    struct prof_sample sample = {.time_ns = i ^ 1, .node = (uint32_t)i ^ 1};
    assert_int_equal(prof_samples_add(&samples, &sample), 0);
  }
  size_t capacity = samples.capacity;
  prof_samples_forget(&samples, 901);
  assert_int_equal(samples.count, 99);
  assert_int_equal(samples.forgotten, 901);
  assert_true(samples.capacity < capacity / 4);
  for (size_t i = 0; i < samples.count; i++) {
    assert_true(samples.rows[i].time_ns >= 901);
    assert_int_equal(samples.rows[i].node, samples.rows[i].time_ns);
  }
  prof_samples_forget(&samples, 2000);
  assert_int_equal(samples.count, 0);
  assert_int_equal(samples.forgotten, 1000);
  struct prof_sample again = {.time_ns = 3000};
  assert_int_equal(prof_samples_add(&samples, &again), 0);
  assert_int_equal(samples.rows[0].time_ns, 3000);
  prof_samples_free(&samples);
}

static void samples_are_put_in_order_of_time(void **state) {
  (void)state;
  struct prof_samples samples = {0};
  static const uint64_t times[] = {5, 3, 9, 3, 1};
  for (size_t i = 0; i < 5; i++) {
    const struct prof_sample sample = {.time_ns = times[i], .cpu = (uint16_t)(9 - i)};
    assert_int_equal(prof_samples_add(&samples, &sample), 0);
  }
  prof_samples_sort(&samples);
  for (size_t i = 1; i < samples.count; i++) {
    assert_true(samples.rows[i - 1].time_ns <= samples.rows[i].time_ns);
  }
  assert_int_equal(samples.rows[1].cpu, 6);
  assert_int_equal(samples.rows[2].cpu, 8);
  prof_samples_free(&samples);
}

static void a_long_thread_name_is_cut_to_comm(void **state) {
  (void)state;
  struct prof_threads threads = {0};
  assert_int_equal(prof_threads_add(&threads, 7, 1, "a name longer than sixteen"), 0);
  assert_string_equal(threads.rows[0].name, "a name longer t");
  prof_threads_free(&threads);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_text_is_kept_once),
      cmocka_unit_test(same_path_is_same_node),
      cmocka_unit_test(parents_stand_before_children),
      cmocka_unit_test(no_frame_leaves_the_sample_with_its_caller),
      cmocka_unit_test(a_path_is_what_its_children_are_one_by_one),
      cmocka_unit_test(an_alias_has_the_frame_of_another_key),
      cmocka_unit_test(samples_are_put_in_order_of_time),
      cmocka_unit_test(old_samples_are_forgotten_and_counted),
      cmocka_unit_test(a_long_thread_name_is_cut_to_comm),
  };
  return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
