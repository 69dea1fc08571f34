/* stack/fair: which samples of a thread are walked; stack/spent: what walks took. With invented
 * time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/fair.h"
#include "stack/spent.h"

enum { SPARED_NS = 500 /* a sample without a walk */, SLICE_NS = 3000000 /* of a busy CPU */ };

static uint64_t cpu_ns, wall_ns, reads;
static unsigned others; /* who want the CPU too: after each slice each has one */

static uint64_t read_cpu(void) {
  reads++;
  return cpu_ns;
}

/* The thread runs for so long, as soon as it may. */
static void run_for(uint64_t ns) {
  uint64_t slices = (cpu_ns + ns) / SLICE_NS - cpu_ns / SLICE_NS;
  cpu_ns += ns;
  wall_ns += ns + slices * others * SLICE_NS;
}

static int set_up(void **state) {
  (void)state;
  cpu_ns = 5000000;
  wall_ns = 1000000000;
  reads = others = 0;
  return 0;
}

/* One signal: the handler, with a walk or without. */
static bool sample(struct prof_fair *fair, uint64_t walk_ns) {
  uint64_t entered_ns = wall_ns;
  bool is_walked = prof_fair_enter(fair, read_cpu);
  run_for(is_walked ? walk_ns : SPARED_NS);
  prof_fair_leave(fair, wall_ns - entered_ns, read_cpu);
  return is_walked;
}

struct outcome {
  uint64_t own_ns, handler_ns, walked, spared;
};

/* A thread that is sampled every period_ns of its CPU time; what comes due in the handler comes
 * right behind it. */
static struct outcome run(uint64_t period_ns, uint64_t walk_ns, uint64_t samples) {
  struct prof_fair fair = {0};
  struct outcome out = {0};
  for (uint64_t i = 0; i < samples; i++) {
    uint64_t before_ns = cpu_ns, took_ns, own_ns;
    if (sample(&fair, walk_ns))
      out.walked++;
    else
      out.spared++;
    took_ns = cpu_ns - before_ns;
    own_ns = took_ns < period_ns ? period_ns - took_ns : 100;
    run_for(own_ns);
    out.own_ns += own_ns;
    out.handler_ns += took_ns;
  }
  return out;
}

static void usual_walks_are_all_made(void **state) {
  (void)state;
  for (others = 0; others < 50; others += 16) {
    assert_int_equal(run(250000, 3000, 100000).spared, 0);
    assert_int_equal(run(250000, 120000, 100000).spared, 0);
    assert_int_equal(run(50000, 20000, 100000).spared, 0);
  }
}

static void calm_threads_hardly_ever_read_their_cpu_time(void **state) {
  (void)state;
  run(250000, 3000, 100000);
  assert_int_equal(reads, 100000 * 3000ull / (PROF_FAIR_LOOK_NS + 1000));
  /* A handler that loses its CPU may look like a storm: the thread is watched for a while. */
  reads = 0;
  others = 100;
  run(250000, 3000, 100000);
  assert_true(reads < 100000 / 2);
}

static void walks_longer_than_the_period_leave_the_thread_half_of_its_time(void **state) {
  (void)state;
  static const uint64_t walks_ns[] = {60000, 100000, 400000, 900000, 5000000, 30000000};
  for (others = 0; others < 20; others = 3 * others + 1) {
    for (int i = 0; i < 6; i++) {
      struct outcome out = run(50000, walks_ns[i], 400000);
      double share = (double)out.handler_ns / (double)(out.handler_ns + out.own_ns);
      assert_true(out.walked > 0 && out.spared > 0);
      assert_true(share < 0.52);
      assert_true(share > 0.4); /* and it is sampled as much as that allows */
    }
  }
}

/* Walks that leave the thread a little less than half: nothing of them is forgotten. */
static void half_is_half_also_where_walks_are_just_too_long(void **state) {
  (void)state;
  for (others = 0; others < 20; others = 3 * others + 1) {
    struct outcome out = run(100000, 55000, 1000000);
    double share = (double)out.handler_ns / (double)(out.handler_ns + out.own_ns);
    assert_true(out.spared > 0);
    assert_true(share < 0.505);
    assert_true(share > 0.45);
  }
}

