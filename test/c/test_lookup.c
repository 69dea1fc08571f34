/* lookup: addresses of a file that nothing has mapped -> functions, against nm */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "code_fixture.h"

#include "base/status.h"
#include "code/lookup.h"
#include "code/module.h"
#include "code/symbol.h"

/* Two functions in a section of their own, which the linker puts where we say. */
static const char SOURCE[] =
    "__attribute__((noinline, section(\".far\"))) int far_one(int n) {\n"
    "  for (int i = 0; i < n; i++) __asm__ volatile(\"nop\");\n"
    "  return n;\n"
    "}\n"
    "__attribute__((noinline)) int near_one(int n) { return far_one(n) + 1; }\n"
    "int main(int argc, char **argv) { (void)argv; return near_one(argc); }\n";

static const char *build(const char *name, const char *flags) {
  const char *source = fixture_write("lookup.c", SOURCE);
  const char *path = fixture_path(name);
  assert_int_equal(fixture_run("cc -O1 %s -o '%s' '%s'", flags, path, source), 0);
  return path;
}

/* As nm tells it; its size with nm -S. */
static uint64_t nm(const char *path, const char *symbol, uint64_t *bytes) {
  char command[512], line[256];
  uint64_t address = 0;
  snprintf(command, sizeof command, "nm -S '%s' | grep ' %s$'", path, symbol);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  assert_non_null(fgets(line, sizeof line, pipe));
  pclose(pipe);
  char *end;
  address = strtoull(line, &end, 16);
  *bytes = strtoull(end, NULL, 16);
  assert_true(address > 0 && *bytes > 0);
  return address;
}

static struct prof_lookup *open_file(const char *path) {
  struct prof_error error = {0};
  struct prof_lookup *lookup = prof_lookup_open(path, &error);
  if (!lookup)
    print_error("%s\n", error.message);
  assert_non_null(lookup);
  return lookup;
}

/* Each byte of a function has its name, the bytes beside it have not. */
static void names_whole(struct prof_lookup *lookup, const char *path, const char *symbol) {
  struct prof_named named;
  uint64_t bytes, address = nm(path, symbol, &bytes);
  for (uint64_t i = 0; i < bytes; i++) {
    assert_true(prof_lookup_name(lookup, address + i, &named));
    assert_string_equal(named.symbol, symbol);
  }
  assert_false(prof_lookup_name(lookup, address - 1, &named) && strcmp(named.symbol, symbol) == 0);
  assert_false(prof_lookup_name(lookup, address + bytes, &named) &&
               strcmp(named.symbol, symbol) == 0);
}

static void test_every_byte_of_a_function_has_its_name(void **state) {
  (void)state;
  const char *path = build("pie", "");
  struct prof_lookup *lookup = open_file(path);
  names_whole(lookup, path, "near_one");
  names_whole(lookup, path, "far_one");
  prof_lookup_close(lookup);
}

/* Address and place in the file differ, by another amount in each of two executable segments. */
static void test_segments_are_at_their_addresses_not_at_their_offsets(void **state) {
  (void)state;
  const char *path = build("fixed", "-no-pie -Wl,--section-start=.far=0x54321230");
  struct prof_lookup *lookup = open_file(path);
  uint64_t bytes;
  assert_int_equal(nm(path, "far_one", &bytes), 0x54321230);
  names_whole(lookup, path, "far_one");
  names_whole(lookup, path, "near_one");
  prof_lookup_close(lookup);
}

static void test_the_module_is_the_file(void **state) {
  (void)state;
  const char *path = build("ided", "-Wl,--build-id=0x1234abcd");
  struct prof_lookup *lookup = open_file(path);
  const struct prof_module *module = prof_lookup_module(lookup);
  assert_string_equal(module->path, path);
  assert_string_equal(module->build_id, "1234abcd");
  prof_lookup_close(lookup);
}

static void test_what_has_no_symbol_has_no_name(void **state) {
  (void)state;
  const char *path = build("named", "-Wl,--build-id=none");
  const char *bare = fixture_path("bare");
  uint64_t bytes, address = nm(path, "near_one", &bytes);
  struct prof_named named;
  assert_int_equal(fixture_run("strip -o '%s' '%s'", bare, path), 0);
  struct prof_lookup *lookup = open_file(bare);
  assert_false(prof_lookup_name(lookup, address, &named));
  prof_lookup_close(lookup);
  lookup = open_file(path);
  static const uint64_t NOWHERE[] = {0, 1, 0xfffffffff, 0x100000000000, UINT64_MAX};
  for (size_t i = 0; i < sizeof NOWHERE / sizeof *NOWHERE; i++)
    assert_false(prof_lookup_name(lookup, NOWHERE[i], &named));
  prof_lookup_close(lookup);
}

static void refuses(const char *path, const char *why) {
  struct prof_error error = {0};
  assert_null(prof_lookup_open(path, &error));
  assert_int_equal(error.status, PROF_BAD_FILE);
  if (!strstr(error.message, why))
    fail_msg("%s: %s", path, error.message);
}

static void test_what_is_no_program_is_refused(void **state) {
  (void)state;
  refuses(fixture_path("missing"), "no ELF file");
  refuses(fixture_write("text", "hello\n"), "no ELF file");
  refuses(fixture_write("magic", "\177ELF\2\1\1"), "no ELF file");
  refuses(fixture_folder, "no ELF file");
  refuses(build("object", "-c"), "no ELF file");
  const char *source = fixture_write("data.c", "int data = 1;\n");
  const char *data = fixture_path("data.so");
  assert_int_equal(
      fixture_run("cc -shared -nostdlib -Wl,-z,separate-code -o '%s' '%s'", data, source), 0);
  refuses(data, "no executable segment");
  prof_lookup_close(NULL);
}

int main(void) {
  if (!fixture_has("cc") || !fixture_has("nm") || !fixture_has("strip")) {
    printf("SKIPPED: cc, nm and strip are needed\n");
    return 0;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_byte_of_a_function_has_its_name),
      cmocka_unit_test(test_segments_are_at_their_addresses_not_at_their_offsets),
      cmocka_unit_test(test_the_module_is_the_file),
      cmocka_unit_test(test_what_has_no_symbol_has_no_name),
      cmocka_unit_test(test_what_is_no_program_is_refused),
  };
  return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
