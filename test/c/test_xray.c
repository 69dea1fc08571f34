/* xray_map, xray_code: sleds and what is written over them, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "trace/xray_code.h"
#include "trace/xray_map.h"

/* As clang 14 wrote it for two functions, 0x1000 and 0x1020, the section at 0x209c. */
static void entry(unsigned char *at, uint64_t place, uint64_t sled, uint64_t function, uint8_t kind,
                  uint8_t version) {
  uint64_t offsets[2] = {sled - place, function - (place + 8)};
  memset(at, 0, 32);
  memcpy(at, offsets, sizeof offsets);
  at[16] = kind;
  at[17] = 1;
  at[18] = version;
}

static void test_entries_count_from_their_own_places(void **state) {
  unsigned char section[5 * 32 + 7];
  struct prof_sled sled;
  (void)state;
  entry(section, 0x209c, 0x1000, 0x1000, 0, 2);
  entry(section + 32, 0x209c + 32, 0x100e, 0x1000, 1, 2);
  entry(section + 64, 0x209c + 64, 0x102e, 0x1020, 2, 2);
  entry(section + 96, 0x209c + 96, 0x1040, 0x1040, 4, 2); /* a custom event */
  entry(section + 128, 0x209c + 128, 0x1040, 0x1040, 0, 0);
  assert_true(prof_sled_read(section, sizeof section, 0x209c, 0, &sled));
  assert_int_equal(sled.address, 0x1000);
  assert_int_equal(sled.function, 0x1000);
  assert_int_equal(sled.kind, PROF_SLED_ENTRY);
  assert_true(prof_sled_read(section, sizeof section, 0x209c, 1, &sled));
  assert_int_equal(sled.address, 0x100e);
  assert_int_equal(sled.kind, PROF_SLED_EXIT);
  assert_true(prof_sled_read(section, sizeof section, 0x209c, 2, &sled));
  assert_int_equal(sled.function, 0x1020);
  assert_int_equal(sled.kind, PROF_SLED_TAIL);
  assert_false(prof_sled_read(section, sizeof section, 0x209c, 3, &sled));
  assert_false(prof_sled_read(section, sizeof section, 0x209c, 4, &sled)); /* version 0 */
  assert_false(prof_sled_read(section, sizeof section, 0x209c, 5, &sled)); /* cut short */
}

static void test_x86_bytes(void **state) {
  unsigned char bytes[PROF_XRAY_X86_BYTES], first[PROF_XRAY_X86_FIRST];
  const unsigned char entered[] = {0x41, 0xba, 0x78, 0x56, 0x34, 0x12, 0xe8, 0xf5, 0x0f, 0, 0};
  const unsigned char left[] = {0x41, 0xba, 1, 0, 0, 0, 0xe9, 0xf5, 0xef, 0xff, 0xff};
  const unsigned char fresh_entry[] = {0xeb, 0x09, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 2, 0, 0};
  const unsigned char fresh_exit[] = {0xc3, 0x2e, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 2, 0, 0};
  (void)state;
  assert_true(prof_xray_x86_patched(PROF_SLED_ENTRY, 0x1000, 0x2000, 0x12345678, bytes));
  assert_memory_equal(bytes, entered, sizeof entered); /* call 0x2000 */
  assert_true(prof_xray_x86_is_sled(PROF_SLED_ENTRY, bytes));
  assert_false(prof_xray_x86_is_sled(PROF_SLED_EXIT, bytes));
  assert_true(prof_xray_x86_patched(PROF_SLED_EXIT, 0x3000, 0x2000, 1, bytes));
  assert_memory_equal(bytes, left, sizeof left); /* jmp 0x2000 */
  assert_true(prof_xray_x86_patched(PROF_SLED_TAIL, 0x1000, 0x2000, 0x12345678, bytes));
  assert_memory_equal(bytes, entered, sizeof entered);
  prof_xray_x86_unpatched(PROF_SLED_ENTRY, first);
  assert_memory_equal(first, fresh_entry, sizeof first);
  prof_xray_x86_unpatched(PROF_SLED_TAIL, first);
  assert_memory_equal(first, fresh_entry, sizeof first);
  prof_xray_x86_unpatched(PROF_SLED_EXIT, first);
  assert_memory_equal(first, fresh_exit, sizeof first);
  assert_true(prof_xray_x86_is_sled(PROF_SLED_ENTRY, fresh_entry));
  assert_true(prof_xray_x86_is_sled(PROF_SLED_EXIT, fresh_exit));
  assert_false(prof_xray_x86_is_sled(PROF_SLED_ENTRY, fresh_exit));
  assert_false(prof_xray_x86_is_sled(PROF_SLED_ENTRY, left + 1));
  /* call's and jmp's displacements have 32 bits. */
  assert_false(prof_xray_x86_patched(PROF_SLED_ENTRY, 0x400000, 0x7f0000000000, 1, bytes));
  assert_false(prof_xray_x86_patched(PROF_SLED_ENTRY, 0x7f0000000000, 0x400000, 1, bytes));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_entries_count_from_their_own_places),
      cmocka_unit_test(test_x86_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
