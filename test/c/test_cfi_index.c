/* stack/cfi_index: sections that have no sorted table. This program's own .eh_frame against the
 * table that its linker wrote, and .debug_frame by bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "code/image.h"
#include "stack/cfi_index.h"
#include "stack/rows.h"

#define FIRST 0x401000u
#define SECOND 0x402000u

static void drop(struct prof_cfi_image *image) {
  free((void *)image->hdr.bytes);
  free((void *)image->frame.bytes);
}

static struct prof_cfi_section section_of(struct prof_image *file, const char *name) {
  const Elf64_Shdr *section = prof_image_section(file, name);
  struct prof_cfi_section out = {0};
  size_t size = 0;
  assert_non_null(section);
  out.bytes = prof_image_read_section(file, section, 64u << 20, &size);
  out.size = size;
  out.address = section->sh_addr;
  return out;
}

static void a_made_table_lists_what_the_linkers_does(void **state) {
  struct prof_image file;
  struct prof_cfi_image linked, made;
  const struct prof_cfi_section none = {0};
  uint32_t count;
  (void)state;
  assert_int_equal(prof_image_open_file(&file, "/proc/self/exe"), 0);
  linked.hdr = section_of(&file, ".eh_frame_hdr");
  linked.frame = section_of(&file, ".eh_frame");
  prof_image_close(&file);
  assert_true(prof_cfi_index(&linked.frame, &none, &made));
  count = prof_cfi_count(&linked);
  assert_true(count > 100);
  assert_int_equal(prof_cfi_count(&made), count);
  for (uint32_t i = 0; i < count; i++) {
    struct prof_cfi_row one, other;
    uint64_t pc = prof_cfi_first_pc(&linked, i);
    assert_int_equal(prof_cfi_first_pc(&made, i), pc);
    assert_int_equal(prof_cfi_compile(&linked, pc, &one), PROF_CFI_OK);
    assert_int_equal(prof_cfi_compile(&made, pc, &other), PROF_CFI_OK);
    assert_int_equal(one.end, other.end);
    assert_int_equal(one.function_end, other.function_end);
    assert_int_equal(prof_row_pack(&linked, &one), prof_row_pack(&made, &other));
  }
  drop(&linked);
  drop(&made);
}

/* --- .debug_frame by bytes --- */

struct bytes {
  uint8_t at[512];
  size_t size;
};

static void put(struct bytes *self, uint64_t value, size_t size) {
  memcpy(self->at + self->size, &value, size);
  self->size += size;
}

/* CFA = rsp + 8, the return address at CFA - 8; as gcc writes it. */
static size_t put_cie(struct bytes *self, unsigned version, char letter) {
  size_t at = self->size;
  put(self, 0, 4);
  put(self, 0xffffffff, 4);
  put(self, version, 1);
  if (letter)
    put(self, (uint8_t)letter, 1);
  put(self, 0, 1);
  if (version == 4)
    put(self, 8, 2); /* an address has 8 bytes, a selector none */
  put(self, 1, 1);
  put(self, 0x78, 1);
  put(self, 16, 1);
  put(self, 0x019008070c, 5); /* def_cfa rsp 8; offset ra 1 */
  self->at[at] = (uint8_t)(self->size - at - 4);
  return at;
}

/* From the fifth byte on CFA = rsp + 48. */
static size_t put_fde(struct bytes *self, size_t cie, uint64_t first, uint64_t size) {
  size_t at = self->size;
  put(self, 0, 4);
  put(self, cie, 4);
  put(self, first, 8);
  put(self, size, 8);
  put(self, 0x300e44, 3); /* advance 4; def_cfa_offset 48 */
  self->at[at] = (uint8_t)(self->size - at - 4);
  return at;
}

static bool index_of(const struct bytes *bytes, size_t size, struct prof_cfi_image *out) {
  const struct prof_cfi_section none = {0};
  struct prof_cfi_section debug = {malloc(size ? size : 1), size, 0}; /* exact, for ASan */
  memcpy((void *)debug.bytes, bytes->at, size);
  bool found = prof_cfi_index(&none, &debug, out);
  free((void *)debug.bytes);
  return found;
}

static void assert_cfa(const struct prof_cfi_image *image, uint64_t pc, int32_t cfa) {
  struct prof_cfi_row row;
  assert_int_equal(prof_cfi_compile(image, pc, &row), PROF_CFI_OK);
  assert_int_equal(row.cfa_value, cfa);
  assert_int_equal(row.cfa_register, 7);
  assert_int_equal(row.rule[PROF_CFI_RA], PROF_CFI_OFFSET);
  assert_int_equal(row.value[PROF_CFI_RA], -8);
}

