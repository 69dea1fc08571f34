/* profile/times and session/offcpu on records written by hand: where wall time goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_os.h"
#include "perf/switches.h"
#include "profile/times.h"
#include "session/follow.h"
#include "session/offcpu.h"
#include "session/recording.h"

enum { PID = 4242, WORKER = 4243, PERIOD = 1000 };

/* --- times --- */

static void running_samples_add_up_to_the_time_on_the_cpu(void **state) {
  struct prof_times times = {0};
  (void)state;
  prof_times_begin(&times, 1000);
  assert_int_equal(prof_times_tick(&times, 1900, PERIOD), 900);
  prof_times_out(&times, 2500, false);
  assert_int_equal(prof_times_in(&times, 7500), 5000);
  /* 600 before the switch and 300 after it. */
  assert_int_equal(prof_times_tick(&times, 7800, PERIOD), 900);
  prof_times_out(&times, 8000, true);
  assert_int_equal(times.state, PROF_STATE_RUNNABLE);
  assert_int_equal(prof_times_in(&times, 9000), 1000);
  assert_int_equal(prof_times_end(&times, 9500), 0);
  assert_int_equal(times.on_ns + times.off_ns, 9500 - 1000);
  assert_int_equal(times.on_ns, 2500);
  assert_int_equal(times.charged_ns, 1800);
  assert_int_equal(times.rest_ns, 700);
  assert_int_equal(times.lost, 0);
}

static void what_comes_first_tells_what_was_before(void **state) {
  struct prof_times slept = {0}, ran = {0}, silent = {0}, born = {0};
  (void)state;
  prof_times_begin(&slept, 1000);
  assert_int_equal(prof_times_in(&slept, 4000), 3000);
  prof_times_begin(&ran, 1000);
  prof_times_out(&ran, 4000, false);
  assert_int_equal(ran.on_ns, 3000);
  assert_int_equal(ran.off_ns, 0);
  prof_times_begin(&silent, 1000);
  assert_int_equal(prof_times_end(&silent, 9000), 8000);
  /* A thread that is made while it is recorded begins with its first time on a CPU. */
  assert_int_equal(prof_times_in(&born, 5000), 0);
  assert_int_equal(prof_times_tick(&born, 5400, PERIOD), 400);
}

static void a_lost_record_is_counted_and_invents_nothing(void **state) {
  struct prof_times times = {0};
  (void)state;
  prof_times_begin(&times, 1000);
  prof_times_out(&times, 2000, false);
  /* The record of its return is lost: it runs, since nobody knows when. */
  assert_int_equal(prof_times_tick(&times, 9000, PERIOD), 1000 + PERIOD);
  assert_int_equal(times.lost, 1);
  prof_times_out(&times, 9500, false);
  prof_times_out(&times, 12000, false); /* and another one */
  assert_int_equal(times.lost, 2);
  assert_int_equal(prof_times_in(&times, 12500), 500);
  assert_int_equal(prof_times_in(&times, 13000), 0);
  assert_int_equal(times.lost, 3);
  /* Time that goes back is no time. */
  prof_times_out(&times, 12999, false);
  assert_int_equal(prof_times_in(&times, 12000), 0);
}

/* --- records --- */

static struct prof_recording recording;

static int open_recording(enum prof_switches switches) {
  struct prof_recording_options options = {
      .max_words = 64, .replay_pid = PID, .kernel_path = "/dev/null", .max_chain = 127};
  options.plan.switches = switches;
  return prof_recording_open(&recording, &options, NULL);
}

static void follow_switch(uint32_t tid, uint64_t time_ns, bool out, bool preempted) {
  struct prof_record record = {
      .type = PERF_RECORD_SWITCH, .pid = PID, .tid = tid, .time_ns = time_ns};
  record.context_switch.out = out;
  record.context_switch.preempted = preempted;
  prof_follow_decoded(&recording, &record);
}

static void follow_sample(uint32_t tid, uint64_t time_ns, uint64_t period, uint64_t user_ip) {
  static uint64_t chain[2];
  struct prof_record record = {
      .type = PERF_RECORD_SAMPLE, .pid = PID, .tid = tid, .time_ns = time_ns};
  chain[0] = user_ip;
  chain[1] = 0x1000;
  record.sample.period = period;
  record.sample.ip = user_ip;
  record.sample.user_chain = chain;
  record.sample.user_chain_count = 2;
  prof_follow_decoded(&recording, &record);
}

static const struct prof_sample *row(size_t index) {
  assert_true(index < recording.samples.count);
  return &recording.samples.rows[index];
}

