/* stack/fair: which samples of a thread are walked, with invented time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/fair.h"

enum { SPARED_NS = 500 /* a sample without a walk */ };

struct outcome {
  uint64_t own_ns, handler_ns, walked, spared;
};

/* A thread that is sampled every period_ns of its time; what comes due in the handler comes right
 * behind it. */
static struct outcome run(uint64_t period_ns, uint64_t walk_ns, uint64_t samples) {
  struct prof_fair fair = {0};
  struct outcome out = {0};
  uint64_t now_ns = 1000000000;
  for (uint64_t i = 0; i < samples; i++) {
    uint64_t entered_ns = now_ns, took_ns = SPARED_NS;
    if (prof_fair_enter(&fair, now_ns)) {
      took_ns = walk_ns;
      out.walked++;
    } else {
      out.spared++;
    }
    now_ns += took_ns;
    prof_fair_leave(&fair, entered_ns, now_ns);
    uint64_t own_ns = took_ns < period_ns ? period_ns - took_ns : 100;
    now_ns += own_ns;
    out.own_ns += own_ns;
    out.handler_ns += took_ns;
  }
  return out;
}

static void usual_walks_are_all_made(void **state) {
  (void)state;
  assert_int_equal(run(250000, 3000, 100000).spared, 0);
  assert_int_equal(run(250000, 120000, 100000).spared, 0);
  assert_int_equal(run(50000, 20000, 100000).spared, 0);
}

static void walks_longer_than_the_period_leave_the_thread_half_of_its_time(void **state) {
  (void)state;
  static const uint64_t walks_ns[] = {60000, 100000, 400000, 900000};
  for (int i = 0; i < 4; i++) {
    struct outcome out = run(50000, walks_ns[i], 200000);
    double share = (double)out.handler_ns / (double)(out.handler_ns + out.own_ns);
    assert_true(out.walked > 0 && out.spared > 0);
    assert_true(share < 0.55);
    assert_true(share > 0.4); /* and it is sampled as much as that allows */
  }
}

static void walks_go_on_when_the_storm_is_over(void **state) {
  (void)state;
  struct prof_fair fair = {0};
  uint64_t now_ns = 1000000000;
  while (prof_fair_enter(&fair, now_ns)) {
    prof_fair_leave(&fair, now_ns, now_ns + 300000);
    now_ns += 300100;
  }
  assert_true(fair.debt_ns > PROF_FAIR_DEBT_NS);
  assert_false(prof_fair_enter(&fair, now_ns + PROF_FAIR_DEBT_NS / 2)); /* not half-paid */
  now_ns += 2 * PROF_FAIR_DEBT_NS;
  for (int i = 0; i < 1000; i++, now_ns += 250000) {
    assert_true(prof_fair_enter(&fair, now_ns));
    prof_fair_leave(&fair, now_ns, now_ns + 3000);
  }
}

/* Another program had the CPU for 20 ms while a walk was under way. */
static void a_handler_that_lost_its_cpu_is_no_storm(void **state) {
  (void)state;
  struct prof_fair fair = {0};
  uint64_t now_ns = 1000000000;
  for (int i = 0; i < 1000; i++, now_ns += 250000) {
    assert_true(prof_fair_enter(&fair, now_ns));
    uint64_t took_ns = i % 20 ? 3000 : 20000000;
    prof_fair_leave(&fair, now_ns, now_ns + took_ns);
    now_ns += took_ns;
  }
}

static void a_clock_that_goes_back_is_no_debt(void **state) {
  (void)state;
  struct prof_fair fair = {0};
  assert_true(prof_fair_enter(&fair, 5000));
  prof_fair_leave(&fair, 5000, 4000);
  assert_int_equal(fair.debt_ns, 0);
  assert_true(prof_fair_enter(&fair, 3000));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(usual_walks_are_all_made),
      cmocka_unit_test(walks_longer_than_the_period_leave_the_thread_half_of_its_time),
      cmocka_unit_test(walks_go_on_when_the_storm_is_over),
      cmocka_unit_test(a_handler_that_lost_its_cpu_is_no_storm),
      cmocka_unit_test(a_clock_that_goes_back_is_no_debt),
  };
  return cmocka_run_group_tests_name("fair", tests, NULL, NULL);
}
