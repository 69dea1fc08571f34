/* order: one order of time out of many rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "perf/order.h"

struct record {
  struct perf_event_header header;
  uint64_t time, number;
  unsigned char filler[64];
};

struct seen {
  uint64_t last, count, wrong, cpu_order, sum;
  int last_cpu;
};

static void visit(void *user, const struct perf_event_header *header, int cpu) {
  struct seen *seen = user;
  struct record record;
  memcpy(&record, header, header->size);
  seen->wrong += record.time < seen->last;
  for (size_t i = 0; i < header->size - offsetof(struct record, filler); i++)
    seen->wrong += record.filler[i] != (unsigned char)record.number;
  seen->cpu_order += record.time == seen->last && cpu < seen->last_cpu;
  seen->last = record.time;
  seen->last_cpu = cpu;
  seen->sum += record.number;
  seen->count++;
}

static int push(struct prof_order *order, int cpu, uint64_t time, uint64_t number) {
  struct record record = {.time = time, .number = number};
  record.header.size = (uint16_t)(offsetof(struct record, filler) + 8 * (number % 9));
  memset(record.filler, (int)(number & 0xff), sizeof record.filler);
  return prof_order_push(order, &record.header, cpu, time);
}

static void records_of_many_rings_come_in_order_of_time(void **state) {
  struct prof_order *order = prof_order_create(0);
  struct seen seen = {0};
  uint64_t clock[64] = {0}, pushed = 0, sum = 0, now = 1000000;
  size_t held = 0;
  (void)state;
  srand(1);
  for (int round = 0; round < 400; round++) {
    /* Each drain: rings one after the other, as they are read. */
    for (int cpu = 0; cpu < 64; cpu++)
      for (int i = rand() % 12; i > 0; i--) {
        uint64_t time = (clock[cpu] > now ? clock[cpu] : now) + (uint64_t)rand() % 200;
        clock[cpu] = time;
        /* An interrupt within a record's writing: the earlier time comes second. */
        assert_int_equal(push(order, cpu, i == 3 && time > now + 5 ? time - 5 : time, pushed), 0);
        sum += pushed++;
      }
    now += 3000;
    prof_order_flush(order, now - 1000, visit, &seen);
    assert_true(seen.last < now - 1000);
    if (round == 100)
      held = prof_order_counts(order).held_bytes;
  }
  /* The steady state takes no memory: a little above the first hundred rounds, not four times. */
  assert_true(prof_order_counts(order).held_bytes <= held * 2);
  prof_order_finish(order, visit, &seen);
  assert_int_equal(seen.count, pushed);
  assert_int_equal(seen.sum, sum);
  assert_int_equal(seen.wrong, 0);
  assert_int_equal(seen.cpu_order, 0);
  assert_int_equal(prof_order_counts(order).late, 0);
  assert_int_equal(prof_order_counts(order).waiting, 0);
  assert_int_equal(prof_order_counts(order).visited, pushed);
  prof_order_free(order);
}

static void what_is_not_due_is_kept(void **state) {
  struct prof_order *order = prof_order_create(0);
  struct seen seen = {0};
  (void)state;
  push(order, 0, 10, 1);
  push(order, 1, 20, 2);
  push(order, 0, 30, 3);
  assert_int_equal(prof_order_flush(order, 20, visit, &seen), 1); /* strictly before */
  assert_int_equal(prof_order_counts(order).waiting, 2);
  assert_int_equal(prof_order_flush(order, 21, visit, &seen), 1);
  assert_int_equal(prof_order_flush(order, 21, visit, &seen), 0);
  assert_int_equal(prof_order_finish(order, visit, &seen), 1);
  assert_int_equal(seen.sum, 6);
  prof_order_free(order);
}

static void late_records_come_at_once_and_are_counted(void **state) {
  struct prof_order *order = prof_order_create(0);
  struct seen seen = {0};
  (void)state;
  push(order, 0, 100, 1);
  push(order, 1, 200, 2);
  prof_order_flush(order, 300, visit, &seen);
  push(order, 0, 150, 3); /* before 200, which is gone */
  push(order, 1, 250, 4);
  push(order, 1, 200, 5); /* as early as the last: not late */
  assert_int_equal(prof_order_flush(order, 160, visit, &seen), 1);
  assert_int_equal(prof_order_counts(order).late, 1);
  assert_int_equal(seen.wrong, 1);
  prof_order_finish(order, visit, &seen);
  assert_int_equal(prof_order_counts(order).late, 1);
  assert_int_equal(seen.sum, 15);
  prof_order_free(order);
}

static void the_limit_drops_and_counts(void **state) {
  struct prof_order *order = prof_order_create(64 * 1024);
  struct seen seen = {0};
  uint64_t dropped = 0;
  (void)state;
  for (uint64_t i = 0; i < 4000; i++)
    dropped += push(order, (int)(i % 2), i, 8) != 0;
  assert_true(dropped > 1000 && dropped < 4000);
  assert_int_equal(prof_order_counts(order).dropped, dropped);
  assert_int_equal(prof_order_finish(order, visit, &seen), 4000 - dropped);
  assert_int_equal(push(order, 0, 5000, 1), 0); /* room again */
  assert_int_equal(push(order, -1, 5000, 1), -1);
  assert_int_equal(push(order, 1 << 20, 5000, 1), -1);
  prof_order_free(order);
  prof_order_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_of_many_rings_come_in_order_of_time),
      cmocka_unit_test(what_is_not_due_is_kept),
      cmocka_unit_test(late_records_come_at_once_and_are_counted),
      cmocka_unit_test(the_limit_drops_and_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