static void a_switch_weighs_until_the_thread_is_back(void **state) {
  (void)state;
  assert_int_equal(open_recording(PROF_SWITCHES_EVENT), 0);
  follow_switch(WORKER, 1000, false, false);
  follow_sample(WORKER, 2000, PERIOD, 0x5000);
  follow_sample(WORKER, 2400, 1, 0x6000);
  follow_switch(WORKER, 2500, true, false);
  assert_int_equal(recording.samples.count, 1); /* it lasts */
  follow_switch(WORKER, 9500, false, false);
  follow_sample(WORKER, 9600, 1, 0x7000);
  follow_switch(WORKER, 9700, true, true);
  follow_switch(WORKER, 9900, false, false);
  follow_sample(WORKER, 10000, PERIOD, 0x5000);
  assert_int_equal(recording.samples.count, 4);
  assert_int_equal(row(0)->weight, 1000);
  assert_int_equal(row(0)->state, PROF_STATE_RUNNING);
  assert_int_equal(row(1)->weight, 7000);
  assert_int_equal(row(1)->state, PROF_STATE_BLOCKED);
  assert_int_equal(row(1)->time_ns, 2400);
  assert_int_equal(row(2)->weight, 200);
  assert_int_equal(row(2)->state, PROF_STATE_RUNNABLE);
  assert_int_equal(row(3)->weight, 500 + 200 + 100);
  assert_true(row(0)->node == row(3)->node && row(1)->node != row(0)->node);
  uint64_t sum = 0;
  for (size_t i = 0; i < 4; i++)
    sum += row(i)->weight;
  assert_int_equal(sum, 10000 - 1000);
  assert_int_equal(recording.waits.switches, 5);
  assert_int_equal(recording.waits.without, 0);
  prof_recording_free(&recording);
}

/* As with sigtrap: the sample waits for its thread's walk, which comes after the thread is back. */
static void a_sample_that_waits_for_its_walk_has_its_weight_by_then(void **state) {
  struct prof_record record = {.type = PERF_RECORD_SAMPLE, .pid = PID, .tid = WORKER};
  struct prof_wait wait = {.time_ns = 2000, .weight = 1};
  (void)state;
  record.sample.period = 1;
  assert_int_equal(open_recording(PROF_SWITCHES_EVENT), 0);
  follow_switch(WORKER, 1000, false, false);
  struct prof_join_thread *thread = prof_join_find(&recording.join, WORKER);
  assert_non_null(thread);
  prof_offcpu_sample(&recording, thread, &wait, &record);
  assert_true(wait.is_open);
  assert_int_equal(prof_join_sample(&recording.join, thread, &wait), 0);
  follow_switch(WORKER, 2000, true, true);
  assert_true(prof_join_newest(&recording.join, thread)->is_open);
  follow_switch(WORKER, 6000, false, false);
  const struct prof_wait *newest = prof_join_newest(&recording.join, thread);
  assert_false(newest->is_open);
  assert_int_equal(newest->weight, 4000);
  assert_int_equal(newest->state, PROF_STATE_RUNNABLE);
  assert_int_equal(recording.samples.count, 0);
  prof_recording_free(&recording);
}

static void a_thread_that_waits_at_the_end_is_charged_until_then(void **state) {
  (void)state;
  assert_int_equal(open_recording(PROF_SWITCHES_EVENT), 0);
  follow_switch(WORKER, 1000, false, false);
  follow_sample(WORKER, 2000, 1, 0x6000);
  follow_switch(WORKER, 2000, true, false);
  recording.end_ns = 8000;
  prof_follow_finish(&recording);
  assert_int_equal(recording.samples.count, 1);
  assert_int_equal(row(0)->weight, 6000);
  prof_recording_free(&recording);
}

static void a_thread_that_ends_is_charged_nothing_more(void **state) {
  struct prof_record exit = {.type = PERF_RECORD_EXIT, .pid = PID, .tid = WORKER, .time_ns = 3000};
  (void)state;
  assert_int_equal(open_recording(PROF_SWITCHES_EVENT), 0);
  follow_switch(WORKER, 1000, false, false);
  follow_sample(WORKER, 2000, PERIOD, 0x5000);
  prof_follow_decoded(&recording, &exit);
  recording.end_ns = 8000;
  prof_follow_finish(&recording);
  assert_int_equal(recording.samples.count, 1);
  assert_int_equal(recording.waits.rows[0].times.rest_ns, 1000);
  prof_recording_free(&recording);
}

static void a_switch_without_a_sample_has_a_stand_in(void **state) {
  (void)state;
  assert_int_equal(open_recording(PROF_SWITCHES_EVENT), 0);
  follow_switch(WORKER, 1000, false, false);
  follow_switch(WORKER, 2000, true, false); /* its sample was lost */
  follow_switch(WORKER, 5000, false, false);
  assert_int_equal(recording.samples.count, 1);
  assert_int_equal(row(0)->weight, 3000);
  assert_int_equal(row(0)->end, PROF_END_BROKEN);
  assert_int_equal(recording.waits.without, 1);
  prof_recording_free(&recording);
}

