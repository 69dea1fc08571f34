/* uprobe: the attr of a probe; funcs: the functions of a file and where a probe goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "code/funcs.h"
#include "perf/uprobe.h"

struct files {
  const char *type, *retprobe;
};

static int read_file(void *user, const char *path, char *text, size_t size) {
  const struct files *files = user;
  const char *found = strstr(path, "retprobe") ? files->retprobe : files->type;
  if (!found)
    return -ENOENT;
  return snprintf(text, size, "%s", found);
}

static void test_a_probe_is_type_path_and_offset(void **state) {
  struct files files = {"8\n", "config:3\n"};
  struct prof_os os = {.user = &files, .read_file = read_file};
  struct perf_event_attr attr = {.sample_period = 1};
  struct prof_uprobe probe = {.path = "/bin/x", .offset = 0x1234};
  struct prof_error error;
  (void)state;
  assert_int_equal(prof_uprobe_fill(&os, &probe, &attr, &error), 0);
  assert_int_equal(attr.type, 8);
  assert_int_equal(attr.config, 0);
  assert_ptr_equal((void *)(uintptr_t)attr.config1, probe.path);
  assert_int_equal(attr.config2, 0x1234);
  assert_int_equal(attr.sample_period, 1);
  probe.is_return = true;
  assert_int_equal(prof_uprobe_fill(&os, &probe, &attr, &error), 0);
  assert_int_equal(attr.config, 8);
}

static void test_a_kernel_without_uprobes_and_a_refusal_are_told_apart(void **state) {
  struct files files = {NULL, NULL};
  struct prof_os os = {.user = &files, .read_file = read_file};
  struct perf_event_attr attr = {0};
  struct prof_uprobe probe = {.path = "/bin/x"};
  struct prof_error error;
  (void)state;
  assert_int_equal(prof_uprobe_fill(&os, &probe, &attr, &error), PROF_UNSUPPORTED_PLATFORM);
  assert_int_equal(prof_uprobe_refused(&probe, -EACCES, &error), PROF_PERMISSION);
  assert_non_null(strstr(error.message, "sudo"));
  assert_int_equal(prof_uprobe_refused(&probe, -ENOENT, &error), PROF_BAD_FILE);
}

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
      cmocka_unit_test(test_a_probe_is_type_path_and_offset),
      cmocka_unit_test(test_a_kernel_without_uprobes_and_a_refusal_are_told_apart),
      cmocka_unit_test(test_functions_of_this_program_have_their_bytes_at_the_offset),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
