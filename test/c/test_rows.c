/* stack/rows and stack/images: the shared cache, how images are found, and what is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "stack/rows.h"
#include "stack/rows_kept.h"

static uint64_t address_of(const void *pointer) {
  return (uint64_t)(uintptr_t)pointer;
}

static void a_row_is_compiled_once(void **state) {
  struct prof_rows *rows = prof_rows_create(NULL);
  struct prof_rows_counters counters;
  uint64_t pc = address_of((void *)qsort) + 1;
  prof_row row;
  (void)state;
  row = prof_rows_find(rows, pc);
  assert_int_equal(PROF_ROW_KIND(row), PROF_ROW_NORMAL);
  for (int i = 0; i < 10; i++)
    assert_int_equal(prof_rows_find(rows, pc), row);
  prof_rows_counters(rows, &counters);
  assert_int_equal(counters.misses, 1);
  prof_rows_forget(rows, pc, pc + 1);
  assert_int_equal(prof_rows_find(rows, pc), row);
  prof_rows_counters(rows, &counters);
  assert_int_equal(counters.misses, 2);
  assert_int_equal(counters.forgotten, 1);
  prof_rows_free(rows);
}

static void what_is_in_no_image_is_told_and_never_kept(void **state) {
  struct prof_rows *rows = prof_rows_create(NULL);
  uint64_t places[] = {0, 1, 0x1000, address_of(&rows), UINT64_MAX, 1ull << 63, 1ull << 47};
  struct prof_rows_counters counters;
  (void)state;
  for (int round = 0; round < 2; round++)
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
      assert_int_equal(prof_rows_find(rows, places[i]), PROF_ROW_NO_IMAGE);
  prof_rows_counters(rows, &counters);
  assert_int_equal(counters.misses, 0);
  prof_rows_free(rows);
}

static void the_table_and_the_linker_find_the_same(void **state) {
  struct prof_rows *table = prof_rows_create(NULL), *linker = prof_rows_create(NULL);
  void *libm = dlopen("libm.so.6", RTLD_NOW);
  uint64_t vdso = getauxval(AT_SYSINFO_EHDR);
  /* No function that a sanitizer has its own of. */
  uint64_t places[] = {address_of((void *)gnu_get_libc_version),
                       address_of((void *)the_table_and_the_linker_find_the_same) + 8,
                       address_of(dlsym(libm, "cos")),
                       vdso + 0xa00,
                       vdso + 0x800,
                       address_of(dlsym(RTLD_DEFAULT, "getauxval"))};
  (void)state;
  prof_rows_without_find_object(table);
  assert_int_equal(prof_rows_refresh(table, NULL), PROF_OK);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    struct prof_cfi_image one, other;
    assert_true(prof_rows_image(table, places[i], &one));
    assert_true(prof_rows_image(linker, places[i], &other));
    assert_memory_equal(&one, &other, sizeof one);
    for (uint64_t pc = places[i]; pc < places[i] + 64; pc++)
      assert_int_equal(prof_rows_find(table, pc), prof_rows_find(linker, pc));
  }
  assert_true(prof_rows_in_libc(table, places[0]));
  assert_true(prof_rows_in_libc(table, places[5]));
  assert_false(prof_rows_in_libc(table, places[1]));
  assert_int_equal(prof_rows_find(table, address_of(&places)), PROF_ROW_NO_IMAGE);
  dlclose(libm);
  prof_rows_free(table);
  prof_rows_free(linker);
}

static void closed_images_are_not_read(void **state) {
  struct prof_rows *table = prof_rows_create(NULL);
  void *library = dlopen("libanl.so.1", RTLD_NOW | RTLD_LOCAL);
  struct prof_cfi_image image;
  uint64_t pc;
  (void)state;
  if (!library) {
    print_message("skipped: libanl is not there\n");
    prof_rows_free(table);
    skip();
  }
  pc = address_of(*(void **)library) + 0x1000; /* link_map.l_addr */
  prof_rows_without_find_object(table);
  prof_rows_refresh(table, NULL);
  assert_true(prof_rows_image(table, pc, &image));
  dlclose(library);
  assert_false(prof_rows_image(table, pc, &image)); /* the table still has it: its pages are gone */
  assert_int_equal(prof_rows_refresh(table, NULL), PROF_OK);
  assert_false(prof_rows_image(table, pc, &image));
  prof_rows_free(table);
}

