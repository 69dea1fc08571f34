/* attach on machines that do not exist: threads that come and go, limits, doubles, hybrid CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_os.h"
#include "perf/attach.h"
#include "perf/files.h"
#include "perf/mapping.h"
#include "perf/owners.h"

#define COOKIE (0xabcdull << 32)

static struct fake_machine machine;
static struct prof_os os;
static struct prof_attach *attach;
static struct prof_error error;

static int open_with(const char *event, uint32_t frequency, size_t ring_bytes, int skip_tid) {
  struct prof_attach_options options = {
      .ring_bytes = ring_bytes, .sig_data = COOKIE, .skip_tid = skip_tid};
  int result;
  os = fake_os(&machine);
  attach = NULL;
  memset(&error, 0, sizeof error);
  assert_int_equal(
      prof_choose_plan(&os, event, frequency, PROF_CALL_GRAPH_FULL, &options.plan, &error), 0);
  machine.opens = 0;
  result = prof_attach_open(&os, &options, &attach, &error);
  assert_int_equal(result, error.status);
  return result;
}

static void close_all(void) {
  prof_attach_close(attach);
  attach = NULL;
  assert_int_equal(machine.open_fds, 0);
  assert_int_equal(machine.mapped, 0);
  assert_int_equal(machine.locked, 0);
}

static const struct prof_plan_note *note(const char *code) {
  const struct prof_plan *plan = prof_attach_plan(attach);
  for (int i = 0; i < plan->note_count; i++)
    if (!strcmp(plan->notes[i].code, code))
      return &plan->notes[i];
  return NULL;
}

static int events_of(int tid) {
  int count = 0;
  for (int fd = 0; fd < FAKE_FDS; fd++)
    count += machine.is_open[fd] && machine.tids[fd] == tid;
  return count;
}

static void every_thread_has_an_event_on_every_cpu(void **state) {
  (void)state;
  machine = fake_usual();
  machine.cpus = "0-1,4";
  assert_int_equal(open_with(NULL, 4000, 0, 101), 0);
  assert_int_equal(prof_attach_thread_count(attach), 2);
  assert_int_equal(prof_attach_fd_count(attach), 6);
  assert_int_equal(events_of(100), 3);
  assert_int_equal(events_of(101), 0); /* the profiler's own */
  assert_int_equal(events_of(102), 3);
  assert_int_equal(prof_attach_ring_count(attach), 3);
  assert_int_equal(machine.mapped, 3);
  assert_int_equal(machine.outputs, 3);
  for (int i = 0; i < 3; i++) {
    struct prof_ring *ring = prof_attach_ring(attach, i);
    assert_int_equal(ring->cpu, i < 2 ? i : 4);
    assert_int_equal(machine.cpu_of[ring->fd], ring->cpu);
    assert_int_equal(ring->data_bytes, 1 << 20); /* 4000 Hz with kernel chains */
  }
  for (int fd = 0; fd < FAKE_FDS; fd++) {
    const struct perf_event_attr *attr = &machine.attrs[fd];
    if (!machine.is_open[fd])
      continue;
    assert_true(attr->inherit && attr->inherit_thread && attr->sigtrap && attr->remove_on_exec);
    assert_true(attr->disabled && attr->use_clockid && attr->sample_id_all);
    assert_int_equal(attr->sig_data, COOKIE | (uint64_t)machine.tids[fd]);
    assert_int_equal(attr->sample_freq, 4000);
  }
  assert_int_equal(machine.enabled, 0);
  prof_attach_enable(attach);
  assert_int_equal(machine.enabled, 6);
  prof_attach_disable(attach);
  assert_int_equal(machine.enabled, 0);
  close_all();
  prof_attach_close(NULL);
}

static void scans_go_on_until_nothing_is_new(void **state) {
  (void)state;
  machine = fake_usual();
  machine.scan_count = 4;
  memcpy(machine.scans, (int[4][32]){{100}, {100, 101}, {100, 101, 102, 103}, {100, 101, 102, 103}},
         sizeof(int[4][32]));
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  assert_int_equal(prof_attach_thread_count(attach), 4);
  close_all();
}

