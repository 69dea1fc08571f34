/* resident: memory over time, thinned out where there is too much of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "session/resident.h"

static void memory_of_this_process_is_read_when_it_is_time(void **state) {
  struct prof_resident resident;
  (void)state;
  prof_resident_open(&resident, 1000);
  prof_resident_look(&resident, 5000);
  prof_resident_look(&resident, 5999);
  prof_resident_look(&resident, 6000);
  if (resident.file >= 0) {
    assert_int_equal(resident.count, 2);
    assert_true(resident.rows[0].bytes > 4096 && resident.rows[0].bytes % 4096 == 0);
    assert_int_equal(resident.rows[1].time_ns, 6000);
  }
  prof_resident_free(&resident);
  assert_null(resident.rows);
}

static void what_was_never_opened_reads_nothing(void **state) {
  struct prof_resident resident = {0};
  (void)state;
  prof_resident_look(&resident, 5000);
  assert_int_equal(resident.count, 0);
  prof_resident_free(&resident);
}

static void a_long_recording_keeps_every_second_point(void **state) {
  struct prof_resident resident;
  (void)state;
  prof_resident_open(&resident, 10);
  for (uint64_t i = 0; i < PROF_RESIDENT_MAX + 1; i++)
    prof_resident_add(&resident, 10 * (i + 1), i);
  assert_int_equal(resident.count, PROF_RESIDENT_MAX / 2 + 1);
  assert_int_equal(resident.every_ns, 20);
  assert_int_equal(resident.rows[1].bytes, 2);
  assert_int_equal(resident.rows[resident.count - 1].bytes, PROF_RESIDENT_MAX);
  prof_resident_free(&resident);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_of_this_process_is_read_when_it_is_time),
      cmocka_unit_test(what_was_never_opened_reads_nothing),
      cmocka_unit_test(a_long_recording_keeps_every_second_point),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
