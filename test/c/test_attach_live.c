/* attach on this machine, with cpu-clock: threads born while attaching, side-band records, signals.
 * Skipped with the reason where perf_event_open is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "perf/attach.h"

#define COOKIE (0x5eed5eedull << 32)
#define STORM 600
#define SPAWNERS 4
#define TRAP_PERF_CODE 6 /* asm-generic/siginfo.h, since 5.13 */
#define TIDS (1 << 22)

static int tid_now(void) {
  return (int)syscall(SYS_gettid);
}

/* Burns this thread's CPU time without system calls in between (the clock is in the vdso's reach
 * only for wall time, so work is counted in rounds between looks). */
static void burn(uint64_t ns) {
  uint64_t until = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;
  unsigned sink = 0;
  do
    for (unsigned i = 0; i < 20000; i++)
      __asm__ volatile("" : "+r"(sink) : "r"(i * i));
  while (prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) < until);
}

/* What the kept records said. */
struct seen {
  struct prof_attach *attach;
  uint64_t samples, doubles, malformed, lost, weight;
  uint32_t *per_tid; /* kept samples */
  int maps_of_a, maps_of_b, comms, forks, exits;
  uint64_t map_a, map_b;
  uint32_t child_tid, foreign_pid, heavy_tid; /* heavy: whose weight is not summed */
  bool had_regs, bad_time;
  uint64_t start_ns;
};

static void visit(void *user, const struct perf_event_header *header, int cpu) {
  struct seen *seen = user;
  struct prof_record record;
  if (prof_record_decode(prof_attach_layout(seen->attach), header, &record)) {
    seen->malformed++;
    return;
  }
  if (prof_attach_drops(seen->attach, &record)) {
    seen->doubles++;
    return;
  }
  if (record.type == PERF_RECORD_LOST)
    seen->lost += record.lost.count;
  if (record.time_ns < seen->start_ns || record.time_ns > prof_clock_ns(CLOCK_MONOTONIC))
    seen->bad_time = true;
  if (record.pid != (uint32_t)getpid())
    seen->foreign_pid = record.pid;
  switch (record.type) {
  case PERF_RECORD_SAMPLE:
    assert_int_equal(record.cpu, cpu);
    seen->samples++;
    if (record.tid != seen->heavy_tid)
      seen->weight += record.sample.period;
    seen->had_regs |= record.sample.has_user_regs;
    if (record.tid < TIDS)
      seen->per_tid[record.tid]++;
    break;
  case PERF_RECORD_MMAP2:
    seen->maps_of_a += record.mmap.start == seen->map_a;
    seen->maps_of_b += record.mmap.start == seen->map_b;
    break;
  case PERF_RECORD_COMM:
    seen->comms += !strcmp(record.comm.name, "renamed");
    break;
  case PERF_RECORD_FORK:
    seen->forks += record.tid == seen->child_tid;
    break;
  case PERF_RECORD_EXIT:
    seen->exits += record.tid == seen->child_tid;
    break;
  default:
    break;
  }
}

static void drain(struct seen *seen) {
  for (int i = 0; i < prof_attach_ring_count(seen->attach); i++) {
    prof_ring_drain(prof_attach_ring(seen->attach, i), visit, seen);
    seen->malformed += prof_attach_ring(seen->attach, i)->malformed;
  }
}

static struct prof_plan plan_or_skip(int call_graph, uint32_t frequency) {
  struct prof_plan plan;
  struct prof_error error;
  if (prof_choose_plan(&prof_os_real, "cpu-clock:u", frequency, call_graph, &plan, &error)) {
    print_message("skipped: %s\n", error.message);
    skip();
  }
  return plan;
}

static void begin(struct seen *seen, const struct prof_plan *plan, int skip_tid) {
  struct prof_attach_options options = {.plan = *plan, .sig_data = COOKIE, .skip_tid = skip_tid};
  struct prof_error error = {0};
  memset(seen, 0, sizeof *seen);
  seen->per_tid = calloc(TIDS, sizeof *seen->per_tid);
  seen->start_ns = prof_clock_ns(CLOCK_MONOTONIC);
  if (prof_attach_open(&prof_os_real, &options, &seen->attach, &error))
    fail_msg("%s", error.message);
}

static void end(struct seen *seen) {
  prof_attach_close(seen->attach);
  free(seen->per_tid);
  assert_int_equal(seen->malformed, 0);
  assert_int_equal(seen->lost, 0);
  assert_false(seen->bad_time);
}

static atomic_int go, born;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int storm_tids[STORM];
static uint64_t storm_ns[STORM];

