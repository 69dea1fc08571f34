/* The budget's controller on replayed costs, with invented time: what it settles on, how often it
 * changes its mind; the price of an interrupt from holes in time; whose turn a record is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/owners.h"
#include "perf/price.h"
#include "session/budget.h"

#define SECOND 1000000000ull
#define ROUND (SECOND / 10)

/* A build of so many CPUs, and what profiling costs it: fixed_ns a second of wall time, sample_ns
 * for each sample, and at one rate and above it dear_ns more. noise: up to that share more or less.
 */
struct world {
  struct prof_budget budget;
  struct prof_budget_mark now;
  double cpus, fixed_ns, sample_ns, dear_ns, noise;
  uint32_t dear_hz, random;
  int changes, rises;
};

static void begin(struct world *world, double percent, uint32_t hz, uint64_t guess_ns) {
  prof_budget_init(&world->budget, percent / 100, hz, guess_ns);
  world->random = 1;
}

static void round_of(struct world *world) {
  uint32_t before = prof_budget_hz(&world->budget);
  double build_ns = world->cpus * (double)ROUND;
  double sample_ns = world->sample_ns;
  world->random = world->random * 1664525u + 1013904223u;
  if (world->dear_hz && before >= world->dear_hz)
    sample_ns += world->dear_ns;
  sample_ns *= 1 + world->noise * (2.0 * (world->random >> 8) / (1 << 24) - 1);
  world->now.time_ns += ROUND;
  world->now.build_ns += (uint64_t)build_ns;
  world->now.cost_ns +=
      (uint64_t)(world->fixed_ns / 10 + before * build_ns / (double)SECOND * sample_ns);
  uint32_t after = prof_budget_step(&world->budget, &world->now);
  world->changes += after != before;
  world->rises += after > before;
}

static void run(struct world *world, int seconds) {
  for (int i = 0; i < seconds * 10; i++)
    round_of(world);
}

static void begins_at_the_rate_that_the_price_allows(void **state) {
  struct prof_budget budget;
  (void)state;
  prof_budget_init(&budget, 0.02, 4000, 5000); /* exactly 2 % */
  assert_int_equal(prof_budget_hz(&budget), 4000);
  prof_budget_init(&budget, 0.02, 4000, 5001);
  assert_int_equal(prof_budget_hz(&budget), 2000);
  prof_budget_init(&budget, 0.02, 4000, 35000);
  assert_int_equal(prof_budget_hz(&budget), 500);
  prof_budget_init(&budget, 0.001, 100, SECOND); /* never below 10 Hz */
  assert_int_equal(prof_budget_hz(&budget), 12);
  prof_budget_init(&budget, 0.001, 5, SECOND); /* nor where less was asked for */
  assert_int_equal(prof_budget_hz(&budget), 5);
  prof_budget_init(&budget, 0.001, 100000, SECOND);
  assert_int_equal(prof_budget_hz(&budget), 100000 >> (PROF_BUDGET_STEPS - 1));
}

static void falls_at_once_as_far_as_it_must_and_stays(void **state) {
  struct world world = {.cpus = 2, .fixed_ns = 5e6, .sample_ns = 40000};
  (void)state;
  begin(&world, 2, 4000, 0); /* 4000 Hz: 16 % */
  for (int i = 0; i < 5; i++)
    round_of(&world);
  assert_int_equal(prof_budget_hz(&world.budget), 250);
  run(&world, 300);
  assert_int_equal(world.changes, 1);
  assert_true(prof_budget_spent(&world.budget) < 0.02);
}

static void rises_again_when_samples_get_cheaper(void **state) {
  struct world world = {.cpus = 8, .sample_ns = 40000};
  (void)state;
  begin(&world, 2, 4000, 0);
  run(&world, 10);
  assert_int_equal(prof_budget_hz(&world.budget), 500);
  world.sample_ns = 3500;
  run(&world, 60);
  assert_int_equal(prof_budget_hz(&world.budget), 4000);
  assert_int_equal(world.rises, 3);
  assert_true(prof_budget_spent(&world.budget) < 0.02);
}

static void noise_does_not_move_it(void **state) {
  (void)state;
  for (double sample_ns = 4000; sample_ns < 80000; sample_ns *= 1.1) {
    struct world world = {.cpus = 2, .fixed_ns = 4e6, .sample_ns = sample_ns, .noise = 0.5};
    begin(&world, 2, 4000, 20000);
    run(&world, 600);
    assert_in_range(world.changes, 0, 20); /* in ten minutes */
    assert_true(prof_budget_spent(&world.budget) < 0.0205);
  }
}

/* A rise that cannot last (colder caches, a cost that is not in proportion) is tried ever less. */
static void a_rise_taken_back_makes_the_next_wait_longer(void **state) {
  struct world world = {.cpus = 2, .sample_ns = 10000, .dear_hz = 1000, .dear_ns = 30000};
  (void)state;
  begin(&world, 2, 4000, 30000);
  assert_int_equal(prof_budget_hz(&world.budget), 500);
  run(&world, 600);
  assert_in_range(world.rises, 3, 14); /* every 2 s it would be some 250 */
  assert_true(prof_budget_spent(&world.budget) < 0.02);
}

