/* funcs: the functions of a file and where a probe goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/status.h"
#include "code/funcs.h"

int prof_test_marked_function(int x);
__attribute__((noinline)) int prof_test_marked_function(int x) {
  return x * 3;
}

static void test_functions_of_this_program_have_their_bytes_at_the_offset(void **state) {
  struct prof_funcs *funcs;
  struct prof_func func;
  struct prof_error error;
  unsigned char bytes[4], code[4];
  uint64_t last = 0, start, size;
  size_t seen = 0;
  (void)state;
  assert_int_equal(prof_funcs_open("/proc/self/exe", &funcs, &error), 0);
  assert_true(prof_funcs_find(funcs, "prof_test_marked_function", &func));
  assert_string_equal(func.name, "prof_test_marked_function");
  FILE *file = fopen("/proc/self/exe", "rb");
  assert_non_null(file);
  fseek(file, (long)func.offset, SEEK_SET);
  assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
  fclose(file);
  assert_memory_equal(bytes, (const void *)(uintptr_t)prof_test_marked_function, sizeof bytes);
  assert_int_equal(prof_funcs_code(funcs, func.address, code, sizeof code), 0);
  assert_memory_equal(bytes, code, sizeof bytes);
  assert_true(prof_funcs_holding(funcs, func.address + 1, &start, &size));
  assert_int_equal(start, func.address);
  assert_false(prof_funcs_find(funcs, "no_such_function", &func));
  for (size_t i = 0; i < prof_funcs_count(funcs); i++) {
    if (!prof_funcs_at(funcs, i, &func))
      continue;
    assert_true(func.address > last);
    last = func.address;
    seen++;
  }
  assert_true(seen > 5);
  prof_funcs_close(funcs);
  assert_int_equal(prof_funcs_open("/etc/passwd", &funcs, &error), PROF_BAD_FILE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_functions_of_this_program_have_their_bytes_at_the_offset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