static void an_endless_storm_ends_the_scans(void **state) {
  (void)state;
  machine = fake_usual();
  machine.scan_count = 24;
  memset(machine.scans, 0, sizeof machine.scans);
  for (int i = 0; i < 24; i++)
    for (int j = 0; j <= i; j++)
      machine.scans[i][j] = 100 + j;
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  assert_int_equal(prof_attach_thread_count(attach), 16);
  close_all();
}

static void threads_that_end_meanwhile_leave_nothing(void **state) {
  (void)state;
  machine = fake_usual();
  machine.dead_tid = 101;
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  assert_int_equal(prof_attach_thread_count(attach), 2);
  assert_int_equal(prof_attach_fd_count(attach), 4);
  assert_false(prof_attach_is_double(attach, 42, 101)); /* has none of its own */
  close_all();
  /* The first of all. */
  machine = fake_usual();
  machine.dead_tid = 100;
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  assert_int_equal(prof_attach_thread_count(attach), 2);
  assert_int_equal(machine.mapped, 2);
  close_all();
  /* The only one. */
  machine = fake_usual();
  machine.scans[0][1] = 0;
  machine.dead_tid = 100;
  assert_int_equal(open_with(NULL, 1000, 0, 0), PROF_SYSTEM);
  close_all();
}

static void a_cpu_that_went_away_has_no_ring(void **state) {
  (void)state;
  machine = fake_usual();
  machine.cpus = "0-3";
  machine.gone_cpu = 2;
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  assert_int_equal(prof_attach_ring_count(attach), 3);
  assert_int_equal(prof_attach_ring(attach, 2)->cpu, 3);
  assert_int_equal(prof_attach_fd_count(attach), 9);
  close_all();
}

static void doubles_are_told_by_the_id(void **state) {
  uint64_t id_100 = 0, id_101 = 0;
  (void)state;
  machine = fake_usual();
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  for (int fd = 0; fd < FAKE_FDS; fd++) {
    if (machine.is_open[fd] && machine.tids[fd] == 100)
      id_100 = 5000 + (uint64_t)fd;
    if (machine.is_open[fd] && machine.tids[fd] == 101)
      id_101 = 5000 + (uint64_t)fd;
  }
  assert_false(prof_attach_is_double(attach, id_100, 100));
  assert_true(prof_attach_is_double(attach, id_100, 101));  /* has its own */
  assert_false(prof_attach_is_double(attach, id_100, 999)); /* inherits */
  assert_true(prof_attach_is_double(attach, 42, 100));      /* nobody's */
  assert_false(prof_attach_is_double(attach, id_100, UINT32_MAX));

  /* A birth is written by the parent: its id counts, not the child's. */
  struct prof_record record = {
      .type = PERF_RECORD_FORK, .id = id_100, .tid = 101, .writer_tid = 100};
  assert_false(prof_attach_drops(attach, &record));
  record.writer_tid = 102;
  assert_true(prof_attach_drops(attach, &record));
  record.type = PERF_RECORD_LOST;
  assert_false(prof_attach_drops(attach, &record));

  /* The thread ends, its number comes again for one that inherits. */
  prof_attach_thread_ended(attach, 101);
  assert_false(prof_attach_is_double(attach, id_100, 101));
  assert_false(prof_attach_is_double(attach, id_101, 101));
  close_all();
}

static void a_later_scan_takes_in_the_missed(void **state) {
  (void)state;
  machine = fake_usual();
  machine.scan_count = 3;
  memcpy(machine.scans, (int[3][32]){{100}, {100}, {100, 200}}, sizeof(int[3][32]));
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  prof_attach_enable(attach);
  assert_int_equal(prof_attach_scan(attach), 1);
  assert_true(prof_attach_is_double(attach, 42, 200)); /* has its own now */
  assert_int_equal(machine.enabled, 4);                /* at once */
  assert_int_equal(prof_attach_scan(attach), 0);
  close_all();
}

