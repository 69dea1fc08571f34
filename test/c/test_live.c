/* heap: the distances between samples, and the table of what lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "heap/distance.h"
#include "heap/live.h"

/* --- distances --- */

static void distances_are_exponential(void **state) {
  uint64_t random = 1;
  double sum = 0, below = 0;
  enum { DRAWS = 200000, MEAN = 1000 };
  (void)state;
  for (int i = 0; i < DRAWS; i++) {
    int64_t distance = prof_distance_draw(&random, MEAN);
    assert_true(distance >= 1);
    sum += (double)distance;
    below += distance <= MEAN;
  }
  /* Six sigma of either; the seed is always the same. */
  assert_true(fabs(sum / DRAWS - MEAN) < 6 * MEAN / sqrt(DRAWS));
  assert_true(fabs(below / DRAWS - (1 - exp(-1))) < 6 * 0.5 / sqrt(DRAWS));
}

static void logarithms_are_right_to_their_ends(void **state) {
  const uint64_t numbers[] = {0, 1, 2, 1u << 20, UINT64_MAX / 3, UINT64_MAX / 2, UINT64_MAX - 1};
  (void)state;
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    double u = ((double)numbers[i] + 1) * 0x1p-64;
    assert_true(fabs(prof_distance_exponential(numbers[i]) + log(u)) < 1e-6);
  }
  assert_true(prof_distance_exponential(UINT64_MAX) == 0);
}

/* --- live --- */

static void what_was_put_is_taken_once(void **state) {
  struct prof_live *live = prof_live_create();
  (void)state;
  assert_non_null(live);
  for (uint64_t i = 1; i <= 10000; i++)
    assert_int_equal(prof_live_put(live, i * 48, i), 0);
  for (uint64_t i = 1; i <= 10000; i++) {
    assert_true(prof_live_may_hold(live, i * 48));
    assert_int_equal(prof_live_take(live, i * 48 + 16), 0);
    assert_int_equal(prof_live_take(live, i * 48), i);
    assert_int_equal(prof_live_take(live, i * 48), 0);
  }
  for (uint64_t i = 1; i <= 10000; i++)
    assert_false(prof_live_may_hold(live, i * 48));
}

static void a_full_table_refuses_and_loses_nothing(void **state) {
  struct prof_live *live = prof_live_create();
  uint64_t put = 0, taken = 0, most = 2 * PROF_LIVE_MAX;
  (void)state;
  assert_non_null(live);
  for (uint64_t i = 1; i <= most; i++)
    put += prof_live_put(live, i * 16, i) == 0;
  assert_true(put > PROF_LIVE_MAX / 2 && put <= PROF_LIVE_MAX);
  for (uint64_t i = 1; i <= most; i++) {
    uint64_t number = prof_live_take(live, i * 16);
    assert_true(number == 0 || number == i);
    taken += number != 0;
  }
  assert_int_equal(taken, put);
  prof_live_put(live, 64, 1);
  prof_live_reset(live);
  assert_int_equal(prof_live_take(live, 64), 0);
}

static struct prof_live *shared;

/* Each thread has addresses of its own, and lines in common with the others. */
static void *put_and_take(void *user) {
  uint64_t own = (uint64_t)(uintptr_t)user, wrong = 0;
  for (uint64_t round = 1; round <= 2000; round++) {
    for (uint64_t i = 0; i < 50; i++)
      wrong += prof_live_put(shared, (i * 8 + own) * 16, round * 100 + i) != 0;
    for (uint64_t i = 0; i < 50; i++)
      wrong += prof_live_take(shared, (i * 8 + own) * 16) != round * 100 + i;
  }
  return (void *)(uintptr_t)wrong;
}

static void threads_put_and_take_at_the_same_time(void **state) {
  pthread_t threads[8];
  (void)state;
  shared = prof_live_create();
  assert_non_null(shared);
  for (uint64_t i = 0; i < 8; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, put_and_take, (void *)(uintptr_t)(i + 1)),
                     0);
  for (int i = 0; i < 8; i++) {
    void *wrong;
    pthread_join(threads[i], &wrong);
    assert_null(wrong);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(distances_are_exponential),
      cmocka_unit_test(logarithms_are_right_to_their_ends),
      cmocka_unit_test(what_was_put_is_taken_once),
      cmocka_unit_test(a_full_table_refuses_and_loses_nothing),
      cmocka_unit_test(threads_put_and_take_at_the_same_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
