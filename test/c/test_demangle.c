/* demangle, rustv0: linker names -> readable ones, and names that want to do harm */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "code_fixture.h"

#include "code/demangle.h"
#include "code/image.h"
#include "code/rustv0.h"
#include "code/symtab.h"

char *rust_demangle(const char *mangled, int options); /* libiberty: the oracle */

static void assert_name(const char *raw, const char *wanted, enum prof_language language) {
  char out[4096];
  enum prof_language found;
  size_t length = prof_demangle(raw, out, sizeof out, &found);
  assert_string_equal(out, wanted);
  assert_int_equal(length, strlen(wanted));
  assert_int_equal(found, language);
}

static void rust_names_come_without_hashes(void **state) {
  (void)state;
  assert_name("_RNvNtNtCs9uzw9QsjIPJ_15swc_ecma_parser6parser3jsx22get_qualified_jsx_name",
              "swc_ecma_parser::parser::jsx::get_qualified_jsx_name", PROF_LANGUAGE_RUST);
  assert_name("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad",
              PROF_LANGUAGE_RUST);
  assert_name("_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$9write_str17h"
              "0123456789abcdefE.llvm.123",
              "<alloc::string::String as core::fmt::Write>::write_str", PROF_LANGUAGE_RUST);
  assert_name("_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$9write_str17h"
              "0123456789abcdefE",
              "<alloc::string::String as core::fmt::Write>::write_str", PROF_LANGUAGE_RUST);
  assert_name("_RNvCs_1a1f.llvm.99460546375949884", "a::f", PROF_LANGUAGE_RUST);
}

static void cxx_names_come_without_parameters(void **state) {
  (void)state;
  assert_name("_ZN2v88internal7Factory9NewStringEPKcm", "v8::internal::Factory::NewString",
              PROF_LANGUAGE_CXX);
  assert_name("_ZN2v88internal7Factory9NewStringEPKcm.cold", "v8::internal::Factory::NewString",
              PROF_LANGUAGE_CXX);
  /* legacy Rust looks like C++; what lacks the hash is C++ */
  assert_name("_ZN4core3fmt9Formatter3padE", "core::fmt::Formatter::pad", PROF_LANGUAGE_CXX);
}

static void other_names_stay_as_they_are(void **state) {
  (void)state;
  assert_name("memcpy", "memcpy", PROF_LANGUAGE_OTHER);
  assert_name("mi_malloc.isra.0", "mi_malloc.isra.0", PROF_LANGUAGE_OTHER);
  assert_name("helper.llvm.12", "helper", PROF_LANGUAGE_OTHER);
  assert_name("", "", PROF_LANGUAGE_OTHER);
  assert_name("_R", "_R", PROF_LANGUAGE_OTHER);
  assert_name("_RNvCs_1a", "_RNvCs_1a", PROF_LANGUAGE_OTHER);
  assert_name("_Zxyz", "_Zxyz", PROF_LANGUAGE_OTHER);
}

static void base_length_cuts_split_parts(void **state) {
  (void)state;
  assert_int_equal(prof_demangle_base_length("f.cold"), 1);
  assert_int_equal(prof_demangle_base_length("f.cold.12"), 1);
  assert_int_equal(prof_demangle_base_length("f.llvm.77"), 1);
  assert_int_equal(prof_demangle_base_length("f.part.0"), 8);
  assert_int_equal(prof_demangle_base_length("f.isra.0.cold"), 8);
  assert_int_equal(prof_demangle_base_length(".cold"), 5);
  assert_int_equal(prof_demangle_base_length("abc123"), 6);
  assert_int_equal(prof_demangle_base_length(""), 0);
}

static void short_buffers_hold_the_beginning(void **state) {
  char out[5];
  (void)state;
  assert_int_equal(prof_demangle("_RNvCs_3abc3def", out, sizeof out, NULL), 8);
  assert_string_equal(out, "abc:");
  assert_int_equal(prof_demangle("xyz", out, 1, NULL), 3);
  assert_string_equal(out, "");
  assert_int_equal(prof_demangle("xyz", NULL, 0, NULL), 3);
}

/* Base 62 as the scheme has it: "_" is 0, "0_" 1. */
static void put_base62(char *out, uint64_t value) {
  static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  char reversed[16];
  size_t count = 0;
  if (value > 0)
    for (value--; count == 0 || value; value /= 62)
      reversed[count++] = digits[value % 62];
  while (count)
    *out++ = reversed[--count];
  *out++ = '_';
  *out = '\0';
}