static void the_soft_file_limit_is_raised_and_put_back(void **state) {
  (void)state;
  machine = fake_usual();
  machine.soft = 200;
  machine.hard = 4096;
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  assert_true(machine.soft >= 20 + 6 + PROF_FILES_RESERVE && machine.soft <= 4096);
  close_all();
  assert_int_equal(machine.soft, 200);
  assert_int_equal(machine.limit_sets, 2);
}

static void too_few_files_leave_the_build_its_own(void **state) {
  (void)state;
  machine = fake_usual();
  machine.soft = machine.hard = 33; /* 20 open, 3 threads x 2 CPUs, a quarter kept: one short */
  assert_int_equal(open_with(NULL, 1000, 0, 0), PROF_TOO_MANY_FILES);
  assert_non_null(strstr(error.message, "3 threads x 2 CPUs"));
  assert_non_null(strstr(error.message, "the limit is 33"));
  assert_non_null(strstr(error.message, "sudo prlimit --nofile=68"));
  assert_int_equal(machine.opens, 0);
  close_all();
  machine.soft = machine.hard = 34;
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  close_all();
}

static void rings_are_halved_until_they_fit(void **state) {
  (void)state;
  machine = fake_usual();
  machine.lock_bytes = 1100 << 10; /* 2 x (512 KB + a page) fit, 2 x 1 MB do not */
  assert_int_equal(open_with(NULL, 4000, 0, 0), 0);
  assert_int_equal(prof_attach_ring(attach, 0)->data_bytes, 512 << 10);
  assert_int_equal(prof_attach_ring(attach, 1)->data_bytes, 512 << 10);
  assert_non_null(note("ring-halved"));
  assert_string_equal(note("ring-halved")->fix, "sudo sysctl kernel.perf_event_mlock_kb=1028");
  close_all();
  machine = fake_usual();
  machine.lock_bytes = 100 << 10;
  assert_int_equal(open_with(NULL, 4000, 0, 0), PROF_MEMORY_LOCK);
  assert_non_null(strstr(error.message, "64 KB"));
  assert_non_null(strstr(error.message, "sudo sysctl kernel.perf_event_mlock_kb=1028"));
  assert_int_equal(error.sys_errno, EPERM);
  close_all();
}

static void ring_sizes_follow_the_plan(void **state) {
  struct prof_plan plan = {.frequency = 1000};
  (void)state;
  assert_int_equal(prof_mapping_bytes(&plan), 128 << 10);
  plan.kernel_chain = true;
  assert_int_equal(prof_mapping_bytes(&plan), 256 << 10);
  plan.frequency = 1;
  assert_int_equal(prof_mapping_bytes(&plan), PROF_RING_BYTES_MIN);
  plan.frequency = 4000;
  plan.stack_dump = true;
  plan.stack_bytes = 8192;
  assert_int_equal(prof_mapping_bytes(&plan), 16 << 20);
  plan.frequency = PROF_FREQUENCY_MAX;
  assert_int_equal(prof_mapping_bytes(&plan), 16 << 20);
}

static void a_rate_lowered_meanwhile_is_followed(void **state) {
  (void)state;
  machine = fake_usual();
  machine.max_rate = 5000;
  machine.lower_rate_at_open = 4; /* of six */
  assert_int_equal(open_with(NULL, 4000, 0, 0), 0);
  assert_int_equal(prof_attach_plan(attach)->frequency, 2500);
  assert_non_null(note("frequency-lowered"));
  assert_int_equal(prof_attach_thread_count(attach), 3);
  close_all();
}

static void a_failure_in_the_middle_closes_all(void **state) {
  (void)state;
  machine = fake_usual();
  machine.out_of_memory_at_open = 5;
  os = fake_os(&machine);
  {
    struct prof_attach_options options = {.sig_data = COOKIE};
    assert_int_equal(prof_choose_plan(&os, NULL, 1000, PROF_CALL_GRAPH_FULL, &options.plan, &error),
                     0);
    assert_int_equal(prof_attach_open(&os, &options, &attach, &error), PROF_NO_MEMORY);
  }
  attach = NULL;
  close_all();
}

