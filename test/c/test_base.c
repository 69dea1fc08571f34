/* base: arena, array, table, status */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/status.h"
#include "base/table.h"

static void arena_pieces_do_not_overlap(void **state) {
  struct prof_arena arena;
  unsigned char *pieces[2000];
  (void)state;
  prof_arena_init(&arena, 0);
  for (int i = 0; i < 2000; i++) {
    pieces[i] = prof_arena_alloc(&arena, (size_t)i + 1);
    assert_non_null(pieces[i]);
    assert_int_equal((uintptr_t)pieces[i] % 16, 0);
    memset(pieces[i], i & 0xff, (size_t)i + 1);
  }
  for (int i = 0; i < 2000; i++)
    for (int j = 0; j <= i; j++)
      assert_int_equal(pieces[i][j], i & 0xff);
  prof_arena_free(&arena);
}

static void arena_keeps_its_limit(void **state) {
  struct prof_arena arena;
  int got = 0;
  (void)state;
  prof_arena_init(&arena, 1024 * 1024);
  while (prof_arena_alloc(&arena, 100 * 1024))
    got++;
  assert_in_range(got, 1, 10);
  assert_true(arena.total_bytes <= 1024 * 1024);
  assert_null(prof_arena_alloc(&arena, (size_t)-1));
  assert_null(prof_arena_copy_text(&arena, "x", (size_t)-1));
  prof_arena_free(&arena);
}

static void array_grows_and_refuses_overflow(void **state) {
  uint64_t *rows = NULL;
  size_t capacity = 0;
  (void)state;
  for (size_t i = 0; i < 10000; i++) {
    assert_int_equal(prof_array_reserve((void **)&rows, &capacity, i + 1, sizeof *rows), 0);
    rows[i] = i * 3;
  }
  for (size_t i = 0; i < 10000; i++)
    assert_int_equal(rows[i], i * 3);
  assert_int_equal(prof_array_reserve((void **)&rows, &capacity, (size_t)-1 / 4, sizeof *rows), -1);
  assert_int_equal(rows[9999], 9999 * 3);
  free(rows);
}

static void table_holds_what_was_put(void **state) {
  struct prof_table table = {0};
  (void)state;
  assert_int_equal(prof_table_get(&table, 0), PROF_TABLE_NONE);
  for (uint64_t i = 0; i < 50000; i++)
    assert_int_equal(prof_table_put(&table, i << 32, (uint32_t)i), 0);
  assert_int_equal(prof_table_put(&table, 7ull << 32, 1234), 0);
  assert_int_equal(table.count, 50000);
  for (uint64_t i = 0; i < 50000; i++)
    assert_int_equal(prof_table_get(&table, i << 32), i == 7 ? 1234 : i);
  assert_int_equal(prof_table_get(&table, 1), PROF_TABLE_NONE);
  prof_table_free(&table);
}

static void errors_carry_code_errno_and_message(void **state) {
  struct prof_error error;
  (void)state;
  assert_int_equal(prof_error_set(&error, PROF_PERMISSION, 13, "perf_event_open", "no %s", "way"),
                   PROF_PERMISSION);
  assert_string_equal(prof_status_code(error.status), "ERR_PROF_PERMISSION");
  assert_int_equal(error.sys_errno, 13);
  assert_string_equal(error.message, "no way");
  assert_int_equal(prof_error_set(NULL, PROF_BUSY, 0, NULL, "x"), PROF_BUSY);
  assert_string_equal(prof_status_code(-999), "ERR_PROF_SYSTEM");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arena_pieces_do_not_overlap),
      cmocka_unit_test(arena_keeps_its_limit),
      cmocka_unit_test(array_grows_and_refuses_overflow),
      cmocka_unit_test(table_holds_what_was_put),
      cmocka_unit_test(errors_carry_code_errno_and_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
