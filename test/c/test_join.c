/* stack/join: which walk belongs to which sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/join.h"

struct decided {
  uint64_t time_ns;
  enum prof_join_fate fate;
  uint32_t node;
};

static struct {
  struct prof_join join;
  struct prof_join_thread *thread;
  struct decided rows[32];
  int count;
  uint64_t frame; /* of the handlers, 0: below the interrupted code */
} t;

static void note(void *user, struct prof_join_thread *thread, const struct prof_wait *sample,
                 enum prof_join_fate fate) {
  (void)user;
  assert_true(t.count < 32);
  t.rows[t.count++] = (struct decided){sample->time_ns, fate, thread->walk.node};
}

static int set_up(void **state) {
  (void)state;
  memset(&t, 0, sizeof t);
  prof_join_init(&t.join);
  t.thread = prof_join_add(&t.join, 100, 0);
  return t.thread ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  prof_join_free(&t.join);
  return 0;
}

static void sample(uint64_t time_ns, uint64_t ip, uint64_t sp) {
  const struct prof_wait wait = {.time_ns = time_ns, .ip = ip, .sp = sp, .weight = 1};
  assert_int_equal(prof_join_sample(&t.join, t.thread, &wait), 0);
}

static void walk(uint64_t time_ns, uint64_t ip, uint64_t sp, uint8_t flags, uint32_t node) {
  const struct prof_stack stack = {.time_ns = time_ns,
                                   .ip = ip,
                                   .sp = sp,
                                   .frame = t.frame ? t.frame : sp - 0x700,
                                   .duration_ns = 3000,
                                   .flags = flags,
                                   .tid = 100};
  prof_join_walk(&t.join, t.thread, &stack, node, note, NULL);
}

static void a_walk_takes_its_sample(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  walk(1500, 0x40, 0x7000, 0, 11);
  assert_int_equal(t.count, 1);
  assert_int_equal(t.rows[0].fate, PROF_JOIN_MATCHED);
  assert_int_equal(t.rows[0].node, 11);
  assert_int_equal(t.join.waiting, 0);
}

static void samples_of_one_system_call_share_the_walk(void **state) {
  (void)state;
  sample(1000, 0x42, 0x7000);
  sample(2000, 0x42, 0x7000);
  sample(3000, 0x42, 0x7000);
  walk(3500, 0x42, 0x7000, 0, 12);
  assert_int_equal(t.count, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(t.rows[i].fate, PROF_JOIN_MATCHED);
    assert_int_equal(t.rows[i].node, 12);
  }
}

static void a_restarted_system_call_matches(void **state) {
  (void)state;
  sample(1000, 0x42, 0x7000);
  walk(1500, 0x40, 0x7000, 0, 13); /* the kernel put rip back onto `syscall` */
  assert_int_equal(t.rows[0].fate, PROF_JOIN_MATCHED);
}

static void a_later_sample_waits(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  sample(9000, 0x50, 0x7000);
  walk(1500, 0x40, 0x7000, 0, 14);
  assert_int_equal(t.count, 1);
  assert_int_equal(t.join.waiting, 1);
}

static void a_sample_in_the_handler_hangs_below_the_walk_before(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  walk(1500, 0x40, 0x7000, 0, 15);
  sample(3000, 0x99, 0x6800); /* inside the handler's 3000 ns, below its stack pointer */
  walk(4600, 0x40, 0x7000, PROF_STACK_ASYNC, 15);
  assert_int_equal(t.count, 2);
  assert_int_equal(t.rows[1].fate, PROF_JOIN_HANDLER);
  assert_int_equal(t.rows[1].node, 15);
  assert_int_equal(t.join.unmatched, 0);
}

static void a_sample_in_the_handler_counts_to_the_walk_it_interrupted(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  walk(1500, 0x40, 0x7000, 0, 15);
  sample(3000, 0x99, 0x6800);
  sample(250000, 0x48, 0x7100);
  walk(251000, 0x48, 0x7100, 0, 16); /* the one for the sample in the handler never came */
  assert_int_equal(t.count, 3);
  assert_int_equal(t.rows[1].fate, PROF_JOIN_HANDLER);
  assert_int_equal(t.rows[1].node, 15);
  assert_int_equal(t.rows[2].fate, PROF_JOIN_MATCHED);
  assert_int_equal(t.rows[2].node, 16);
}

static void a_handler_on_another_stack_is_known_by_where_it_began(void **state) {
  (void)state;
  t.frame = 0x90000;
  sample(1000, 0x40, 0x7000);
  walk(1500, 0x40, 0x7000, 0, 15);
  sample(3000, 0x99, 0x8fe00);
  sample(3500, 0x98, 0x90008); /* in the trampoline: the handler has returned */
  walk(4600, 0x40, 0x7000, PROF_STACK_ASYNC, 15);
  assert_int_equal(t.rows[1].fate, PROF_JOIN_HANDLER);
  assert_int_equal(t.rows[2].fate, PROF_JOIN_HANDLER);
}

