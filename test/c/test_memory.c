/* stack/memory: reads that never fault, live and from dumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stack/memory.h"
#include "stack/probe.h"

#define PAGE 4096u

static uint64_t address_of(const void *pointer) {
  return (uint64_t)(uintptr_t)pointer;
}

/* count pages, each filled with its number, between two that are protected. */
static unsigned char *fenced(size_t count) {
  unsigned char *all =
      mmap(NULL, (count + 2) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(all != MAP_FAILED);
  for (size_t i = 0; i < count; i++)
    memset(all + (i + 1) * PAGE, (int)i + 1, PAGE);
  assert_int_equal(mprotect(all, PAGE, PROT_NONE), 0);
  assert_int_equal(mprotect(all + (count + 1) * PAGE, PAGE, PROT_NONE), 0);
  return all + PAGE;
}

static void probing_tells_readable_from_not(void **state) {
  unsigned char *pages = fenced(1);
  sigset_t before, after;
  (void)state;
  memset(&before, 0, sizeof before); /* the kernel fills 8 bytes of it */
  memset(&after, 0, sizeof after);
  sigprocmask(SIG_SETMASK, NULL, &before);
  errno = 77;
  assert_true(prof_probe_word(address_of(pages)));
  assert_true(prof_probe_word(address_of(pages) + PAGE - 8));
  assert_false(prof_probe_word(address_of(pages) + PAGE - 7));
  assert_false(prof_probe_word(address_of(pages) + PAGE));
  assert_false(prof_probe_word(address_of(pages) - 8));
  assert_false(prof_probe_word(0));
  assert_false(prof_probe_word(8));
  assert_false(prof_probe_word(UINT64_MAX - 7));
  assert_false(prof_probe_word(0xffffffff81000000ull));
  assert_false(prof_probe_word(0x00dead0000000000ull)); /* not canonical */
  assert_int_equal(errno, 77);
  sigprocmask(SIG_SETMASK, NULL, &after);
  assert_memory_equal(&before, &after, sizeof before);
}

static void a_dump_is_read_to_its_last_word(void **state) {
  uint8_t bytes[36];
  struct prof_memory memory;
  uint64_t word;
  (void)state;
  for (unsigned i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)i;
  prof_memory_bytes(&memory, 0x7ffd0000, bytes, sizeof bytes);
  prof_memory_begin(&memory, 0x7ffd0000);
  assert_true(prof_memory_read(&memory, 0x7ffd0000, &word));
  assert_int_equal(word, 0x0706050403020100);
  assert_true(prof_memory_read(&memory, 0x7ffd0000 + 28, &word));
  assert_int_equal(word, 0x232221201f1e1d1c);
  assert_false(prof_memory_read(&memory, 0x7ffd0000 + 29, &word));
  assert_false(prof_memory_read(&memory, 0x7ffd0000 - 1, &word));
  assert_false(prof_memory_read(&memory, 0, &word));
  assert_false(prof_memory_read(&memory, UINT64_MAX, &word));
  assert_false(prof_memory_code(&memory, 0x7ffd0000, bytes, 1));
  prof_memory_bytes(&memory, 0x1000, bytes, 7);
  assert_false(prof_memory_read(&memory, 0x1000, &word));
}

static void live_reads_stop_at_the_guard_pages(void **state) {
  unsigned char *pages = fenced(3);
  struct prof_memory memory;
  uint64_t word, start = address_of(pages), probes;
  (void)state;
  prof_memory_live(&memory);
  prof_memory_begin(&memory, start);
  for (uint64_t at = 0; at < 3 * PAGE; at += 8) {
    assert_true(prof_memory_read(&memory, start + at, &word));
    assert_int_equal(word & 0xff, at / PAGE + 1);
  }
  assert_int_equal(memory.probes, 3);
  assert_true(prof_memory_read(&memory, start + PAGE - 4, &word)); /* across two pages */
  assert_false(prof_memory_read(&memory, start + 3 * PAGE - 7, &word));
  assert_false(prof_memory_read(&memory, start + 3 * PAGE, &word));
  assert_false(prof_memory_read(&memory, start - 1, &word));
  assert_true(prof_memory_read(&memory, start, &word)); /* the window is still good */
  probes = memory.probes;
  assert_true(prof_memory_read(&memory, start + 2 * PAGE, &word));
  assert_int_equal(memory.probes, probes);
  assert_false(prof_memory_read(&memory, 0, &word));
  assert_false(prof_memory_read(&memory, UINT64_MAX - 3, &word));
}

static void another_stack_is_asked_for_again_in_every_walk(void **state) {
  unsigned char *pages = fenced(2);
  struct prof_memory memory;
  uint64_t word, start = address_of(pages);
  (void)state;
  prof_memory_live(&memory);
  prof_memory_begin(&memory, start);
  assert_true(prof_memory_read(&memory, start, &word));
  assert_true(prof_memory_read(&memory, start + PAGE, &word));
  munmap(pages + PAGE, PAGE);
  prof_memory_begin(&memory, start);
  assert_true(prof_memory_read(&memory, start, &word));
  assert_false(prof_memory_read(&memory, start + PAGE, &word));
}

static void bytes_are_fetched_or_refused_whole(void **state) {
  unsigned char *pages = fenced(2);
  uint64_t start = address_of(pages);
  uint8_t bytes[300] = {0};
  (void)state;
  assert_true(prof_probe_fetch(start + PAGE - 150, bytes, 300));
  assert_int_equal(bytes[149], 1);
  assert_int_equal(bytes[150], 2);
  assert_false(prof_probe_fetch(start + 2 * PAGE - 299, bytes, 300));
  munmap(pages, 2 * PAGE);
  assert_false(prof_probe_fetch(start, bytes, 10));
  assert_false(prof_probe_fetch(0, bytes, 10));
  assert_false(prof_probe_fetch(UINT64_MAX - 3, bytes, 10));
}

static void two_stacks_are_both_at_hand(void **state) {
  unsigned char *one = fenced(1), *two = fenced(1);
  struct prof_memory memory;
  uint64_t word;
  (void)state;
  prof_memory_live(&memory);
  prof_memory_begin(&memory, address_of(one));
  for (int i = 0; i < 100; i++) {
    assert_true(prof_memory_read(&memory, address_of(one) + 8, &word));
    assert_int_equal(word & 0xff, 1);
    assert_true(prof_memory_read(&memory, address_of(two) + 8, &word));
  }
  assert_int_equal(memory.probes, 2);
}

/* A frame of many pages of which a walk reads the last words: what lies between may be anything. */
static void pages_that_nobody_reads_are_not_asked_for(void **state) {
  unsigned char *pages = fenced(12);
  struct prof_memory memory;
  uint64_t word, start = address_of(pages);
  (void)state;
  mprotect(pages + 5 * PAGE, PAGE, PROT_NONE);
  prof_memory_live(&memory);
  prof_memory_begin(&memory, start);
  assert_true(prof_memory_read(&memory, start, &word));
  assert_true(prof_memory_read(&memory, start + 7 * PAGE, &word));
  assert_int_equal(word & 0xff, 8);
  assert_int_equal(memory.probes, 2);
  assert_true(prof_memory_read(&memory, start + 8 * PAGE - 4, &word)); /* the next page is new */
  assert_int_equal(memory.probes, 3);
  assert_false(prof_memory_read(&memory, start + 5 * PAGE + 8, &word));
  assert_false(prof_memory_read(&memory, start + 5 * PAGE - 4, &word));
  assert_true(prof_memory_read(&memory, start + 3 * PAGE, &word));
  assert_int_equal(word & 0xff, 4);
  assert_true(prof_memory_read(&memory, start + 11 * PAGE, &word));
  assert_int_equal(word & 0xff, 12);
  assert_false(prof_memory_read(&memory, start + 12 * PAGE, &word));
}

/* Reads all of this thread's stack from here up: the second time must ask for nothing. */
static void *climb(void *unused) {
  struct prof_memory memory;
  uint64_t word, here = address_of(__builtin_frame_address(0)), top;
  unsigned long read = 0;
  (void)unused;
  prof_memory_live(&memory);
  prof_memory_begin(&memory, here);
  for (top = here; prof_memory_read(&memory, top, &word); top += 8)
    ;
  assert_true(memory.home_end != 0);
  assert_true(memory.probes > 0);
  memory.probes = 0;
  prof_memory_begin(&memory, here);
  for (uint64_t at = here; at + 8 < memory.home_end; at += 8, read++)
    assert_true(prof_memory_read(&memory, at, &word));
  assert_int_equal(memory.probes, 0);
  /* Deeper down only what is new is asked for, page by page up to what is known. */
  prof_memory_begin(&memory, memory.home_start - 2 * PAGE);
  prof_memory_read(&memory, memory.home_start - 2 * PAGE, &word);
  for (uint64_t at = memory.home_start - 2 * PAGE; at < memory.home_start; at += 8)
    prof_memory_read(&memory, at, &word);
  assert_true(memory.probes <= 4);
  return read > 10 ? (void *)1 : NULL;
}

/* Static thread-local storage lies between a thread's frames and the top of its stack. */
static __thread volatile char storage[5 * PAGE];

/* As walks read it: no further than the frames go. */
static void *stay_below(void *unused) {
  struct prof_memory memory;
  uint64_t word, here = address_of(__builtin_frame_address(0));
  (void)unused;
  storage[0] = 1;
  prof_memory_live(&memory);
  prof_memory_begin(&memory, here);
  assert_true(prof_memory_read(&memory, here, &word));
  assert_true(memory.home_end != 0);
  memory.probes = 0;
  prof_memory_begin(&memory, here);
  assert_true(prof_memory_read(&memory, here, &word));
  assert_int_equal(memory.probes, 0);
  return (void *)1;
}

/* A stack without a way to the thread's own: it is tried a few times, and then left. */
static void another_stack_near_the_top_is_not_taken_for_the_own(void **state) {
  unsigned char *pages = fenced(1);
  struct prof_memory memory;
  uint64_t word, start = address_of(pages);
  (void)state;
  prof_memory_live(&memory);
  memory.home_top = start + 3 * PAGE;
  for (int i = 0; i < 10; i++) {
    prof_memory_begin(&memory, start);
    assert_true(prof_memory_read(&memory, start, &word));
    assert_int_equal(memory.home_end, 0);
  }
  assert_in_range(memory.probes, 11, 20);
}

static void a_threads_own_stack_is_known_below_its_thread_local_storage(void **state) {
  pthread_t thread;
  void *result;
  (void)state;
#ifdef __SANITIZE_THREAD__ /* its thread-local storage is larger than any program's */
  print_message("skipped: under ThreadSanitizer a thread's own stack begins elsewhere\n");
  skip();
#endif
  assert_non_null(stay_below(NULL));
  assert_int_equal(pthread_create(&thread, NULL, stay_below, NULL), 0);
  pthread_join(thread, &result);
  assert_non_null(result);
}

static void a_threads_own_stack_is_asked_for_once(void **state) {
  pthread_t thread;
  void *result;
  (void)state;
  assert_non_null(climb(NULL));
  assert_int_equal(pthread_create(&thread, NULL, climb, NULL), 0);
  pthread_join(thread, &result);
  assert_non_null(result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(probing_tells_readable_from_not),
      cmocka_unit_test(a_dump_is_read_to_its_last_word),
      cmocka_unit_test(live_reads_stop_at_the_guard_pages),
      cmocka_unit_test(another_stack_is_asked_for_again_in_every_walk),
      cmocka_unit_test(bytes_are_fetched_or_refused_whole),
      cmocka_unit_test(two_stacks_are_both_at_hand),
      cmocka_unit_test(pages_that_nobody_reads_are_not_asked_for),
      cmocka_unit_test(a_threads_own_stack_is_asked_for_once),
      cmocka_unit_test(a_threads_own_stack_is_known_below_its_thread_local_storage),
      cmocka_unit_test(another_stack_near_the_top_is_not_taken_for_the_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