static void added_images_come_first(void **state) {
  struct prof_rows *rows = prof_rows_create(NULL);
  struct prof_cfi_image none = {0};
  uint64_t base = 0x100000000;
  (void)state;
  assert_int_equal(prof_rows_find(rows, base + 5), PROF_ROW_NO_IMAGE);
  assert_int_equal(prof_rows_add(rows, base, base + 0x1000, &none, NULL), PROF_OK);
  assert_int_equal(prof_rows_add(rows, base - 0x1000, base, &none, NULL), PROF_OK);
  assert_int_equal(prof_rows_find(rows, base + 5), PROF_ROW_NO_ROW);
  assert_int_equal(prof_rows_find(rows, base - 5), PROF_ROW_NO_ROW);
  assert_int_equal(prof_rows_find(rows, base + 0x1000), PROF_ROW_NO_IMAGE);
  prof_rows_free(rows);
}

static void what_was_noted_of_a_call_goes_with_its_epoch(void **state) {
  struct prof_rows *rows = prof_rows_create(NULL);
  uint64_t pc = address_of((void *)qsort) + 40, key, old;
  prof_row row = prof_rows_find_noted(rows, pc, &key);
  (void)state;
  assert_int_equal(PROF_ROW_CALL(row), PROF_ROW_CALL_UNKNOWN);
  prof_rows_note(rows, key, row, PROF_ROW_CALL_TO_ROWS);
  assert_int_equal(PROF_ROW_CALL(prof_rows_find_noted(rows, pc, &old)), PROF_ROW_CALL_TO_ROWS);
  assert_int_equal(PROF_ROW_CALL(prof_rows_find_noted(rows, pc + 1, &key)), PROF_ROW_CALL_UNKNOWN);
  prof_rows_forget(rows, 0, 1);
  prof_rows_note(rows, old, row, PROF_ROW_CALL_NONE); /* by a handler that looked before */
  assert_int_equal(prof_rows_find_noted(rows, pc, &key), row);
  prof_rows_free(rows);
}

extern void _init(void); /* crti's: no entry covers it, and more of its page has rows */

static void a_page_that_begins_without_rows_is_not_kept_whole(void **state) {
  struct prof_rows *kept = prof_rows_create(NULL), *fresh = prof_rows_create(NULL);
  uint64_t page = address_of((void *)_init) & ~0xfffull;
  (void)state;
  for (unsigned i = 0; i < 0x1000; i++) {
    prof_rows_forget(fresh, 0, 1);
    assert_int_equal(prof_rows_find(kept, page + i), prof_rows_find(fresh, page + i));
  }
  assert_int_equal(prof_rows_find(kept, page), PROF_ROW_NO_ROW);
  prof_rows_free(kept);
  prof_rows_free(fresh);
}

/* Pages without rows are kept whole: no place with a row may be taken for one, in whichever order
 * the places are asked for. */
static void pages_kept_whole_hold_no_rows(void **state) {
  struct prof_rows *kept = prof_rows_create(NULL), *fresh = prof_rows_create(NULL);
  struct prof_rows_counters counters;
  uint64_t base = address_of((void *)qsort) & ~0xfffull, bare = base + 0x3000;
  (void)state;
  /* three pages and the first half of a fourth are without rows */
  prof_rows_withhold(kept, bare, bare + 0x3800);
  prof_rows_withhold(fresh, bare, bare + 0x3800);
  for (unsigned i = 0; i < 0x8000; i++) {
    uint64_t pc = base + i * 7919 % 0x8000;
    prof_rows_forget(fresh, 0, 1);
    assert_int_equal(prof_rows_find(kept, pc), prof_rows_find(fresh, pc));
  }
  prof_rows_counters(kept, &counters);
  assert_true(counters.misses < 0x6000); /* not 0x8000: three pages are kept, unless pushed out */
  prof_rows_free(kept);
  prof_rows_free(fresh);
}