static void a_sample_at_the_handlers_entry_hangs_below_the_walk_it_begins(void **state) {
  (void)state;
  t.frame = 0x90000;
  sample(900000, 0x99, 0x90000);
  walk(901000, 0x40, 0x7000, PROF_STACK_ASYNC, 19);
  assert_int_equal(t.rows[0].fate, PROF_JOIN_HANDLER);
  assert_int_equal(t.rows[0].node, 19);
}

static void what_runs_on_the_stack_later_is_not_the_handler(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  walk(1500, 0x40, 0x7000, 0, 15);
  sample(900000, 0x99, 0x6800);
  sample(1199000, 0x40, 0x7000);
  walk(1199500, 0x40, 0x7000, 0, 16);
  assert_int_equal(t.rows[1].fate, PROF_JOIN_NO_STACK);
  assert_int_equal(t.rows[2].fate, PROF_JOIN_MATCHED);
}

static void a_blocked_signal_is_told_apart_from_a_lost_stack(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  walk(9000000, 0x77, 0x7200, PROF_STACK_ASYNC, 17); /* long after */
  sample(9100000, 0x40, 0x7000);
  walk(9200000, 0x77, 0x6000, PROF_STACK_ASYNC, 17); /* from further in */
  sample(9300000, 0x40, 0x7000);
  walk(9400000, 0x77, 0x7200, 0, 17);
  assert_int_equal(t.rows[0].fate, PROF_JOIN_BLOCKED);
  assert_int_equal(t.rows[1].fate, PROF_JOIN_BLOCKED);
  assert_int_equal(t.rows[2].fate, PROF_JOIN_NO_STACK);
}

static void a_signal_blocked_within_a_function_gets_that_functions_callers(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000); /* in clone3 */
  sample(2000, 0x44, 0x6ff8);
  walk(90000, 0x77, 0x7200, PROF_STACK_ASYNC, 17); /* in pthread_create, which calls it */
  assert_int_equal(t.rows[0].fate, PROF_JOIN_OUTER);
  assert_int_equal(t.rows[0].node, 17);
  assert_int_equal(t.rows[1].fate, PROF_JOIN_OUTER);
}

static void a_walk_that_nobody_waits_for_is_counted(void **state) {
  (void)state;
  walk(1500, 0x40, 0x7000, 0, 18);
  assert_int_equal(t.count, 0);
  assert_int_equal(t.join.unmatched, 1);
}

static void an_ended_thread_gives_its_samples_up(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  prof_join_ended(&t.join, t.thread, note, NULL);
  assert_int_equal(t.rows[0].fate, PROF_JOIN_ENDED);
  assert_null(prof_join_find(&t.join, 100));
  /* The kernel gives the id to another thread. */
  struct prof_join_thread *next = prof_join_add(&t.join, 100, 5);
  assert_ptr_equal(prof_join_find(&t.join, 100), next);
  assert_int_equal(next->row, 5);
}

static void what_still_waits_at_the_end_is_frozen(void **state) {
  (void)state;
  sample(1000, 0x40, 0x7000);
  sample(2000, 0x40, 0x7000);
  prof_join_finish(&t.join, note, NULL);
  assert_int_equal(t.count, 2);
  assert_int_equal(t.rows[0].fate, PROF_JOIN_FROZEN);
  assert_int_equal(t.rows[1].time_ns, 2000);
  assert_int_equal(t.join.waiting, 0);
}

static void many_samples_reuse_their_places(void **state) {
  (void)state;
  for (uint64_t i = 1; i <= 1000; i++) {
    t.count = 0;
    sample(i * 1000, 0x40, 0x7000);
    walk(i * 1000 + 500, 0x40, 0x7000, 0, 1);
    assert_int_equal(t.count, 1);
  }
  assert_int_equal(t.join.pool_count, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_walk_takes_its_sample),
      TEST(samples_of_one_system_call_share_the_walk),
      TEST(a_restarted_system_call_matches),
      TEST(a_later_sample_waits),
      TEST(a_sample_in_the_handler_hangs_below_the_walk_before),
      TEST(a_sample_in_the_handler_counts_to_the_walk_it_interrupted),
      TEST(a_handler_on_another_stack_is_known_by_where_it_began),
      TEST(a_sample_at_the_handlers_entry_hangs_below_the_walk_it_begins),
      TEST(what_runs_on_the_stack_later_is_not_the_handler),
      TEST(a_signal_blocked_within_a_function_gets_that_functions_callers),
      TEST(a_blocked_signal_is_told_apart_from_a_lost_stack),
      TEST(a_walk_that_nobody_waits_for_is_counted),
      TEST(an_ended_thread_gives_its_samples_up),
      TEST(what_still_waits_at_the_end_is_frozen),
      TEST(many_samples_reuse_their_places),
  };
  return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