static void debug_frame_of_each_version_gives_its_rows(void **state) {
  (void)state;
  for (unsigned version = 1; version <= 4; version++) {
    struct bytes bytes = {0};
    struct prof_cfi_image image;
    struct prof_cfi_row row;
    size_t cie = put_cie(&bytes, version, 0);
    put_fde(&bytes, cie, SECOND, 0x20); /* not in order */
    put_fde(&bytes, cie, FIRST, 0x30);
    if (version == 2) { /* of no DWARF */
      assert_false(index_of(&bytes, bytes.size, &image));
      continue;
    }
    assert_true(index_of(&bytes, bytes.size, &image));
    assert_int_equal(prof_cfi_count(&image), 2);
    assert_cfa(&image, FIRST, 8);
    assert_cfa(&image, FIRST + 4, 48);
    assert_cfa(&image, FIRST + 0x2f, 48);
    assert_int_equal(prof_cfi_compile(&image, FIRST + 0x30, &row), PROF_CFI_NONE);
    assert_cfa(&image, SECOND + 3, 8);
    image.hdr.address += 0x7f0000000000; /* a bias */
    image.frame.address += 0x7f0000000000;
    assert_cfa(&image, 0x7f0000000000 + SECOND + 4, 48);
    drop(&image);
  }
}

static void both_sections_are_in_one_table(void **state) {
  struct bytes one = {0}, other = {0};
  struct prof_cfi_image image, both;
  struct prof_cfi_section debug;
  (void)state;
  put_fde(&one, put_cie(&one, 3, 0), FIRST, 0x30);
  assert_true(index_of(&one, one.size, &image)); /* its frame section is an .eh_frame */
  put_fde(&other, put_cie(&other, 4, 0), SECOND, 0x20);
  debug = (struct prof_cfi_section){other.at, other.size, 0};
  assert_true(prof_cfi_index(&image.frame, &debug, &both));
  assert_int_equal(prof_cfi_count(&both), 2);
  assert_cfa(&both, FIRST + 4, 48);
  assert_cfa(&both, SECOND, 8);
  drop(&image);
  drop(&both);
}

static void what_cannot_be_read_is_left_out(void **state) {
  struct bytes bytes = {0};
  struct prof_cfi_image image;
  size_t strange, cie;
  (void)state;
  strange = put_cie(&bytes, 3, 'x');
  put_fde(&bytes, strange, SECOND, 0x20); /* its CIE has an unknown augmentation */
  cie = put_cie(&bytes, 3, 0);
  put_fde(&bytes, cie, 0, 0x20); /* dropped by the linker */
  put_fde(&bytes, cie + 1, SECOND, 0x20);
  put_fde(&bytes, cie, SECOND, 1ull << 40);
  put_fde(&bytes, cie, 1ull << 40, 0x20);
  put_fde(&bytes, cie, FIRST, 0x30);
  assert_true(index_of(&bytes, bytes.size, &image));
  assert_int_equal(prof_cfi_count(&image), 1);
  assert_cfa(&image, FIRST, 8);
  drop(&image);
  /* cut anywhere: what is whole before the cut, or nothing */
  for (size_t size = 0; size < bytes.size; size++)
    assert_false(index_of(&bytes, size, &image));
}

static void rows_that_were_added_go_with_their_mapping(void **state) {
  struct bytes bytes = {0};
  struct prof_cfi_image image, found;
  struct prof_rows *rows = prof_rows_create(NULL);
  (void)state;
  put_fde(&bytes, put_cie(&bytes, 3, 0), FIRST, 0x30);
  assert_true(index_of(&bytes, bytes.size, &image));
  assert_int_equal(prof_rows_add(rows, FIRST, FIRST + 0x1000, &image, NULL), 0);
  assert_int_equal(prof_rows_add(rows, SECOND, SECOND + 0x1000, &image, NULL), 0);
  assert_int_equal(PROF_ROW_KIND(prof_rows_find(rows, FIRST)), PROF_ROW_NORMAL);
  prof_rows_forget(rows, FIRST - 0x1000, FIRST); /* beside it */
  assert_int_equal(PROF_ROW_KIND(prof_rows_find(rows, FIRST)), PROF_ROW_NORMAL);
  prof_rows_forget(rows, FIRST + 0x800, FIRST + 0xc00);
  assert_int_equal(PROF_ROW_KIND(prof_rows_find(rows, FIRST)), PROF_ROW_NO_IMAGE);
  assert_true(prof_rows_image(rows, SECOND, &found));
  prof_rows_free(rows);
  drop(&image);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_made_table_lists_what_the_linkers_does),
      cmocka_unit_test(debug_frame_of_each_version_gives_its_rows),
      cmocka_unit_test(both_sections_are_in_one_table),
      cmocka_unit_test(what_cannot_be_read_is_left_out),
      cmocka_unit_test(rows_that_were_added_go_with_their_mapping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