static void hybrid_cpus_get_the_event_of_their_pmu(void **state) {
  (void)state;
  machine = fake_usual();
  machine.hybrid = true;
  machine.cpus = "0-1";
  assert_int_equal(open_with("cycles:u", 1000, 0, 0), 0);
  for (int fd = 0; fd < FAKE_FDS; fd++)
    if (machine.is_open[fd])
      assert_int_equal(machine.attrs[fd].config >> 32, machine.cpu_of[fd] ? 10 : 4);
  close_all();
  assert_int_equal(open_with("cpu-clock:u", 1000, 0, 0), 0);
  for (int fd = 0; fd < FAKE_FDS; fd++)
    if (machine.is_open[fd])
      assert_int_equal(machine.attrs[fd].config, 0);
  close_all();
}

static void options_out_of_range_are_refused(void **state) {
  struct prof_attach_options options = {.sig_data = 1};
  (void)state;
  machine = fake_usual();
  assert_int_equal(open_with(NULL, 1000, 65536 + 1, 0), PROF_BAD_OPTION);
  assert_int_equal(open_with(NULL, 1000, 32768, 0), PROF_BAD_OPTION);
  assert_int_equal(open_with(NULL, 1000, PROF_RING_BYTES_MAX * 2, 0), PROF_BAD_OPTION);
  assert_int_equal(prof_attach_open(&os, &options, &attach, NULL), PROF_BAD_OPTION);
  assert_int_equal(open_with(NULL, 1000, 131072, 0), 0);
  assert_int_equal(prof_attach_ring(attach, 0)->data_bytes, 131072);
  close_all();
}

static void proc_of_another_pid_namespace_is_refused(void **state) {
  (void)state;
  machine = fake_usual();
  machine.proc_pid = getpid() + 1;
  assert_int_equal(open_with(NULL, 1000, 0, 0), PROF_SYSTEM);
  assert_non_null(strstr(error.message, "pid namespace"));
  assert_int_equal(machine.opens, 0);
  machine.proc_pid = getpid();
  assert_int_equal(open_with(NULL, 1000, 0, 0), 0);
  close_all();
}

static uint32_t enabled_rate(void) {
  uint32_t rate = 0;
  for (int fd = 0; fd < FAKE_FDS; fd++) {
    if (!machine.is_open[fd] || !machine.is_enabled[fd])
      continue;
    assert_true(rate == 0 || rate == machine.attrs[fd].sample_freq);
    rate = (uint32_t)machine.attrs[fd].sample_freq;
  }
  return rate;
}

static void another_rate_is_another_set_that_is_kept(void **state) {
  uint32_t rate;
  (void)state;
  machine = fake_usual();
  assert_int_equal(open_with(NULL, 4000, 0, 0), 0);
  prof_attach_enable(attach);
  assert_int_equal(enabled_rate(), 4000);
  assert_int_equal(prof_attach_change(attach, 1000, &error), 0);
  assert_int_equal(enabled_rate(), 1000);
  assert_int_equal(prof_attach_frequency(attach), 1000);
  assert_int_equal(prof_attach_fd_count(attach), 12); /* 3 threads, 2 CPUs, 2 rates */
  assert_int_equal(machine.outputs, 10);              /* into the rings that were there */
  assert_int_equal(machine.mapped, 2);
  machine.opens = 0;
  assert_int_equal(prof_attach_change(attach, 4000, &error), 0);
  assert_int_equal(machine.opens, 0);
  assert_int_equal(enabled_rate(), 4000);
  assert_int_equal(prof_attach_change(attach, 4000, &error), 0); /* no change */
  assert_int_equal(prof_attach_turns(attach), 3);
  assert_int_equal(prof_attach_turn(attach, 0, &rate), 0);
  assert_true(prof_attach_turn(attach, 2, &rate) >= prof_attach_turn(attach, 1, &rate));
  assert_int_equal(rate, 1000);
  prof_attach_confirm(attach);
  assert_int_equal(enabled_rate(), 4000);
  assert_int_equal(prof_attach_plan(attach)->frequency, 4000);
  prof_attach_disable(attach);
  assert_int_equal(machine.enabled, 0);
  close_all();
}