static void *storm_thread(void *argument) {
  intptr_t index = (intptr_t)argument;
  storm_tids[index] = tid_now();
  atomic_fetch_add(&born, 1);
  pthread_mutex_lock(&gate);
  while (!atomic_load(&go))
    pthread_cond_wait(&opened, &gate);
  pthread_mutex_unlock(&gate);
  storm_ns[index] = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  burn(3000000);
  storm_ns[index] = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - storm_ns[index];
  return NULL;
}

static pthread_t storm[STORM];

static void *spawner(void *argument) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, 128 * 1024);
  for (intptr_t i = (intptr_t)argument; i < STORM; i += SPAWNERS)
    if (pthread_create(&storm[i], &attr, storm_thread, (void *)i))
      abort();
  pthread_attr_destroy(&attr);
  return NULL;
}

static void *drain_until_done(void *argument) {
  struct seen *seen = argument;
  while (atomic_load(&go) != 2) {
    drain(seen);
    usleep(5000);
  }
  return NULL;
}

static void threads_born_while_attaching_are_counted_once(void **state) {
  struct prof_plan plan = plan_or_skip(PROF_CALL_GRAPH_NONE, 4000);
  pthread_t spawning[SPAWNERS], draining;
  struct seen seen;
  uint64_t cpu_ns = 0, took_ns, double_threads = 0;
  int missed = 0, before;
  (void)state;
  atomic_store(&go, 0);
  atomic_store(&born, 0);
  before = prof_os_real.list_numbers(NULL, "/proc/self/fd", NULL, 0);
  for (intptr_t i = 0; i < SPAWNERS; i++)
    assert_int_equal(pthread_create(&spawning[i], NULL, spawner, (void *)i), 0);
  while (atomic_load(&born) < 20)
    usleep(50);
  begin(&seen, &plan, 0);
  took_ns = prof_clock_ns(CLOCK_MONOTONIC) - seen.start_ns;
  prof_attach_enable(seen.attach);
  assert_true(prof_attach_scan(seen.attach) >= 0);
  for (int i = 0; i < SPAWNERS; i++)
    pthread_join(spawning[i], NULL);
  pthread_create(&draining, NULL, drain_until_done, &seen);
  pthread_mutex_lock(&gate);
  atomic_store(&go, 1);
  pthread_cond_broadcast(&opened);
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < STORM; i++)
    pthread_join(storm[i], NULL);
  prof_attach_disable(seen.attach);
  atomic_store(&go, 2);
  pthread_join(draining, NULL);
  drain(&seen);
  for (int i = 0; i < STORM; i++) {
    missed += !seen.per_tid[storm_tids[i]];
    cpu_ns += storm_ns[i];
    double_threads += prof_attach_is_double(seen.attach, 0, (uint32_t)storm_tids[i]);
  }
  print_message("storm: %d descriptors for %d threads in %.1f ms (%d of the storm's have their "
                "own); %lu samples, %lu doubles dropped, %d threads missed, weight / CPU %.3f\n",
                prof_attach_fd_count(seen.attach), prof_attach_thread_count(seen.attach),
                (double)took_ns / 1e6, (int)double_threads, (unsigned long)seen.samples,
                (unsigned long)seen.doubles, missed, (double)seen.weight / (double)cpu_ns);
  assert_int_equal(missed, 0);
  /* User-only: what the kernel takes for creating and waiting is left out (below 1); counting
   * doubles would give up to 2. */
  assert_true(seen.weight > cpu_ns * 0.70 && seen.weight < cpu_ns * 1.15);
  end(&seen);
  assert_int_equal(prof_os_real.list_numbers(NULL, "/proc/self/fd", NULL, 0), before);
}

static atomic_int step, ready;

static void *maps_code(void *argument) {
  void *map = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, *(int *)argument, 0);
  atomic_fetch_add(&ready, 1);
  while (atomic_load(&step) == 0)
    usleep(500);
  /* Only what happens from here on is seen. */
  munmap(map, 4096);
  return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, *(int *)argument, 0);
}

static void *short_life(void *argument) {
  prctl(PR_SET_NAME, "renamed");
  *(uint32_t *)argument = (uint32_t)tid_now();
  return NULL;
}

