/* ring: whole records out of a mapped ring, at every position and from broken bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/ring.h"

#define PAGE 4096u
#define DATA 4096u

struct fixture {
  unsigned char *map;
  unsigned char *scratch;
  struct prof_ring ring;
};

static void set_up(struct fixture *f) {
  f->map = aligned_alloc(PAGE, PAGE + DATA);
  f->scratch = aligned_alloc(64, PROF_RING_SCRATCH_BYTES);
  memset(f->map, 0xee, PAGE + DATA);
  memset(f->map, 0, PAGE);
  assert_int_equal(prof_ring_init(&f->ring, f->map, PAGE + DATA, PAGE, 7, 3, f->scratch), 0);
}

static void tear_down(struct fixture *f) {
  free(f->map);
  free(f->scratch);
}

static struct perf_event_mmap_page *page_of(struct fixture *f) {
  return (struct perf_event_mmap_page *)f->map;
}

static void put_bytes(struct fixture *f, uint64_t at, const void *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    f->map[PAGE + ((at + i) & (DATA - 1))] = ((const unsigned char *)bytes)[i];
}

/* A record whose bytes tell its number. */
static uint64_t put_record(struct fixture *f, uint64_t at, uint16_t size, uint32_t number) {
  unsigned char bytes[DATA];
  struct perf_event_header header = {.type = number, .misc = 1, .size = size};
  memset(bytes, (int)(number & 0xff), sizeof bytes);
  memcpy(bytes, &header, sizeof header);
  put_bytes(f, at, bytes, size < 8 ? 8 : size);
  return at + size;
}

struct seen {
  uint32_t next;
  int count, wrong;
  struct fixture *fixture; /* to look at the tail during the visit */
  uint64_t tail_before;
};

static void visit(void *user, const struct perf_event_header *record, int cpu) {
  struct seen *seen = user;
  const unsigned char *bytes = (const unsigned char *)record;
  seen->wrong += record->type != seen->next || cpu != 3 || (uintptr_t)record % 8 != 0;
  for (size_t i = sizeof *record; i < record->size; i++)
    seen->wrong += bytes[i] != (seen->next & 0xff);
  if (seen->fixture)
    seen->wrong += page_of(seen->fixture)->data_tail != seen->tail_before;
  seen->next++;
  seen->count++;
}

static void records_come_whole_wherever_they_wrap(void **state) {
  (void)state;
  for (uint64_t start = 0; start <= DATA; start += 8) {
    struct fixture f;
    struct seen seen = {.next = 500, .fixture = &f, .tail_before = start};
    uint64_t head = start;
    set_up(&f);
    page_of(&f)->data_tail = start;
    for (uint32_t i = 0; i < 20; i++)
      head = put_record(&f, head, (uint16_t)(8 + 8 * (i * 7 % 40)), 500 + i);
    page_of(&f)->data_head = head;
    assert_true(head - start <= DATA);
    assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), head - start);
    assert_int_equal(seen.count, 20);
    assert_int_equal(seen.wrong, 0);
    assert_int_equal(page_of(&f)->data_tail, head);
    assert_int_equal(f.ring.records, 20);
    assert_int_equal(f.ring.malformed, 0);
    assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), 0);
    tear_down(&f);
  }
}

static void a_full_ring_is_read_to_its_end(void **state) {
  struct fixture f;
  struct seen seen = {.next = 1};
  uint64_t start = 3 * DATA + 1000, head = start;
  (void)state;
  set_up(&f);
  for (uint32_t i = 1; i <= DATA / 64; i++)
    head = put_record(&f, head, 64, i);
  page_of(&f)->data_tail = start;
  page_of(&f)->data_head = head;
  assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), DATA);
  assert_int_equal(seen.count, DATA / 64);
  assert_int_equal(seen.wrong, 0);
  /* One record as large as the whole ring, wrapped. */
  seen = (struct seen){.next = 9};
  put_record(&f, head, DATA, 9);
  page_of(&f)->data_head = head + DATA;
  assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), DATA);
  assert_int_equal(seen.count, 1);
  assert_int_equal(seen.wrong, 0);
  tear_down(&f);
}

static void counters_go_on_past_2_to_the_64(void **state) {
  struct fixture f;
  struct seen seen = {.next = 1};
  uint64_t start = UINT64_MAX - 7 - 64, head;
  (void)state;
  set_up(&f);
  head = put_record(&f, start, 64, 1);
  head = put_record(&f, head, 64, 2);
  page_of(&f)->data_tail = start;
  page_of(&f)->data_head = head;
  assert_true(head < start);
  assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), 128);
  assert_int_equal(seen.count, 2);
  assert_int_equal(seen.wrong, 0);
  tear_down(&f);
}

static void broken_sizes_stop_the_drain_and_are_counted(void **state) {
  static const uint16_t SIZES[] = {0, 1, 4, 7, 9, 12, 15, 128, 4096, 65528, 65535};
  (void)state;
  for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
    struct fixture f;
    struct seen seen = {.next = 1};
    struct perf_event_header bad = {.type = 2, .size = SIZES[i]};
    uint64_t start = DATA - 40, head;
    set_up(&f);
    head = put_record(&f, start, 32, 1);
    put_bytes(&f, head, &bad, sizeof bad);
    page_of(&f)->data_tail = start;
    page_of(&f)->data_head = head + 64;
    assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), 32);
    assert_int_equal(seen.count, 1);
    assert_int_equal(f.ring.malformed, 1);
    /* The rest is skipped: the next records are read again. */
    assert_int_equal(page_of(&f)->data_tail, head + 64);
    page_of(&f)->data_head = put_record(&f, head + 64, 48, 2);
    assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), 48);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.wrong, 0);
    tear_down(&f);
  }
}

static void a_head_out_of_reach_reads_nothing(void **state) {
  static const uint64_t HEADS[] = {DATA + 8, 1ull << 40, UINT64_MAX, 3};
  (void)state;
  for (size_t i = 0; i < sizeof HEADS / sizeof *HEADS; i++) {
    struct fixture f;
    struct seen seen = {.next = 1};
    set_up(&f);
    put_record(&f, 0, 8, 1);
    page_of(&f)->data_head = HEADS[i];
    assert_int_equal(prof_ring_drain(&f.ring, visit, &seen), 0);
    assert_int_equal(seen.count, 0);
    assert_int_equal(f.ring.malformed, 1);
    assert_int_equal(page_of(&f)->data_tail, HEADS[i]);
    tear_down(&f);
  }
}

static void sizes_that_are_no_ring_are_refused(void **state) {
  struct prof_ring ring;
  (void)state;
  assert_int_equal(prof_ring_init(&ring, NULL, PAGE, PAGE, 0, 0, NULL), -1);
  assert_int_equal(prof_ring_init(&ring, NULL, 0, PAGE, 0, 0, NULL), -1);
  assert_int_equal(prof_ring_init(&ring, NULL, PAGE + 12288, PAGE, 0, 0, NULL), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_come_whole_wherever_they_wrap),
      cmocka_unit_test(a_full_ring_is_read_to_its_end),
      cmocka_unit_test(counters_go_on_past_2_to_the_64),
      cmocka_unit_test(broken_sizes_stop_the_drain_and_are_counted),
      cmocka_unit_test(a_head_out_of_reach_reads_nothing),
      cmocka_unit_test(sizes_that_are_no_ring_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