static void note_call(struct prof_rows *rows, uint64_t pc) {
  uint64_t key;
  prof_row row = prof_rows_find_noted(rows, pc, &key);
  if (PROF_ROW_KIND(row) == PROF_ROW_NORMAL)
    prof_rows_note(rows, key, row, PROF_ROW_CALL_ANYWHERE);
}

/* Rows are kept by blocks of code: beside rows that end in the middle of one, beside pages without
 * rows, and beside what was noted of a pc, in whichever order they are asked for. */
static void a_blocks_row_is_the_one_of_each_pc(void **state) {
  struct prof_rows *kept = prof_rows_create(NULL), *fresh = prof_rows_create(NULL);
  struct prof_rows_counters counters;
  uint64_t base = address_of((void *)qsort) & ~0xfffull;
  (void)state;
  prof_rows_withhold(kept, base + 0x3000, base + 0x4800);
  prof_rows_withhold(fresh, base + 0x3000, base + 0x4800);
  for (unsigned i = 0; i < 0x8000; i++) {
    uint64_t pc = base + i * 7919 % 0x8000;
    prof_rows_forget(fresh, 0, 1);
    if (i % 5 == 0)
      note_call(kept, pc);
    prof_row row = i % 2 ? prof_rows_find(kept, pc) : prof_rows_find_leaf(kept, pc);
    assert_int_equal(row & ~(3ull << 60), prof_rows_find(fresh, pc));
  }
  prof_rows_counters(kept, &counters);
  assert_true(counters.misses < 0x6000); /* not 0x8000: most are in a block that was asked for */
  assert_int_equal(prof_rows_find_leaf(kept, 1ull << 60), PROF_ROW_NO_IMAGE);
  assert_int_equal(prof_rows_find_leaf(kept, address_of(&counters)), PROF_ROW_NO_IMAGE);
  prof_rows_free(kept);
  prof_rows_free(fresh);
}

/* From one cache to another, as from one process to the next. */
static void kept_rows_are_those_that_would_be_compiled(void **state) {
  enum { PCS = 0x8000 };
  struct prof_rows *from = prof_rows_create(NULL), *to = prof_rows_create(NULL);
  struct prof_rows_counters before, after;
  uint64_t start = address_of((void *)qsort) & ~0xfffull, end = start + PCS, pc;
  prof_row truth[PCS];
  (void)state;
  for (unsigned i = 0; i < PCS; i++) {
    pc = i * 7919 % PCS;
    truth[pc] = i % 2 ? prof_rows_find(from, start + pc) : prof_rows_find_leaf(from, start + pc);
    if (i % 5 == 0)
      note_call(from, start + pc);
  }
  size_t count = prof_rows_keep_image(from, start, end, NULL, 0);
  assert_true(count > 1000);
  struct prof_rows_kept *kept = malloc(count * sizeof *kept);
  assert_int_equal(prof_rows_keep_image(from, start, end, kept, count), count);
  assert_int_equal(prof_rows_keep_image(from, start, start + 64, NULL, 0) > 0, true);
  assert_int_equal(prof_rows_keep_image(from, end + (1 << 20), end + (2 << 20), NULL, 0), 0);
  assert_int_equal(prof_rows_take_image(to, start, end, kept, count), count);
  for (unsigned i = 0; i < PCS; i++) {
    uint64_t key;
    prof_row row =
        i % 2 ? prof_rows_find_noted(to, start + i, &key) : prof_rows_find_leaf(to, start + i);
    assert_int_equal(PROF_ROW_CALL(row), PROF_ROW_CALL_UNKNOWN);
    assert_int_equal(row, truth[i] & ~PROF_ROW_CALL_BITS);
  }
  prof_rows_counters(from, &before);
  prof_rows_counters(to, &after);
  assert_true(after.misses < before.misses / 4); /* what has no row, and what was pushed out */
  /* Another image may lie there now; rows that are withheld are nobody's. */
  prof_rows_forget(from, start, end);
  assert_int_equal(prof_rows_keep_image(from, start, end, NULL, 0), 0);
  prof_rows_withhold(to, start, start + 1);
  assert_int_equal(prof_rows_keep_image(to, start, end, NULL, 0), 0);
  assert_int_equal(prof_rows_take_image(to, start, end, kept, count), 0);
  free(kept);
  prof_rows_free(from);
  prof_rows_free(to);
}