static void names_that_double_at_each_level_are_refused(void **state) {
  char raw[4096] = "_RIC1aTuuE", out[8192];
  struct prof_rust_walk walk;
  size_t last = 4; /* of the tuple before, counted from after "_R" */
  clock_t before;
  (void)state;
  assert_true(prof_rustv0_walk("_RIC1aTuuETB4_B4_EE", &walk));
  for (int level = 0; level < 60; level++) {
    char reference[20];
    size_t here = strlen(raw) - 2;
    put_base62(reference, last);
    sprintf(raw + strlen(raw), "TB%sB%sE", reference, reference);
    last = here;
  }
  strcat(raw, "E");
  before = clock();
  assert_false(prof_rustv0_walk(raw, &walk));
  assert_int_equal(prof_demangle(raw, out, sizeof out, NULL), strlen(raw));
  assert_string_equal(out, raw);
  assert_true(clock() - before < CLOCKS_PER_SEC / 2);
}

static void deep_and_circular_names_are_refused(void **state) {
  static char raw[70000];
  struct prof_rust_walk walk;
  (void)state;
  assert_false(prof_rustv0_walk("_RNvB_1a", &walk)); /* refers to itself */
  assert_false(prof_rustv0_walk("_RNvBzzzzzzzzzzzzzzzzzzzz_1a", &walk));
  assert_false(prof_rustv0_walk("_RNvC9999999999999999999999a1b", &walk));
  strcpy(raw, "_RIC1a");
  memset(raw + 6, 'R', 60000);
  strcpy(raw + 60006, "uE");
  assert_false(prof_rustv0_walk(raw, &walk));
  memset(raw, 'x', sizeof raw - 1);
  assert_int_equal(prof_demangle(raw, NULL, 0, NULL), PROF_SYMBOL_NAME_MAX);
}

static void random_changes_never_crash(void **state) {
  static const char *const seeds[] = {
      "_RINvMs_NtCs4eo2K3uSu93_5alloc3vecINtB5_3VecNtNtCs9WfV6FZjW2x_12lightningcss11media_"
      "query14MediaConditionE10retain_mutNCNvBH_17process_condition0EBJ_",
      "_RNvYNtNtCs76x08wSL50c_7plugins4path3FooDNtNtB4_3bar3BazpINtB7_4itemhEL_EFKCRL0_hPmEb",
      "_RINvC1a1bKj1f_KVNtB4_1sS1xKh2a_1yKb0_EE",
      "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$9write_str17h"
      "0123456789abcdefE"};
  uint64_t random = 1;
  (void)state;
  for (int round = 0; round < 40000; round++) {
    char raw[512], out[2048];
    const char *seed = seeds[(size_t)round % 4];
    size_t length = strlen(seed);
    strcpy(raw, seed);
    for (uint32_t changes = 1 + fixture_random(&random) % 4; changes; changes--)
      raw[2 + fixture_random(&random) % (length - 2)] = (char)(32 + fixture_random(&random) % 95);
    raw[length - fixture_random(&random) % 8] = '\0';
    prof_demangle(raw, out, sizeof out, NULL);
  }
}

/* Every v0 name of the rspack binding: we accept exactly what libiberty can print. */
static void all_names_of_the_binding_agree_with_libiberty(void **state) {
  struct prof_symtab table;
  struct prof_image image;
  size_t names = 0, wrong = 0;
  static char raw[PROF_SYMBOL_NAME_MAX];
  (void)state;
  if (prof_image_open_file(&image, DEBUG_BINDING)) {
    print_message("skipped: no @rspack-debug binding is installed\n");
    skip();
  }
  assert_int_equal(prof_symtab_load(&table, &image, NULL), 0);
  for (size_t i = 0; i < table.count; i++) {
    struct prof_rust_walk walk;
    char *readable;
    assert_true(prof_symtab_name(&table, i, raw, sizeof raw) > 0);
    if (strncmp(raw, "_R", 2) != 0)
      continue;
    readable = rust_demangle(raw, 0);
    if (prof_rustv0_walk(raw, &walk) != (readable != NULL))
      wrong++;
    free(readable);
    names++;
  }
  assert_true(names > 100000);
  assert_int_equal(wrong, 0);
  prof_symtab_free(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rust_names_come_without_hashes),
      cmocka_unit_test(cxx_names_come_without_parameters),
      cmocka_unit_test(other_names_stay_as_they_are),
      cmocka_unit_test(base_length_cuts_split_parts),
      cmocka_unit_test(short_buffers_hold_the_beginning),
      cmocka_unit_test(names_that_double_at_each_level_are_refused),
      cmocka_unit_test(deep_and_circular_names_are_refused),
      cmocka_unit_test(random_changes_never_crash),
      cmocka_unit_test(all_names_of_the_binding_agree_with_libiberty),
  };
  return cmocka_run_group_tests_name("demangle", tests, NULL, NULL);
}