static void a_rate_that_does_not_open_leaves_the_one_before(void **state) {
  (void)state;
  machine = fake_usual();
  assert_int_equal(open_with(NULL, 4000, 0, 0), 0);
  prof_attach_enable(attach);
  machine.out_of_memory_at_open = machine.opens + 3; /* in the middle of the set */
  assert_int_equal(prof_attach_change(attach, 1000, &error), PROF_NO_MEMORY);
  assert_int_equal(enabled_rate(), 4000);
  assert_int_equal(prof_attach_frequency(attach), 4000);
  assert_int_equal(prof_attach_fd_count(attach), 6);
  assert_int_equal(prof_attach_turns(attach), 1);
  assert_int_equal(prof_attach_change(attach, 1000, &error), 0); /* it may be tried again */
  assert_int_equal(enabled_rate(), 1000);
  close_all();
}

static void rates_beyond_the_sets_change_nothing(void **state) {
  (void)state;
  machine = fake_usual();
  assert_int_equal(open_with(NULL, 4000, 0, 0), 0);
  prof_attach_enable(attach);
  for (uint32_t i = 1; i < PROF_SETS_MAX; i++)
    assert_int_equal(prof_attach_change(attach, 4000 - i, &error), 0);
  assert_int_equal(prof_attach_change(attach, 10, &error), 0);
  assert_int_equal(prof_attach_frequency(attach), 4000 - (PROF_SETS_MAX - 1));
  close_all();
}

static void records_of_both_sets_count_once(void **state) {
  uint64_t ids[2], turn_ns;
  uint32_t rate;
  (void)state;
  machine = fake_usual();
  assert_int_equal(open_with(NULL, 4000, 0, 0), 0);
  prof_attach_enable(attach);
  assert_int_equal(prof_attach_change(attach, 1000, &error), 0);
  turn_ns = prof_attach_turn(attach, 1, &rate);
  for (int fd = 0; fd < FAKE_FDS; fd++)
    if (machine.is_open[fd] && machine.tids[fd] == 101)
      ids[machine.attrs[fd].sample_freq == 1000] = 5000 + (uint64_t)fd;
  for (int late = 0; late < 2; late++)
    for (int set = 0; set < 2; set++) {
      struct prof_record record = {.type = PERF_RECORD_SAMPLE,
                                   .id = ids[set],
                                   .tid = 101,
                                   .writer_tid = 101,
                                   .time_ns = turn_ns - 1 + (uint64_t)late};
      assert_int_equal(prof_attach_drops(attach, &record), late != set);
      record.type = PERF_RECORD_MMAP2;
      assert_int_equal(prof_attach_drops(attach, &record), late != set);
      record.type = PERF_RECORD_LOST;
      assert_false(prof_attach_drops(attach, &record));
    }
  close_all();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_thread_has_an_event_on_every_cpu),
      cmocka_unit_test(scans_go_on_until_nothing_is_new),
      cmocka_unit_test(an_endless_storm_ends_the_scans),
      cmocka_unit_test(threads_that_end_meanwhile_leave_nothing),
      cmocka_unit_test(a_cpu_that_went_away_has_no_ring),
      cmocka_unit_test(doubles_are_told_by_the_id),
      cmocka_unit_test(a_later_scan_takes_in_the_missed),
      cmocka_unit_test(the_soft_file_limit_is_raised_and_put_back),
      cmocka_unit_test(too_few_files_leave_the_build_its_own),
      cmocka_unit_test(rings_are_halved_until_they_fit),
      cmocka_unit_test(ring_sizes_follow_the_plan),
      cmocka_unit_test(a_rate_lowered_meanwhile_is_followed),
      cmocka_unit_test(a_failure_in_the_middle_closes_all),
      cmocka_unit_test(hybrid_cpus_get_the_event_of_their_pmu),
      cmocka_unit_test(options_out_of_range_are_refused),
      cmocka_unit_test(proc_of_another_pid_namespace_is_refused),
      cmocka_unit_test(another_rate_is_another_set_that_is_kept),
      cmocka_unit_test(a_rate_that_does_not_open_leaves_the_one_before),
      cmocka_unit_test(rates_beyond_the_sets_change_nothing),
      cmocka_unit_test(records_of_both_sets_count_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