static void kept_rows_that_make_no_sense_are_not_taken(void **state) {
  struct prof_rows *rows = prof_rows_create(NULL);
  uint64_t start = address_of((void *)qsort) & ~0xfffull, end = start + 0x1000;
  const struct prof_rows_kept kept[] = {
      {.row = prof_row_bits(PROF_ROW_UNKNOWN, 0, 8, 0)},
      {.row = prof_row_bits(PROF_ROW_NO_ROW, 0, 8, 0)},
      {.row = prof_row_bits(PROF_ROW_NO_IMAGE, 0, 8, 0)},
      {.row = prof_row_bits(15, 0, 8, 0)},
      {.row = prof_row_bits(PROF_ROW_NORMAL, 0, 8, 0), .at = 0x1000},
      {.row = prof_row_bits(PROF_ROW_NORMAL, 0, 8, 0), .at = UINT32_MAX},
      {.row = prof_row_bits(PROF_ROW_NORMAL, 0, 8, 0), .at = 8, .is_block = 1},
      {.row = prof_row_bits(PROF_ROW_NORMAL, 0, 8, 0), .at = 0xfff},
      {.row = prof_row_bits(PROF_ROW_NORMAL, 0, 8, 0), .at = 0xfc0, .is_block = 1},
  };
  (void)state;
  assert_int_equal(prof_rows_take_image(rows, start, end, kept, sizeof kept / sizeof *kept), 2);
  prof_rows_free(rows);
}

struct contest {
  struct prof_rows *rows;
  const prof_row *truth;
  uint64_t base;
  unsigned seed;
  unsigned long wrong;
};

enum { CONTEST_PCS = 200000 };

static void *find_many(void *user) {
  struct contest *self = user;
  for (int i = 0; i < 400000; i++) {
    unsigned at;
    self->seed = self->seed * 1664525 + 1013904223;
    at = (self->seed >> 8) % CONTEST_PCS;
    if (prof_rows_find(self->rows, self->base + at) != self->truth[at])
      self->wrong++;
    if (i % 50000 == 0)
      prof_rows_forget(self->rows, 0, 1);
  }
  return NULL;
}

/* More pcs than the cache has room for, four threads, epochs changing under them. */
static void threads_never_get_each_others_rows(void **state) {
  struct prof_rows *rows = prof_rows_create(NULL);
  prof_row *truth = malloc(CONTEST_PCS * sizeof *truth);
  struct contest contests[4];
  pthread_t threads[4];
  uint64_t base = address_of((void *)qsort) & ~0xfffull;
  (void)state;
  for (unsigned i = 0; i < CONTEST_PCS; i++)
    truth[i] = prof_rows_find(rows, base + i);
  for (unsigned i = 0; i < 4; i++) {
    contests[i] = (struct contest){rows, truth, base, i * 7919 + 1, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, find_many, &contests[i]), 0);
  }
  for (unsigned i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(contests[i].wrong, 0);
  }
  free(truth);
  prof_rows_free(rows);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_is_compiled_once),
      cmocka_unit_test(what_is_in_no_image_is_told_and_never_kept),
      cmocka_unit_test(the_table_and_the_linker_find_the_same),
      cmocka_unit_test(closed_images_are_not_read),
      cmocka_unit_test(added_images_come_first),
      cmocka_unit_test(what_was_noted_of_a_call_goes_with_its_epoch),
      cmocka_unit_test(pages_kept_whole_hold_no_rows),
      cmocka_unit_test(a_page_that_begins_without_rows_is_not_kept_whole),
      cmocka_unit_test(a_blocks_row_is_the_one_of_each_pc),
      cmocka_unit_test(kept_rows_are_those_that_would_be_compiled),
      cmocka_unit_test(kept_rows_that_make_no_sense_are_not_taken),
      cmocka_unit_test(threads_never_get_each_others_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
