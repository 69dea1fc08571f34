/* kernel: kallsyms text -> names */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "code_fixture.h"

#include "code/kernel.h"

static struct prof_kernel *kernel_of(const char *text) {
  struct prof_kernel *kernel = prof_kernel_create(fixture_write("kallsyms", text));
  assert_non_null(kernel);
  return kernel;
}

static void assert_found(struct prof_kernel *kernel, uint64_t address, const char *name,
                         const char *module) {
  struct prof_kernel_symbol symbol;
  assert_int_equal(prof_kernel_find(kernel, address, &symbol), name != NULL);
  if (!name)
    return;
  assert_string_equal(symbol.name, name);
  if (module)
    assert_string_equal(symbol.module, module);
  else
    assert_null(symbol.module);
}

static void text_symbols_are_found_by_address(void **state) {
  struct prof_kernel *kernel = kernel_of("ffffffff81000000 T _stext\n"
                                         "ffffffff81000000 T startup_64\n"
                                         "ffffffff81000040 t helper\n"
                                         "ffffffff81000080 D some_data\n"
                                         "ffffffff81000100 W weak_one\n"
                                         "ffffffff81000100 T strong\n"
                                         "ffffffff81000200 t local_longer_name\n"
                                         "ffffffff81000200 T global\n"
                                         "ffffffffc0002000 t second\t[veth]\n"
                                         "ffffffffc0001000 t first\t[veth]\n"
                                         "ffffffffc0003000 t bpf_prog_1\t[bpf]");
  struct prof_kernel_symbol a, b;
  (void)state;
  assert_null(prof_kernel_note(kernel));
  assert_int_equal(prof_kernel_count(kernel), 10);
  assert_found(kernel, 0xffffffff80ffffff, NULL, NULL);
  assert_found(kernel, 0xffffffff81000000, "startup_64", NULL); /* fewer underscores */
  assert_found(kernel, 0xffffffff8100003f, "startup_64", NULL);
  assert_found(kernel, 0xffffffff81000040, "helper", NULL);
  assert_found(kernel, 0xffffffff81000090, "helper", NULL);
  assert_found(kernel, 0xffffffff81000150, "strong", NULL);
  assert_found(kernel, 0xffffffff81000200, "global", NULL);
  assert_found(kernel, 0xffffffff91000200, NULL, NULL); /* between the kernel and its modules */
  assert_found(kernel, 0xffffffffc0001fff, "first", "veth");
  assert_found(kernel, 0xffffffffc0002000, "second", "veth");
  assert_found(kernel, 0xffffffffc0003000 + 4095, "bpf_prog_1", "bpf");
  assert_found(kernel, 0xffffffffc0003000 + 4096, NULL, NULL);
  assert_true(prof_kernel_find(kernel, 0xffffffff81000000, &a));
  assert_true(prof_kernel_find(kernel, 0xffffffff81000010, &b));
  assert_true(a.start == b.start);
  prof_kernel_free(kernel);
}

static void hidden_addresses_are_said(void **state) {
  struct prof_kernel *kernel = kernel_of("0000000000000000 T _stext\n0000000000000000 t helper\n");
  (void)state;
  assert_non_null(strstr(prof_kernel_note(kernel), "kptr_restrict"));
  assert_found(kernel, 0xffffffff81000000, NULL, NULL);
  prof_kernel_free(kernel);
}

static void a_missing_file_is_said(void **state) {
  struct prof_kernel *kernel = prof_kernel_create("/nonexistent/kallsyms");
  (void)state;
  assert_non_null(prof_kernel_note(kernel));
  prof_kernel_free(kernel);
}

static void malformed_lines_are_left_out(void **state) {
  struct prof_kernel *kernel = kernel_of("\n\nffffffff81000000\nffffffff81000000 T\nxyz T a\n"
                                         "ffffffff81000010 T \nffffffff81000020 T $x\n"
                                         "ffffffff81000030 T fine\t[\n\t\nffffffff81000040 Tx y\n");
  (void)state;
  assert_int_equal(prof_kernel_count(kernel), 1);
  assert_found(kernel, 0xffffffff81000030, "fine", "");
  prof_kernel_free(kernel);
}

/* Longer than many buffers, cut at every possible place of a line, read by small slices. */
static void slices_give_the_same_names(void **state) {
  enum { COUNT = 20000, LINE = 64 };
  char *text = malloc(COUNT * LINE), name[32];
  struct prof_kernel *kernel;
  size_t at = 0, slices = 0;
  (void)state;
  for (int i = 0; i < COUNT; i++)
    at += (size_t)sprintf(text + at, "%llx %c f%d%s\n", 0xffffffff81000000ull + (unsigned)i * 16,
                          i % 3 ? 't' : 'T', i, i % 7 == 3 ? "\t[mod]" : "");
  kernel = kernel_of(text);
  assert_null(prof_kernel_note(kernel));
  while (prof_kernel_read(kernel, 1000))
    slices++;
  assert_true(slices > 3);
  assert_int_equal(prof_kernel_count(kernel), COUNT);
  for (int i = 0; i < COUNT; i++) {
    sprintf(name, "f%d", i);
    assert_found(kernel, 0xffffffff81000000ull + (unsigned)i * 16 + 15, name,
                 i % 7 == 3 ? "mod" : NULL);
  }
  prof_kernel_free(kernel);
  free(text);
}

static void a_line_without_an_end_is_passed_over(void **state) {
  enum { BYTES = 200000 };
  static const char after[] = "\nffffffff81000010 T fine\n";
  char *text = malloc(BYTES + sizeof after);
  struct prof_kernel *kernel;
  (void)state;
  memset(text, 'f', BYTES);
  strcpy(text + BYTES, after);
  kernel = kernel_of(text);
  assert_int_equal(prof_kernel_count(kernel), 1);
  assert_found(kernel, 0xffffffff81000010, "fine", NULL);
  prof_kernel_free(kernel);
  free(text);
}

static void this_kernel_is_read(void **state) {
  struct prof_kernel *kernel = prof_kernel_create(NULL);
  struct prof_kernel_symbol symbol;
  unsigned long long address;
  char line[512], name[256], type;
  int checked = 0;
  FILE *file;
  (void)state;
  if (prof_kernel_note(kernel)) {
    print_message("skipped: %s\n", prof_kernel_note(kernel));
    prof_kernel_free(kernel);
    skip();
  }
  assert_true(prof_kernel_count(kernel) > 10000);
  file = fopen("/proc/kallsyms", "r");
  assert_non_null(file);
  for (int i = 0; fgets(line, sizeof line, file); i++)
    if (i % 500 == 0 && sscanf(line, "%llx %c %255s", &address, &type, name) == 3 &&
        strchr("tT", type) && name[0] != '$') {
      assert_true(prof_kernel_find(kernel, address, &symbol));
      assert_int_equal(symbol.start, address); /* the name may be an alias's */
      checked++;
    }
  fclose(file);
  assert_true(checked > 50);
  prof_kernel_free(kernel);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_symbols_are_found_by_address),
      cmocka_unit_test(hidden_addresses_are_said),
      cmocka_unit_test(a_missing_file_is_said),
      cmocka_unit_test(malformed_lines_are_left_out),
      cmocka_unit_test(slices_give_the_same_names),
      cmocka_unit_test(a_line_without_an_end_is_passed_over),
      cmocka_unit_test(this_kernel_is_read),
  };
  return cmocka_run_group_tests_name("kernel", tests, fixture_setup, fixture_teardown);
}