static void records_alone_charge_the_stack_before(void **state) {
  (void)state;
  assert_int_equal(open_recording(PROF_SWITCHES_RECORDS), 0);
  follow_switch(WORKER, 1000, false, false);
  follow_sample(WORKER, 2000, PERIOD, 0x5000);
  struct prof_join_thread *thread = prof_join_find(&recording.join, WORKER);
  assert_non_null(thread);
  /* As the walk of that sample would have left it. */
  thread->walk.time_ns = 2000;
  thread->walk.node = row(0)->node;
  thread->walk.end = PROF_WALK_COMPLETE;
  follow_switch(WORKER, 2500, true, false);
  follow_switch(WORKER, 4500, false, false);
  assert_int_equal(recording.samples.count, 2);
  assert_int_equal(row(1)->weight, 2000);
  assert_int_equal(row(1)->node, row(0)->node);
  assert_true(row(1)->flags & PROF_SAMPLE_LAST);
  assert_int_equal(recording.waits.without, 0); /* none was to be had */
  prof_recording_free(&recording);
}

static void without_switches_nothing_changes(void **state) {
  (void)state;
  assert_int_equal(open_recording(PROF_SWITCHES_NONE), 0);
  follow_switch(WORKER, 1000, false, false);
  follow_sample(WORKER, 9000, PERIOD, 0x5000);
  follow_sample(WORKER, 9100, 1, 0x5000);
  assert_int_equal(row(0)->weight, PERIOD);
  assert_int_equal(row(1)->weight, 1);
  prof_recording_free(&recording);
}

/* --- which of them --- */

static struct fake_machine machine;
static struct prof_plan plan;
static struct prof_error error;

static int choose(const char *event) {
  struct prof_os os = fake_os(&machine);
  memset(&plan, 0, sizeof plan);
  memset(&error, 0, sizeof error);
  assert_int_equal(prof_choose_plan(&os, event, 1000, PROF_CALL_GRAPH_FULL, &plan, &error), 0);
  int status = prof_switches_choose(&os, &plan, &error);
  assert_int_equal(machine.open_fds, 0);
  return status;
}

static void the_event_is_taken_where_it_is_sound(void **state) {
  struct perf_event_attr attr;
  (void)state;
  machine = fake_usual();
  assert_int_equal(choose("cpu-clock:uk"), 0);
  assert_int_equal(plan.switches, PROF_SWITCHES_EVENT);
  assert_int_equal(plan.note_count, 0);
  prof_switches_fill(&plan, 7, &attr);
  assert_int_equal(attr.config, PERF_COUNT_SW_CONTEXT_SWITCHES);
  assert_int_equal(attr.sample_period, 1);
  assert_true(!attr.freq && attr.context_switch && attr.sigtrap && !attr.exclude_kernel);
  assert_true(!attr.mmap && !attr.comm && !attr.task);
  assert_int_equal(attr.sig_data, 7);
}

static void without_the_kernel_part_records_are_left(void **state) {
  (void)state;
  machine = fake_usual();
  machine.paranoid = 2;
  assert_int_equal(choose("cpu-clock:uk"), 0);
  assert_int_equal(plan.switches, PROF_SWITCHES_RECORDS);
  assert_string_equal(plan.notes[plan.note_count - 1].code, "no-switch-stacks");
}

static void counts_are_no_time(void **state) {
  (void)state;
  machine = fake_usual();
  assert_int_equal(choose("cycles:uk"), PROF_BAD_OPTION);
  assert_non_null(strstr(error.message, "cpu-clock"));
}

static void timers_see_no_waits(void **state) {
  struct prof_os os = fake_os(&machine);
  (void)state;
  memset(&plan, 0, sizeof plan);
  memset(&error, 0, sizeof error);
  strcpy(plan.event.unit, "ns");
  plan.timers = true;
  prof_plan_note(&plan, "cpu-timers", "sudo sysctl kernel.perf_event_paranoid=1", "refused");
  assert_int_equal(prof_switches_choose(&os, &plan, &error), PROF_PERMISSION);
  assert_non_null(strstr(error.message, "perf_event_paranoid=1"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(running_samples_add_up_to_the_time_on_the_cpu),
      cmocka_unit_test(what_comes_first_tells_what_was_before),
      cmocka_unit_test(a_lost_record_is_counted_and_invents_nothing),
      cmocka_unit_test(a_switch_weighs_until_the_thread_is_back),
      cmocka_unit_test(a_sample_that_waits_for_its_walk_has_its_weight_by_then),
      cmocka_unit_test(a_thread_that_waits_at_the_end_is_charged_until_then),
      cmocka_unit_test(a_thread_that_ends_is_charged_nothing_more),
      cmocka_unit_test(a_switch_without_a_sample_has_a_stand_in),
      cmocka_unit_test(records_alone_charge_the_stack_before),
      cmocka_unit_test(without_switches_nothing_changes),
      cmocka_unit_test(the_event_is_taken_where_it_is_sound),
      cmocka_unit_test(without_the_kernel_part_records_are_left),
      cmocka_unit_test(counts_are_no_time),
      cmocka_unit_test(timers_see_no_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
