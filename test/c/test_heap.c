/* heap: slots turned and back, samples of known pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap/distance.h"
#include "heap/hooks.h"
#include "heap/live.h"
#include "heap/sampler.h"
#include "heap/slots.h"

#define MB (1u << 20)

/* --- the hooks, in a library that is turned --- */

struct fixture {
  uint64_t (*churn)(uint32_t, size_t);
  uint64_t (*keep)(void **, uint32_t, size_t);
  void (*free_list)(void **);
  uint64_t (*each_kind)(size_t);
  void *(*crowd_start)(void);
  uint64_t (*crowd_stop)(void *);
} fixture;

static struct prof_slots slots;
static struct prof_unwind unwind;

static void *symbol(void *library, const char *name) {
  void *found = dlsym(library, name);
  assert_non_null(found);
  return found;
}

static int open_fixture(void **state) {
  char path[4096];
  (void)state;
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - 32);
  assert_true(length > 0);
  path[length] = 0;
  strcpy(strrchr(path, '/') + 1, "heap_fixture.so");
  void *library = dlopen(path, RTLD_NOW);
  if (!library)
    fail_msg("%s", dlerror());
  *(void **)&fixture.churn = symbol(library, "fixture_churn");
  *(void **)&fixture.keep = symbol(library, "fixture_keep");
  *(void **)&fixture.free_list = symbol(library, "fixture_free_list");
  *(void **)&fixture.each_kind = symbol(library, "fixture_each_kind");
  *(void **)&fixture.crowd_start = symbol(library, "fixture_crowd_start");
  *(void **)&fixture.crowd_stop = symbol(library, "fixture_crowd_stop");
  unwind.rows = prof_rows_create(NULL);
  assert_non_null(unwind.rows);
  assert_int_equal(prof_rows_refresh(unwind.rows, NULL), 0);
  slots.hooks = prof_hooks;
  slots.hook_count = prof_hook_count;
  return 0;
}

static void turn(uint64_t mean_bytes, uint32_t most_samples) {
  const struct prof_heap_options options = {
      .unwind = &unwind, .mean_bytes = mean_bytes, .max_words = 256, .most_samples = most_samples};
  assert_int_equal(prof_hooks_prepare(NULL), 0);
  assert_int_equal(prof_heap_arm(&options, NULL), 0);
  prof_slots_turn(&slots);
}

/* What samples of this recording stand for. */
struct sums {
  uint64_t mean_bytes, in_fixture, samples;
  double bytes, live_bytes;
};

static void sum_up(void *user, const struct prof_stack *stack) {
  struct sums *sums = user;
  Dl_info info;
  assert_true(stack->flags & PROF_STACK_HEAP);
  double weight = (double)stack->sp / -expm1(-(double)stack->sp / (double)sums->mean_bytes);
  sums->samples++;
  sums->bytes += weight;
  if (!prof_heap_freed_ns((uint32_t)stack->ticks))
    sums->live_bytes += weight;
  sums->in_fixture += stack->count > 1 && dladdr((void *)(uintptr_t)stack->ip, &info) &&
                      strstr(info.dli_fname, "heap_fixture") != NULL;
}

static struct sums drain(uint64_t mean_bytes) {
  struct sums sums = {.mean_bytes = mean_bytes};
  prof_heap_drain(sum_up, &sums);
  return sums;
}

static void back(void) {
  prof_slots_restore(&slots);
  prof_heap_disarm();
}

/* Relaxed: ThreadSanitizer is not to learn an order between threads from them. */
static _Atomic bool is_inside, may_go_on;

static void wait_for(_Atomic bool *flag) {
  while (!atomic_load_explicit(flag, memory_order_relaxed))
    usleep(1000);
}

static void *free_when_told(void *user) {
  wait_for(&may_go_on);
  fixture.free_list(user);
  return user;
}