static void walks_go_on_when_the_storm_is_over(void **state) {
  (void)state;
  struct prof_fair fair = {0};
  while (sample(&fair, 300000))
    run_for(100);
  run_for(PROF_FAIR_DEBT_NS / 2);
  assert_false(sample(&fair, 300000)); /* not half-paid */
  run_for(2 * PROF_FAIR_DEBT_NS);
  for (int i = 0; i < 1000; i++) {
    assert_true(sample(&fair, 3000));
    run_for(250000);
    assert_true(i < PROF_FAIR_WATCH || fair.watch == 0);
  }
}

/* Another program had the CPU for 20 ms while a walk was under way. */
static void a_handler_that_lost_its_cpu_is_no_storm(void **state) {
  (void)state;
  struct prof_fair fair = {0};
  for (int i = 0; i < 1000; i++) {
    uint64_t entered_ns = wall_ns;
    assert_true(prof_fair_enter(&fair, read_cpu));
    cpu_ns += 3000;
    wall_ns += i % 20 ? 3000 : 20000000;
    prof_fair_leave(&fair, wall_ns - entered_ns, read_cpu);
    run_for(250000);
  }
}

/* The thread's own time is paid by the thread alone: others' time is not its own. */
static void while_others_run_no_debt_is_paid(void **state) {
  (void)state;
  struct prof_fair fair = {0};
  while (sample(&fair, 300000))
    run_for(100);
  for (int i = 0; i < 1000; i++) {
    wall_ns += 100000000;
    run_for(100);
    assert_false(sample(&fair, 300000));
  }
}

static void a_clock_that_goes_back_is_no_debt(void **state) {
  (void)state;
  struct prof_fair fair = {0};
  while (!fair.watch) {
    sample(&fair, 300000);
    run_for(100);
  }
  uint64_t debt_ns = fair.debt_ns;
  cpu_ns -= 1000;
  assert_true(prof_fair_enter(&fair, read_cpu));
  assert_int_equal(fair.debt_ns, debt_ns);
  cpu_ns -= 1000;
  prof_fair_leave(&fair, 0, read_cpu);
  assert_int_equal(fair.debt_ns, debt_ns);
}

/* What walks of so long took by the wall, and as it is told. */
static uint64_t spend(struct prof_spent *spent, uint64_t walk_ns, int walks) {
  uint64_t sum_ns = 0;
  for (int i = 0; i < walks; i++) {
    run_for(250000);
    uint64_t entered_ns = wall_ns;
    run_for(walk_ns);
    prof_spent_add(spent, wall_ns - entered_ns);
    sum_ns += wall_ns - entered_ns;
  }
  return sum_ns;
}

static void a_walk_that_waited_for_a_cpu_took_what_the_others_did(void **state) {
  (void)state;
  const uint64_t walk_ns = 3000, walks = 200000;
  struct prof_spent idle = {0}, busy = {0};
  assert_int_equal(spend(&idle, walk_ns, walks), walk_ns * walks);
  assert_int_equal(prof_spent_ns(&idle), walk_ns * walks);
  others = 9;
  assert_true(spend(&busy, walk_ns, walks) > 5 * walk_ns * walks);
  assert_in_range(prof_spent_ns(&busy), walk_ns * walks - walks, walk_ns * walks + walks);
  prof_spent_clear(&busy);
  assert_int_equal(prof_spent_ns(&busy), 0);
}

static void walks_that_are_long_are_believed(void **state) {
  (void)state;
  struct prof_spent spent = {0};
  uint64_t sum_ns = spend(&spent, 2000000, 1000);
  assert_int_equal(prof_spent_ns(&spent), sum_ns);
  assert_int_equal(sum_ns, 2000000000);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
  const struct CMUnitTest tests[] = {
      TEST(usual_walks_are_all_made),
      TEST(calm_threads_hardly_ever_read_their_cpu_time),
      TEST(walks_longer_than_the_period_leave_the_thread_half_of_its_time),
      TEST(half_is_half_also_where_walks_are_just_too_long),
      TEST(walks_go_on_when_the_storm_is_over),
      TEST(a_handler_that_lost_its_cpu_is_no_storm),
      TEST(while_others_run_no_debt_is_paid),
      TEST(a_clock_that_goes_back_is_no_debt),
      TEST(a_walk_that_waited_for_a_cpu_took_what_the_others_did),
      TEST(walks_that_are_long_are_believed),
  };
  return cmocka_run_group_tests_name("fair", tests, NULL, NULL);
}
