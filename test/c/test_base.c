/* base: arena, array, table, search, text, file, object, status */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/file.h"
#include "base/object.h"
#include "base/search.h"
#include "base/status.h"
#include "base/table.h"
#include "base/text.h"

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

static void texts_have_a_hash_of_all_their_bytes(void **state) {
  (void)state;
  assert_int_equal(prof_hash_text(1, "ab"), prof_hash_text(1, "ab"));
  assert_int_not_equal(prof_hash_text(1, "ab"), prof_hash_text(1, "ba"));
  assert_int_not_equal(prof_hash_text(1, "ab"), prof_hash_text(2, "ab"));
  assert_int_not_equal(prof_hash_text(1, ""), 1);
  assert_int_equal(prof_hash_text(1, NULL), prof_hash_text(1, ""));
}

static void rows_are_found_by_what_they_begin_with(void **state) {
  const struct {
    uint64_t start;
    char other[3];
  } rows[] = {{10, "a"}, {20, "b"}, {20, "c"}, {UINT64_MAX, "d"}};
  (void)state;
  assert_int_equal(prof_search(rows, 0, sizeof *rows, 10), 0);
  assert_int_equal(prof_search(rows, 4, sizeof *rows, 9), 0);
  assert_int_equal(prof_search(rows, 4, sizeof *rows, 10), 1);
  assert_int_equal(prof_search(rows, 4, sizeof *rows, 19), 1);
  assert_int_equal(prof_search(rows, 4, sizeof *rows, 20), 3);
  assert_int_equal(prof_search(rows, 4, sizeof *rows, UINT64_MAX - 1), 3);
  assert_int_equal(prof_search(rows, 4, sizeof *rows, UINT64_MAX), 4);
  assert_int_equal(prof_search(rows, 3, sizeof *rows, UINT64_MAX), 3);
}

static void pieces_of_text_end_where_they_end(void **state) {
  const struct prof_text text = {"prefixed", 6}, none = {0};
  const char *const words[] = {"other", "prefix"};
  (void)state;
  assert_true(prof_text_starts(text, "pre"));
  assert_true(prof_text_starts(text, ""));
  assert_false(prof_text_starts(text, "prefixe"));
  assert_true(prof_text_is(text, "prefix"));
  assert_false(prof_text_is(text, "pre"));
  assert_true(prof_text_is(prof_text_skip(text, 3), "fix"));
  assert_true(prof_text_among(text, words, 2));
  assert_false(prof_text_among(text, words, 1));
  assert_true(prof_text_same(text, (struct prof_text){"prefix", 6}));
  assert_false(prof_text_same(none, none));
  assert_false(prof_text_is(none, "a"));
}

static void digits_of_hex_are_of_either_case(void **state) {
  const char digits[] = "0123456789abcdefABCDEF";
  (void)state;
  for (int i = 0; i < 22; i++)
    assert_int_equal(prof_hex_digit(digits[i]), i < 16 ? i : i - 6);
  for (int c = -128; c < 128; c++)
    if (c <= 0 || !strchr(digits, c))
      assert_int_equal(prof_hex_digit((char)c), -1);
}

static void a_file_is_read_as_far_as_it_goes(void **state) {
  char bytes[8] = "........";
  int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  (void)state;
  assert_true(fd >= 0);
  uint64_t end = (uint64_t)lseek(fd, 0, SEEK_END);
  assert_int_equal(prof_file_read_at(fd, bytes, 4, 0), 4);
  assert_memory_equal(bytes, "\177ELF....", 8);
  assert_int_equal(prof_file_read_at(fd, bytes, 8, end - 3), 3);
  assert_int_equal(prof_file_read_at(fd, bytes, 8, end), 0);
  close(fd);
  assert_int_equal(prof_file_read_at(-1, bytes, 8, 0), 0);
}

static void objects_are_found_by_an_address_in_them(void **state) {
  static int variable = 1;
  struct prof_object here, program, other = {1, 2};
  (void)state;
  assert_true(prof_object_at((uintptr_t)&objects_are_found_by_an_address_in_them, &here));
  assert_true(prof_object_holds(&here, (uintptr_t)&variable));
  assert_false(prof_object_holds(&here, here.end));
  assert_true(prof_object_at(getauxval(AT_ENTRY), &program));
  assert_int_equal(program.start, here.start);
  assert_false(prof_object_at(1, &other));
  assert_int_equal(other.end, 2); /* as it was */
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
      cmocka_unit_test(texts_have_a_hash_of_all_their_bytes),
      cmocka_unit_test(rows_are_found_by_what_they_begin_with),
      cmocka_unit_test(pieces_of_text_end_where_they_end),
      cmocka_unit_test(digits_of_hex_are_of_either_case),
      cmocka_unit_test(a_file_is_read_as_far_as_it_goes),
      cmocka_unit_test(objects_are_found_by_an_address_in_them),
      cmocka_unit_test(errors_carry_code_errno_and_message),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