/* The table of what lives is made now, and asked by a thread that was there before. */
static void the_first_recording_begins_while_a_thread_frees(void **state) {
  struct prof_heap_counters counters;
  void *kept = NULL;
  pthread_t thread;
  (void)state;
  assert_null(prof_heap_live);
  fixture.keep(&kept, 4000, 32);
  assert_int_equal(pthread_create(&thread, NULL, free_when_told, &kept), 0);
  turn(1, 100000);
  atomic_store_explicit(&may_go_on, true, memory_order_relaxed);
  pthread_join(thread, NULL);
  prof_heap_read_counters(&counters);
  back();
  assert_null(kept);
  assert_int_equal(counters.samples + counters.missed_frees, 0);
}

static void known_pieces_are_counted_right(void **state) {
  enum { MEAN = 8192 };
  void *kept = NULL, *freed = NULL;
  (void)state;
  turn(MEAN, 100000);
  assert_true(slots.count >= 8);
  /* 16 + 8 + 8 MB: 4,096 samples, some 1.6 % each way. */
  uint64_t all = fixture.churn(16384, 1024) + fixture.keep(&kept, 2000, 4194);
  all += fixture.keep(&freed, 8, MB);
  fixture.free_list(&freed);
  struct prof_heap_counters counters;
  struct sums sums = drain(MEAN);
  prof_heap_read_counters(&counters);
  back();
  fixture.free_list(&kept);
  assert_int_equal(counters.dropped + counters.not_followed + counters.missed_frees, 0);
  assert_int_equal(counters.samples, sums.samples);
  assert_true(fabs(sums.bytes / (double)all - 1) < 0.12);
  assert_true(fabs(sums.live_bytes / (2000. * 4194) - 1) < 0.2);
  /* The callers of malloc, whole up to them, without our own frames. */
  assert_int_equal(sums.in_fixture, sums.samples);
}

static void every_way_to_allocate_is_seen(void **state) {
  (void)state;
  turn(1, 100000); /* each one is a sample */
  uint64_t bytes = fixture.each_kind(64 * 1024);
  struct sums sums = drain(1);
  back();
  assert_int_equal(bytes, 8 * 64 * 1024);
  assert_true(fabs(sums.bytes - (double)bytes) < 1);
  assert_true(sums.live_bytes == 0);
  assert_int_equal(sums.samples, 7);
}

static void back_means_back(void **state) {
  struct prof_heap_counters counters;
  (void)state;
  turn(1, 1000);
  prof_slots_restore(&slots);
  fixture.churn(100, 100);
  prof_heap_read_counters(&counters);
  prof_heap_disarm();
  assert_int_equal(counters.samples, 0);
  assert_int_equal(slots.count, 0);
}

static void at_its_limit_it_takes_no_more(void **state) {
  struct prof_heap_counters counters;
  (void)state;
  turn(1, 50);
  fixture.churn(1000, 100);
  prof_heap_read_counters(&counters);
  struct sums sums = drain(1);
  back();
  assert_true(counters.is_full);
  assert_int_equal(counters.samples, 50);
  assert_int_equal(sums.samples, 50);
}

static void a_second_one_is_refused(void **state) {
  struct prof_error error;
  const struct prof_heap_options options = {
      .unwind = &unwind, .mean_bytes = 1, .max_words = 16, .most_samples = 1};
  (void)state;
  turn(1024, 10);
  assert_int_equal(prof_heap_arm(&options, &error), PROF_BUSY);
  back();
}