static void what_cannot_be_lowered_ends_at_the_lowest_rate(void **state) {
  struct world world = {.cpus = 1, .fixed_ns = 5e7, .sample_ns = 10000}; /* 5 % at any rate */
  (void)state;
  begin(&world, 2, 1000, 0);
  run(&world, 60);
  assert_int_equal(prof_budget_hz(&world.budget), 15);
  assert_int_equal(world.budget.step, world.budget.lowest);
  assert_int_equal(world.rises, 0);
}

static void an_idle_process_decides_nothing(void **state) {
  struct world world = {.cpus = 0.01, .fixed_ns = 5e6, .sample_ns = 10000};
  (void)state;
  begin(&world, 2, 4000, 0);
  run(&world, 60);
  assert_int_equal(world.changes, 0);
}

static void rounds_that_come_too_often_are_one(void **state) {
  struct prof_budget budget;
  struct prof_budget_mark now = {0};
  (void)state;
  prof_budget_init(&budget, 0.02, 4000, 0);
  for (int i = 0; i < 3000; i++) { /* 0.3 s in steps of 0.1 ms, 50 % cost */
    now.time_ns += SECOND / 10000;
    now.build_ns += SECOND / 10000;
    now.cost_ns += SECOND / 20000;
    assert_int_equal(prof_budget_step(&budget, &now), 4000);
  }
  assert_in_range(budget.mark_count, 3, 4);
}

static void the_price_is_the_middle_hole(void **state) {
  uint64_t holes[] = {9000, 700, 13000, 13100, 12900, 4000000, 13050, 12950, 90000, 13000, 12990};
  (void)state;
  assert_int_equal(prof_price_median(holes, sizeof holes / sizeof holes[0]), 13000);
  assert_int_equal(prof_price_median(holes, 8), 0);
}

static void a_record_counts_in_the_set_whose_turn_it_was(void **state) {
  struct prof_owners owners = {0};
  (void)state;
  for (int set = 0; set < 2; set++) {
    assert_int_equal(prof_owners_add_set(&owners, set), 0);
    assert_int_equal(prof_owners_add(&owners, set, 70 + (uint64_t)set, 100), 0);
    prof_owners_put(&owners, set, 100, true);
  }
  for (int turn = 0; turn < 3; turn++) { /* 0 from the start, 1 from 1000, 0 again from 2000 */
    assert_int_equal(prof_owners_reserve_turn(&owners), 0);
    prof_owners_turn(&owners, turn % 2, 1000u * (unsigned)turn);
  }
  assert_false(prof_owners_is_out_of_turn(&owners, 70, 999));
  assert_true(prof_owners_is_out_of_turn(&owners, 71, 999));
  assert_true(prof_owners_is_out_of_turn(&owners, 70, 1000));
  assert_false(prof_owners_is_out_of_turn(&owners, 71, 1999));
  assert_false(prof_owners_is_out_of_turn(&owners, 70, 2000));
  assert_true(prof_owners_is_out_of_turn(&owners, 71, 5000));
  assert_false(prof_owners_is_double(&owners, 70, 100));
  assert_false(prof_owners_is_double(&owners, 71, 101)); /* inherited, and its only one */
  prof_owners_put(&owners, 1, 101, true);
  assert_true(prof_owners_is_double(&owners, 71, 101));
  assert_false(prof_owners_is_double(&owners, 70, 101)); /* of the other set it has none */
  prof_owners_ended(&owners, 101);
  assert_false(prof_owners_is_double(&owners, 71, 101));
  /* Two events of one set inherited: one owner counts, on every CPU, until the id is another's. */
  assert_int_equal(prof_owners_add(&owners, 1, 81, 200), 0);
  assert_int_equal(prof_owners_add(&owners, 1, 82, 200), 0);
  assert_false(prof_owners_is_second(&owners, 71, 300, false)); /* its end: nothing is chosen */
  assert_false(prof_owners_is_second(&owners, 81, 300, true));
  assert_false(prof_owners_is_second(&owners, 82, 300, true));
  assert_true(prof_owners_is_second(&owners, 71, 300, true));
  assert_false(prof_owners_is_second(&owners, 70, 300, true)); /* the other set */
  prof_owners_born(&owners, 300);
  assert_false(prof_owners_is_second(&owners, 71, 300, true));
  assert_true(prof_owners_is_second(&owners, 81, 300, true));
  prof_owners_free(&owners);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(begins_at_the_rate_that_the_price_allows),
      cmocka_unit_test(falls_at_once_as_far_as_it_must_and_stays),
      cmocka_unit_test(rises_again_when_samples_get_cheaper),
      cmocka_unit_test(noise_does_not_move_it),
      cmocka_unit_test(a_rise_taken_back_makes_the_next_wait_longer),
      cmocka_unit_test(what_cannot_be_lowered_ends_at_the_lowest_rate),
      cmocka_unit_test(an_idle_process_decides_nothing),
      cmocka_unit_test(rounds_that_come_too_often_are_one),
      cmocka_unit_test(the_price_is_the_middle_hole),
      cmocka_unit_test(a_record_counts_in_the_set_whose_turn_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