static void side_band_records_come_once(void **state) {
  struct prof_plan plan = plan_or_skip(PROF_CALL_GRAPH_NONE, 1000);
  int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  pthread_t direct, inherits, child;
  struct seen seen;
  void *a, *b;
  (void)state;
  atomic_store(&step, 0);
  atomic_store(&ready, 0);
  pthread_create(&direct, NULL, maps_code, &file);
  begin(&seen, &plan, 0);
  /* Born between opening and enabling, then given events of its own too: doubled on purpose. */
  pthread_create(&inherits, NULL, maps_code, &file);
  assert_true(prof_attach_scan(seen.attach) >= 1);
  while (atomic_load(&ready) != 2)
    usleep(100);
  prof_attach_enable(seen.attach);
  atomic_store(&step, 1);
  pthread_join(direct, &a);
  pthread_join(inherits, &b);
  pthread_create(&child, NULL, short_life, &seen.child_tid);
  pthread_join(child, NULL);
  prof_attach_disable(seen.attach);
  seen.map_a = (uint64_t)(uintptr_t)a;
  seen.map_b = (uint64_t)(uintptr_t)b;
  drain(&seen);
  print_message("side band: %lu doubles dropped; maps %d %d, comm %d, fork %d, exit %d\n",
                (unsigned long)seen.doubles, seen.maps_of_a, seen.maps_of_b, seen.comms, seen.forks,
                seen.exits);
  assert_true(seen.doubles > 0);
  assert_int_equal(seen.maps_of_a, seen.map_a == seen.map_b ? 2 : 1);
  assert_int_equal(seen.maps_of_b, seen.map_a == seen.map_b ? 2 : 1);
  assert_int_equal(seen.comms, 1);
  assert_int_equal(seen.forks, 1);
  assert_int_equal(seen.exits, 1);
  munmap(a, 4096);
  munmap(b, 4096);
  close(file);
  end(&seen);
}

static atomic_ullong signals, foreign, asynchronous, skipped_thread_signals;
static atomic_int skipped_tid;

/* struct kernel_siginfo, 64 bits: si_addr at 16, si_perf_data, _type, _flags at 24, 32, 36
 * (include/uapi/asm-generic/siginfo.h, 5.18 on). */
static void on_trap(int number, siginfo_t *info, void *context) {
  uint64_t data;
  uint32_t flags;
  int tid = tid_now();
  (void)number;
  (void)context;
  memcpy(&data, (char *)info + 24, sizeof data);
  memcpy(&flags, (char *)info + 36, sizeof flags);
  atomic_fetch_add(&signals, 1);
  if (info->si_code != TRAP_PERF_CODE || data >> 32 != COOKIE >> 32)
    atomic_fetch_add(&foreign, 1);
  if (tid == atomic_load(&skipped_tid))
    atomic_fetch_add(&skipped_thread_signals, 1);
  atomic_fetch_add(&asynchronous, flags & 1);
}

static void *burns_when_told(void *argument) {
  if (argument)
    atomic_store((atomic_int *)argument, tid_now());
  while (atomic_load(&step) == 0)
    usleep(500);
  burn(200000000);
  return NULL;
}

/* One thread of its own events, one that was given both kinds when doubling, one left out. */
static void run_signalled(struct seen *seen, bool doubling) {
  struct prof_plan plan = plan_or_skip(PROF_CALL_GRAPH_FULL, 2000);
  struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_RESTART}, old;
  pthread_t direct, late, skipped;
  if (!plan.sigtrap) {
    print_message("skipped: %s\n", plan.note_count ? plan.notes[0].message : "no sigtrap");
    skip();
  }
  atomic_store(&step, 0);
  atomic_store(&skipped_tid, 0);
  atomic_store(&signals, 0);
  atomic_store(&foreign, 0);
  atomic_store(&asynchronous, 0);
  atomic_store(&skipped_thread_signals, 0);
  sigaction(SIGTRAP, &action, &old);
  pthread_create(&skipped, NULL, burns_when_told, &skipped_tid);
  pthread_create(&direct, NULL, burns_when_told, NULL);
  while (!atomic_load(&skipped_tid))
    usleep(100);
  begin(seen, &plan, atomic_load(&skipped_tid));
  pthread_create(&late, NULL, burns_when_told, NULL);
  if (doubling)
    assert_int_equal(prof_attach_scan(seen->attach), 1);
  prof_attach_enable(seen->attach);
  atomic_store(&step, 1);
  burn(100000000);
  pthread_join(direct, NULL);
  pthread_join(late, NULL);
  pthread_join(skipped, NULL);
  prof_attach_disable(seen->attach);
  drain(seen);
  usleep(1000); /* signals still queued */
  sigaction(SIGTRAP, &old, NULL);
  print_message("signals: %llu for %lu records and %lu doubles; %llu asynchronous\n",
                atomic_load(&signals), (unsigned long)seen->samples, (unsigned long)seen->doubles,
                atomic_load(&asynchronous));
  assert_int_equal(atomic_load(&foreign), 0);
  assert_int_equal(atomic_load(&skipped_thread_signals), 0);
  assert_int_equal(seen->per_tid[atomic_load(&skipped_tid)], 0);
  assert_true(seen->had_regs);
}

static void every_sample_signals_its_thread_once(void **state) {
  struct seen seen;
  (void)state;
  run_signalled(&seen, false);
  assert_int_equal(seen.doubles, 0);
  assert_true(seen.samples > 300);
  /* But for what is under way at the end. */
  assert_in_range(atomic_load(&signals), seen.samples - 4, seen.samples + 4);
  end(&seen);
}