/* A process that was forked off while samples were taken, and does not exec. */
static void a_child_can_sample_for_itself(void **state) {
  const struct prof_heap_options options = {
      .unwind = &unwind, .mean_bytes = 1, .max_words = 256, .most_samples = 1000};
  int status;
  (void)state;
  turn(1, 1000);
  pid_t child = fork();
  if (child == 0) {
    struct prof_heap_counters counters;
    fixture.churn(10, 64); /* the hooks see that nobody samples here */
    if (prof_heap_arm(&options, NULL))
      _exit(1);
    fixture.churn(10, 64);
    prof_heap_read_counters(&counters);
    _exit(counters.samples == 10 ? 0 : 2);
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  back();
  assert_int_equal(status, 0);
}

static void a_piece_freed_unseen_ends_when_its_address_is_used_again(void **state) {
#ifdef __SANITIZE_ADDRESS__
  skip(); /* its allocator does not use an address again soon */
#endif
  struct prof_heap_counters counters;
  void *kept = NULL;
  (void)state;
  turn(1, 1000);
  fixture.keep(&kept, 1, 256);
  free(kept); /* this program's own slots are not turned */
  for (int i = 0; i < 100; i++)
    fixture.churn(1, 256);
  prof_heap_read_counters(&counters);
  struct sums sums = drain(1);
  back();
  assert_int_equal(counters.missed_frees, 1);
  assert_true(sums.live_bytes == 0);
}

static void thousand_times_on_and_off_while_eight_threads_allocate(void **state) {
  int rounds = getenv("PROF_LONG") ? 1000 : 200;
  uint64_t samples = 0;
  (void)state;
  void *crowd = fixture.crowd_start();
  assert_non_null(crowd);
  for (int i = 0; i < rounds; i++) {
    turn(4096, 100000);
    sched_yield();
    if (i % 50 == 0)
      usleep(10000);
    samples += drain(4096).samples;
    back();
    assert_int_equal(slots.count, 0);
  }
  uint64_t made = fixture.crowd_stop(crowd);
  assert_true(made != UINT64_MAX && made > 0);
  assert_true(samples > 0);
}

/* --- a thread that loses its CPU in the middle of a sample --- */

static void stand_still(void *user) {
  (void)user;
  atomic_store_explicit(&is_inside, true, memory_order_relaxed);
  wait_for(&may_go_on);
}

static void *churn_until_full(void *user) {
  fixture.churn(20000, 256);
  return user;
}

static void a_recording_begins_while_a_thread_is_still_in_the_last_one(void **state) {
  const struct prof_heap_options options = {.unwind = &unwind,
                                            .mean_bytes = 1,
                                            .max_words = 256,
                                            .most_samples = 100000,
                                            .wake = stand_still};
  pthread_t thread;
  (void)state;
  is_inside = may_go_on = false;
  assert_int_equal(prof_hooks_prepare(NULL), 0);
  assert_int_equal(prof_heap_arm(&options, NULL), 0);
  prof_slots_turn(&slots);
  assert_int_equal(pthread_create(&thread, NULL, churn_until_full, NULL), 0);
  wait_for(&is_inside);
  prof_slots_restore(&slots);
  assert_false(prof_heap_disarm()); /* it waits a second */
  turn(1, 100000);
  uint64_t bytes = fixture.churn(100, 256);
  atomic_store_explicit(&may_go_on, true, memory_order_relaxed);
  pthread_join(thread, NULL);
  assert_true(prof_heap_wait());
  struct sums sums = drain(1);
  back();
  /* The first recording's sample is not in the second; what the thread went on with may be. */
  assert_true(sums.bytes >= (double)bytes && sums.samples >= 100);
  assert_true(sums.live_bytes == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_first_recording_begins_while_a_thread_frees),
      cmocka_unit_test(known_pieces_are_counted_right),
      cmocka_unit_test(every_way_to_allocate_is_seen),
      cmocka_unit_test(back_means_back),
      cmocka_unit_test(at_its_limit_it_takes_no_more),
      cmocka_unit_test(a_second_one_is_refused),
      cmocka_unit_test(a_child_can_sample_for_itself),
      cmocka_unit_test(a_piece_freed_unseen_ends_when_its_address_is_used_again),
      cmocka_unit_test(a_recording_begins_while_a_thread_is_still_in_the_last_one),
      cmocka_unit_test(thousand_times_on_and_off_while_eight_threads_allocate),
  };
  return cmocka_run_group_tests(tests, open_fixture, NULL);
}
