/* cputimer: threads that come and go, on a machine by rules and on this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fake_os.h"
#include "perf/cputimer.h"

#define COOKIE 0x1234567800000000u

static struct fake_machine machine;
static struct prof_os os;
static struct prof_cputimers *timers;
static char seen[256]; /* "+100 -101 " */

static void see(void *user, uint32_t tid, bool is_born) {
  (void)user;
  snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%c%u", seen[0] ? " " : "",
           is_born ? '+' : '-', tid);
}

static const char *scan(void) {
  seen[0] = 0;
  prof_cputimers_scan(timers, see, NULL);
  return seen;
}

static void open_on(struct fake_machine usual) {
  const struct prof_plan plan = {.period_ns = 1000000};
  machine = usual;
  os = fake_os(&machine);
  assert_int_equal(prof_cputimers_open(&os, &plan, COOKIE, 102, &timers, NULL), 0);
}

static int close_timers(void **state) {
  (void)state;
  prof_cputimers_close(timers);
  timers = NULL;
  return machine.timers_open;
}

static void each_thread_gets_one_timer(void **state) {
  (void)state;
  struct fake_machine usual = fake_usual();
  memcpy(usual.scans, (int[24][32]){{101, 100, 102}, {101, 100, 102}, {103, 101, 102}, {101, 102}},
         sizeof usual.scans);
  usual.scan_count = 4;
  open_on(usual);
  assert_int_equal(machine.timers_made, 0); /* nothing runs before the first scan */
  assert_string_equal(scan(), "+101 +100"); /* 102 is the profiler's */
  assert_string_equal(scan(), "");
  assert_string_equal(scan(), "+103 -100");
  assert_string_equal(scan(), "-103");
  assert_int_equal(machine.timers_open, 1);
  assert_int_equal(machine.timers_made, 3);
  assert_int_equal(machine.timers[0].tid, 101);
  assert_int_equal(machine.timers[0].signal, SIGTRAP);
  assert_int_equal(machine.timers[0].period_ns, 1000000);
  assert_true(machine.timers[0].data == (COOKIE | 101));
  assert_int_equal(prof_cputimers_counts(timers).threads, 3);
  prof_cputimers_stop(timers);
  assert_int_equal(machine.timers_open, 0);
}

static void a_number_used_again_is_another_thread(void **state) {
  (void)state;
  open_on(fake_usual());
  assert_string_equal(scan(), "+100 +101");
  machine.timers[1].is_over = true;
  assert_string_equal(scan(), "-101 +101");
  assert_int_equal(machine.timers_open, 2);
  assert_string_equal(scan(), "");
}

static void a_thread_that_ends_meanwhile_is_left_out(void **state) {
  (void)state;
  struct fake_machine usual = fake_usual();
  usual.dead_tid = 101;
  open_on(usual);
  assert_string_equal(scan(), "+100");
}

static void threads_without_a_timer_are_counted(void **state) {
  (void)state;
  struct fake_machine usual = fake_usual();
  usual.timers_max = 1;
  open_on(usual);
  assert_string_equal(scan(), "+100 +101"); /* once: it is not tried at each scan */
  assert_string_equal(scan(), "");
  assert_int_equal(prof_cputimers_counts(timers).refused, 1);
}

static atomic_int sleeping_tid;
static pthread_barrier_t over;

static void *sleep_until_over(void *unused) {
  (void)unused;
  sleeping_tid = (int)syscall(SYS_gettid);
  pthread_barrier_wait(&over);
  pthread_barrier_wait(&over);
  return NULL;
}

static void without_proc_threads_are_found_by_number(void **state) {
  (void)state;
  struct fake_machine usual = fake_usual();
  pthread_t thread;
  char expected[64];
  usual.is_task_hidden = true;
  pthread_barrier_init(&over, NULL, 2);
  assert_int_equal(pthread_create(&thread, NULL, sleep_until_over, NULL), 0);
  pthread_barrier_wait(&over);
  open_on(usual);
  scan();
  snprintf(expected, sizeof expected, "+%d", getpid());
  assert_non_null(strstr(seen, expected));
  /* Other processes take numbers too: more of them than are looked through, and it is not found. */
  snprintf(expected, sizeof expected, "+%d", (int)sleeping_tid);
  if (sleeping_tid - getpid() < 4096)
    assert_non_null(strstr(seen, expected));
  assert_int_equal(prof_cputimers_counts(timers).swept_errno, ENOENT);
  pthread_barrier_wait(&over);
  pthread_join(thread, NULL);
}

static _Atomic long fired, ticks;

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)context;
  fired += info->si_code == SI_TIMER &&
           (uint64_t)(uintptr_t)info->si_value.sival_ptr >> 32 == (COOKIE >> 32);
  ticks += 1 + info->si_overrun;
}

/* By CPU time: the periods add up to what the thread ran. */
static void this_machine_signals_by_cpu_time(void **state) {
  (void)state;
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO}, before;
  const struct prof_plan plan = {.period_ns = 1000000};
  struct timespec start, now;
  sigaction(SIGTRAP, &action, &before);
  assert_int_equal(prof_cputimers_open(&prof_os_real, &plan, COOKIE, 0, &timers, NULL), 0);
  scan();
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  do
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  while (now.tv_sec * 1000 + now.tv_nsec / 1000000 <
         start.tv_sec * 1000 + start.tv_nsec / 1000000 + 200);
  prof_cputimers_stop(timers);
  sigaction(SIGTRAP, &before, NULL);
  assert_true(fired > 0);
  /* What ran since the last tick that met this thread is missing; on a busy machine ticks meet
   * others. One period a signal would be 50 at 250 ticks a second (200 at 1000). */
  assert_in_range(ticks, 110, 210);
  assert_true(ticks >= fired);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(each_thread_gets_one_timer, close_timers),
      cmocka_unit_test_teardown(a_number_used_again_is_another_thread, close_timers),
      cmocka_unit_test_teardown(a_thread_that_ends_meanwhile_is_left_out, close_timers),
      cmocka_unit_test_teardown(threads_without_a_timer_are_counted, close_timers),
      cmocka_unit_test_teardown(without_proc_threads_are_found_by_number, close_timers),
      cmocka_unit_test_teardown(this_machine_signals_by_cpu_time, close_timers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