/* SIGTRAP does not queue: where both events overflow at one moment, one signal stands for both. */
static void doubles_may_share_a_signal(void **state) {
  struct seen seen;
  (void)state;
  run_signalled(&seen, true);
  assert_true(seen.doubles > 0);
  assert_in_range(atomic_load(&signals), seen.samples - 4, seen.samples + seen.doubles + 4);
  end(&seen);
}

static void child_processes_are_not_sampled(void **state) {
  struct prof_plan plan = plan_or_skip(PROF_CALL_GRAPH_NONE, 4000);
  struct seen seen;
  pid_t child;
  int status;
  (void)state;
  if (!plan.threads_only) {
    print_message("skipped: this kernel has no inherit_thread\n");
    skip();
  }
  begin(&seen, &plan, 0);
  prof_attach_enable(seen.attach);
  child = fork();
  if (!child) {
    burn(50000000);
    _exit(0);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  burn(20000000);
  prof_attach_disable(seen.attach);
  drain(&seen);
  assert_int_equal(seen.per_tid[child], 0);
  assert_true(seen.per_tid[tid_now()] > 0);
  end(&seen);
}

/* Threads that burn 25 ms each, born all the time, while the rate changes every 15 ms. What they
 * ran is a counting event's word: the clock of a thread's CPU time leaves out what the host took,
 * and the sampling event's timer does not. */
static atomic_ullong counted_ns;

static void *short_burn(void *argument) {
  *(uint32_t *)argument = (uint32_t)tid_now();
  burn(25000000);
  return NULL;
}

static void *spawns_for_long(void *argument) {
  struct perf_event_attr attr = {.size = sizeof attr,
                                 .type = PERF_TYPE_SOFTWARE,
                                 .config = PERF_COUNT_SW_CPU_CLOCK,
                                 .exclude_kernel = 1,
                                 .inherit = 1};
  int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
  uint32_t *tids = argument;
  uint64_t count = 0;
  for (int i = 0; i < 12; i++) {
    pthread_t thread[2];
    for (int j = 0; j < 2; j++)
      pthread_create(&thread[j], NULL, short_burn, &tids[2 * i + j]);
    for (int j = 0; j < 2; j++)
      pthread_join(thread[j], NULL);
  }
  if (read(fd, &count, sizeof count) == sizeof count)
    atomic_store(&counted_ns, count);
  close(fd);
  atomic_store(&go, 3);
  return NULL;
}

static void weights_are_true_while_the_rate_changes(void **state) {
  static const uint32_t rates[] = {8000, 2000, 4000, 8000, 1000};
  struct prof_plan plan = plan_or_skip(PROF_CALL_GRAPH_NONE, 8000);
  struct prof_error error = {0};
  struct seen seen;
  pthread_t spawning;
  uint32_t tids[24], count = 0;
  int missed = 0;
  (void)state;
  atomic_store(&go, 0);
  atomic_store(&counted_ns, 0);
  begin(&seen, &plan, 0);
  seen.heavy_tid = (uint32_t)getpid(); /* it drains and changes rates */
  prof_attach_enable(seen.attach);
  pthread_create(&spawning, NULL, spawns_for_long, tids);
  assert_true(prof_attach_scan(seen.attach) >= 0);
  while (atomic_load(&go) != 3) {
    usleep(15000);
    prof_attach_confirm(seen.attach);
    drain(&seen);
    if (prof_attach_change(seen.attach, rates[++count % 5], &error))
      fail_msg("%s", error.message);
  }
  pthread_join(spawning, NULL);
  prof_attach_disable(seen.attach);
  drain(&seen);
  for (int i = 0; i < 24; i++)
    missed += seen.per_tid[tids[i]] == 0;
  double share = (double)seen.weight / (double)atomic_load(&counted_ns);
  print_message("%u changes of the rate: weights / counted %.4f, %llu dropped, %d of 24 threads "
                "missed, %d events\n",
                count, share, (unsigned long long)seen.doubles, missed,
                prof_attach_fd_count(seen.attach));
  assert_true(count >= 10);
  assert_int_equal(missed, 0);
  /* Below 1: what a thread had counted towards its next sample at its end, and timers that come
   * late on a busy machine. 1.2 to 1.8 while children of doubled threads counted twice. */
  assert_true(share > 0.75 && share < 1.05);
  end(&seen);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_born_while_attaching_are_counted_once),
      cmocka_unit_test(side_band_records_come_once),
      cmocka_unit_test(every_sample_signals_its_thread_once),
      cmocka_unit_test(doubles_may_share_a_signal),
      cmocka_unit_test(child_processes_are_not_sampled),
      cmocka_unit_test(weights_are_true_while_the_rate_changes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
