/* stack/shard: many writers, one reader, no locks; stack/shards: of all CPUs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "stack/shards.h"
#include "stack/unwind.h"

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

static size_t resident_bytes(const struct prof_shard *shard) {
  unsigned char pages[256];
  size_t count = 0;
  assert_true(shard->capacity / 4096 <= sizeof pages);
  assert_int_equal(mincore(shard->bytes, shard->capacity, pages), 0);
  for (size_t i = 0; i < shard->capacity / 4096; i++)
    count += pages[i] & 1;
  return count * 4096;
}

static void put(struct prof_shard *shard, int count) {
  for (int i = 0; i < count; i++) {
    unsigned char *payload = prof_shard_reserve(shard, 1000);
    assert_non_null(payload);
    memset(payload, i + 1, 1000);
    prof_shard_commit(payload, 1000);
  }
}

static void take(struct prof_shard *shard, int count) {
  uint32_t size;
  for (int i = 0; i < count; i++) {
    const unsigned char *read = prof_shard_peek(shard, &size);
    assert_non_null(read);
    assert_int_equal(read[0], (i + 1) & 0xff);
    assert_int_equal(read[999], (i + 1) & 0xff);
    prof_shard_release(shard);
  }
  assert_null(prof_shard_peek(shard, &size));
}

static void what_a_late_drain_let_pile_up_is_given_back(void **state) {
  (void)state;
  struct prof_shard shard;
  assert_int_equal(prof_shard_init(&shard, 1 << 20), 0);
  put(&shard, 900);
  take(&shard, 900);
  assert_true(resident_bytes(&shard) > 800000);
  for (int lap = 0; lap < 5; lap++) { /* drained in time: an eighth of the ring is used again */
    put(&shard, 140);
    take(&shard, 140);
  }
  assert_true(resident_bytes(&shard) < 200000);
  put(&shard, 1000); /* what comes back is as good as new */
  take(&shard, 1000);
  prof_shard_free(&shard);
}

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

static struct prof_shards shards;
static int woken;

static void note_wake(void *user) {
  assert_ptr_equal(user, &shards);
  woken++;
}

static bool leave(uint16_t cpu, uint64_t time_ns) {
  static const uint64_t words[100] = {1, [99] = 99};
  const struct prof_stack head = {.time_ns = time_ns, .cpu = cpu, .count = 100};
  struct prof_stack *stack = prof_shards_reserve(&shards, &head, words);
  if (stack)
    prof_shards_commit(&shards, stack);
  return stack != NULL;
}

static void see(void *user, const struct prof_stack *stack) {
  uint64_t *last = user;
  assert_int_equal(stack->count, 100);
  assert_int_equal(stack->words[0] + stack->words[99], 100);
  assert_true(stack->time_ns > last[stack->cpu]);
  last[stack->cpu] = stack->time_ns;
}

static void walks_of_all_cpus_are_drained_in_order_and_wake_once(void **state) {
  uint64_t last[2] = {0}, left = 0;
  (void)state;
  shards = (struct prof_shards){.wake = note_wake, .user = &shards};
  woken = 0;
  assert_int_equal(prof_shards_init(&shards, 0, 1 << 18), 0);
  assert_true(shards.count >= 1);
  assert_int_equal(prof_shards_bytes(&shards), shards.count * (1u << 18));
  for (int round = 1; round <= 3; round++) {
    uint64_t before = left;
    for (int i = 0; i < 100; i++, left++) /* 90 KB: more than a quarter */
      assert_true(leave((uint16_t)(i % 10 == 0 && shards.count > 1), left + 1));
    assert_int_equal(woken, round);
    assert_int_equal(prof_shards_drain(&shards, see, last), left - before);
  }
  assert_int_equal(prof_shards_drain(&shards, see, last), 0);
  prof_shards_free(&shards);
  assert_int_equal(prof_shards_bytes(&shards), 0);
}

static void a_cpu_without_room_refuses_and_bytes_are_shared_out(void **state) {
  uint64_t last[1] = {0}, left = 0;
  (void)state;
  shards = (struct prof_shards){0};
  assert_int_equal(prof_shards_init(&shards, (size_t)64 << 20, 1), 0);
  assert_true(prof_shards_bytes(&shards) >= 64 << 20);
  assert_true(prof_shards_bytes(&shards) < 128 << 20 || shards.count > 512);
  prof_shards_free(&shards);
  assert_int_equal(prof_shards_init(&shards, 0, 1), 0);
  while (left < 1000 && leave(0, left + 1))
    left++;
  assert_in_range(left, 100, 160); /* of 128 KB */
  assert_int_equal(prof_shards_drain(&shards, see, last), left);
  assert_true(leave(0, left + 1));
  prof_shards_free(&shards);
}

static void a_stack_has_its_walks_end_and_flags(void **state) {
  const struct prof_walk walk = {.count = 7,
                                 .end = PROF_WALK_NO_ROW,
                                 .end_pc = 0x1234,
                                 .flags = PROF_WALK_GUESS_SCAN | PROF_WALK_SWITCHED};
  const struct prof_walk by_frame = {.flags = PROF_WALK_GUESS_FP};
  struct prof_stack stack = {.flags = PROF_STACK_ASYNC};
  (void)state;
  prof_stack_take(&stack, &walk);
  assert_int_equal(stack.count, 7);
  assert_int_equal(stack.end, PROF_WALK_NO_ROW);
  assert_int_equal(stack.end_pc, 0x1234);
  assert_int_equal(stack.flags, PROF_STACK_ASYNC | PROF_STACK_GUESSED | PROF_STACK_SCANNED);
  stack.flags = 0;
  prof_stack_take(&stack, &by_frame);
  assert_int_equal(stack.flags, PROF_STACK_GUESSED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_committed_is_read_in_order),
      cmocka_unit_test(a_full_shard_refuses),
      cmocka_unit_test(what_is_drained_in_time_stays_at_the_start),
      cmocka_unit_test(what_a_late_drain_let_pile_up_is_given_back),
      cmocka_unit_test(writers_do_not_lose_or_mix_records),
      cmocka_unit_test(walks_of_all_cpus_are_drained_in_order_and_wake_once),
      cmocka_unit_test(a_cpu_without_room_refuses_and_bytes_are_shared_out),
      cmocka_unit_test(a_stack_has_its_walks_end_and_flags),
  };
  return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
