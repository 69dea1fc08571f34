/* stack/shard: many writers, one reader, no locks. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/shard.h"

static void what_is_committed_is_read_in_order(void **state) {
  (void)state;
  struct prof_shard shard;
  assert_int_equal(prof_shard_init(&shard, 4096), 0);
  uint32_t size;
  assert_null(prof_shard_peek(&shard, &size));
  for (uint64_t i = 1; i <= 1000; i++) {
    uint32_t bytes = (uint32_t)(8 + i % 300);
    unsigned char *payload = prof_shard_reserve(&shard, bytes);
    assert_non_null(payload);
    assert_int_equal((uintptr_t)payload % 8, 0);
    assert_null(prof_shard_peek(&shard, &size)); /* not before it is committed */
    memset(payload, (int)(i & 0xff), bytes);
    prof_shard_commit(payload, bytes);
    const unsigned char *read = prof_shard_peek(&shard, &size);
    assert_non_null(read);
    assert_in_range(size, bytes, bytes + 7);
    for (uint32_t j = 0; j < bytes; j++)
      assert_int_equal(read[j], i & 0xff);
    prof_shard_release(&shard);
  }
  prof_shard_free(&shard);
}

static void a_full_shard_refuses(void **state) {
  (void)state;
  struct prof_shard shard;
  uint32_t size;
  assert_int_equal(prof_shard_init(&shard, 4096), 0);
  assert_null(prof_shard_reserve(&shard, 2048)); /* more than half */
  int fit = 0;
  void *payload;
  while ((payload = prof_shard_reserve(&shard, 1000))) {
    prof_shard_commit(payload, 1000);
    fit++;
  }
  assert_int_equal(fit, 4);
  assert_non_null(prof_shard_peek(&shard, &size));
  prof_shard_release(&shard);
  assert_non_null(prof_shard_reserve(&shard, 1000));
  prof_shard_free(&shard);
}

static void what_is_drained_in_time_stays_at_the_start(void **state) {
  (void)state;
  struct prof_shard shard;
  uint32_t size;
  assert_int_equal(prof_shard_init(&shard, 1 << 16), 0);
  for (int round = 0; round < 1000; round++) {
    for (int i = 0; i < 3; i++) {
      unsigned char *payload = prof_shard_reserve(&shard, 900);
      assert_non_null(payload);
      assert_true(payload + 900 <= shard.bytes + (1 << 16) / 4);
      payload[0] = (unsigned char)(round + i);
      prof_shard_commit(payload, 900);
    }
    for (int i = 0; i < 3; i++) {
      const unsigned char *read = prof_shard_peek(&shard, &size);
      assert_non_null(read);
      assert_int_equal(read[0], (unsigned char)(round + i));
      prof_shard_release(&shard);
    }
    assert_null(prof_shard_peek(&shard, &size));
    assert_int_equal(prof_shard_used(&shard), 0);
  }
  prof_shard_free(&shard);
}

enum { WRITERS = 4, RECORDS = 50000 };

static struct prof_shard shared;

static void *write_records(void *argument) {
  uint64_t writer = (uintptr_t)argument;
  for (uint64_t i = 0; i < RECORDS;) {
    uint64_t *payload = prof_shard_reserve(&shared, 16 + (uint32_t)(i % 5) * 8);
    if (!payload)
      continue;
    payload[0] = writer;
    payload[1] = i++;
    prof_shard_commit(payload, 16 + (uint32_t)((i - 1) % 5) * 8);
  }
  return NULL;
}

static void writers_do_not_lose_or_mix_records(void **state) {
  (void)state;
  pthread_t threads[WRITERS];
  uint64_t next[WRITERS] = {0}, total = 0;
  uint32_t size;
  assert_int_equal(prof_shard_init(&shared, 1 << 14), 0);
  for (uintptr_t i = 0; i < WRITERS; i++) {
    pthread_create(&threads[i], NULL, write_records, (void *)i);
  }
  while (total < WRITERS * RECORDS) {
    const uint64_t *payload = prof_shard_peek(&shared, &size);
    if (!payload)
      continue;
    assert_true(payload[0] < WRITERS);
    assert_int_equal(payload[1], next[payload[0]]);
    next[payload[0]]++;
    total++;
    prof_shard_release(&shared);
  }
  for (int i = 0; i < WRITERS; i++)
    pthread_join(threads[i], NULL);
  assert_null(prof_shard_peek(&shared, &size));
  prof_shard_free(&shared);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_committed_is_read_in_order),
      cmocka_unit_test(a_full_shard_refuses),
      cmocka_unit_test(what_is_drained_in_time_stays_at_the_start),
      cmocka_unit_test(writers_do_not_lose_or_mix_records),
  };
  return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
