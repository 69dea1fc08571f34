/* extras, cpus, attach: several events in one recording, by period, on chosen CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_os.h"
#include "perf/attach.h"
#include "perf/attach_events.h"
#include "perf/attr.h"
#include "perf/cpus.h"
#include "perf/extras.h"

static struct prof_plan choose(struct fake_machine *machine, const char *events, uint64_t period) {
  struct prof_os os = fake_os(machine);
  struct prof_plan plan;
  struct prof_error error = {0};
  if (prof_extras_choose(&os, events, 1000, period, PROF_CALL_GRAPH_FULL, &plan, &error))
    fail_msg("%s: %s", events, error.message);
  assert_int_equal(machine->open_fds, 0);
  return plan;
}

static void refused_with(struct fake_machine machine, const char *events, uint64_t period,
                         int status, const char *message) {
  struct prof_os os = fake_os(&machine);
  struct prof_plan plan;
  struct prof_error error = {0};
  assert_int_equal(
      prof_extras_choose(&os, events, 1000, period, PROF_CALL_GRAPH_FULL, &plan, &error), status);
  if (!strstr(error.message, message) || strchr(error.message, '\n'))
    fail_msg("'%s' is not in '%s'", message, error.message);
  assert_int_equal(machine.open_fds, 0);
}

static void each_event_of_a_list_is_chosen(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_plan plan = choose(&machine, "cycles,{page-faults,instructions}:u", 0);
  (void)state;
  assert_string_equal(plan.event.name, "cycles:uk");
  assert_int_equal(plan.extra_count, 2);
  assert_string_equal(plan.extras[0].event.name, "page-faults:u");
  assert_string_equal(plan.extras[1].requested, "instructions:u");
  assert_int_equal(prof_extras_group(&plan, 0), -1);
  assert_int_equal(prof_extras_group(&plan, 1), prof_extras_group(&plan, 2));
  assert_int_equal(choose(&machine, "cycles", 0).extra_count, 0);
}

static void all_samples_are_laid_out_alike(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_plan plan = choose(&machine, "cpu-clock:u,page-faults", 0);
  struct perf_event_attr first, second;
  (void)state;
  prof_attr_fill(&plan, 7, &first);
  prof_extras_fill(&plan, 1, 7, &second);
  assert_int_equal(first.sample_type, second.sample_type);
  assert_true(first.sample_type & PERF_SAMPLE_CALLCHAIN); /* the second one's kernel part */
  assert_true(first.exclude_kernel && !second.exclude_kernel);
  assert_int_equal(second.config, PERF_COUNT_SW_PAGE_FAULTS);
  assert_true(second.sigtrap && second.sig_data == 7 && second.freq);
  assert_true(first.task && first.mmap2 && !second.task && !second.mmap2 && !second.comm);
}

static void a_period_is_no_frequency(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_plan plan = choose(&machine, "page-faults,context-switches", 2000);
  struct perf_event_attr attr;
  (void)state;
  assert_int_equal(plan.frequency, 0);
  prof_extras_fill(&plan, 1, 0, &attr);
  assert_true(!attr.freq && attr.sample_period == 2000);
  assert_false(attr.sample_type & PERF_SAMPLE_PERIOD);
}

static void what_cannot_be_recorded_together_is_refused(void **state) {
  struct fake_machine usual = fake_usual(), machine = usual;
  (void)state;
  refused_with(usual, "cycles,cpu-cycles", 0, PROF_BAD_EVENT, "recorded already");
  refused_with(usual, "cycles,nosuch", 0, PROF_BAD_EVENT, "unknown event");
  refused_with(usual, "cycles,{page-faults", 0, PROF_BAD_EVENT, "braces");
  refused_with(usual,
               "cycles,instructions,branches,branch-misses,cache-misses,page-faults,cpu-clock,"
               "task-clock,minor-faults",
               0, PROF_BAD_EVENT, "at most 8 events");
  machine.pmu = false;
  refused_with(machine, "cpu-clock,instructions", 0, PROF_NO_PMU, "instructions");
  refused_with(machine, "cpu-clock,cycles", 0, PROF_BAD_EVENT, "opens as 'cpu-clock:uk'");
  machine = usual;
  machine.group_room = 1;
  refused_with(machine, "{cycles,instructions}", 0, PROF_BAD_EVENT, "'instructions' cannot be in");
  machine = usual;
  machine.seccomp = true;
  refused_with(machine, "cpu-clock,page-faults", 0, PROF_PERMISSION, "");
}

static void periods_that_would_sample_the_sampling_are_refused(void **state) {
  struct fake_machine machine = fake_usual();
  (void)state;
  refused_with(machine, "page-faults", 63, PROF_BAD_OPTION, "at least 64");
  refused_with(machine, "context-switches,page-faults", 1, PROF_BAD_OPTION, "'page-faults:uk'");
  refused_with(machine, "cycles", 99999, PROF_BAD_OPTION, "at least 100000");
  refused_with(machine, "cpu-clock", 10, PROF_BAD_OPTION, "at least 100000");
  assert_int_equal(choose(&machine, "context-switches", 1).period_events, 1);
  assert_int_equal(choose(&machine, "cycles", 100000).period_events, 100000);
}

static void faults_alone_prefer_a_period_and_keep_their_rate(void **state) {
  struct fake_machine machine = fake_usual();
  (void)state;
  struct prof_plan plan = choose(&machine, "page-faults", 0);
  prof_extras_prefer_fault_period(&plan);
  assert_int_equal(plan.period_events, PROF_FAULT_PERIOD);
  assert_int_equal(plan.frequency, 1000);
  plan = choose(&machine, "page-faults", 500);
  prof_extras_prefer_fault_period(&plan);
  assert_int_equal(plan.period_events, 500);
  plan = choose(&machine, "cpu-clock", 0);
  prof_extras_prefer_fault_period(&plan);
  assert_int_equal(plan.period_events, 0);
  plan = choose(&machine, "page-faults,cpu-clock", 0);
  prof_extras_prefer_fault_period(&plan);
  assert_int_equal(plan.period_events, 0);
}

static void every_thread_has_every_event_on_every_cpu(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_attach_options options = {.plan =
                                            choose(&machine, "{cycles,page-faults},cpu-clock", 0)};
  struct prof_attach *attach;
  struct prof_error error;
  int leaders = 0, members = 0, seen[3] = {0};
  (void)state;
  assert_int_equal(prof_attach_open(&os, &options, &attach, &error), 0);
  assert_int_equal(machine.open_fds, 3 * 2 * 3); /* threads x CPUs x events */
  assert_int_equal(machine.mapped, 2);           /* one ring per CPU for all */
  for (int fd = 10; fd < FAKE_FDS; fd++) {
    if (!machine.is_open[fd])
      continue;
    int event = prof_attach_event_of(attach, 5000 + (uint64_t)fd);
    seen[event]++;
    members += machine.leader_of[fd] >= 0;
    leaders += machine.leader_of[fd] < 0;
    if (machine.leader_of[fd] >= 0) {
      int leader = machine.leader_of[fd];
      assert_int_equal(machine.attrs[fd].config, PERF_COUNT_SW_PAGE_FAULTS);
      assert_true(machine.tids[leader] == machine.tids[fd] &&
                  machine.cpu_of[leader] == machine.cpu_of[fd]);
    }
  }
  assert_true(seen[0] == 6 && seen[1] == 6 && seen[2] == 6);
  assert_true(members == 6 && leaders == 12);
  prof_attach_close(attach);
  assert_int_equal(machine.open_fds, 0);
}

static void a_shared_counter_is_told_by_its_times(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_attach_options options = {.plan = choose(&machine, "cycles,instructions", 0)};
  struct prof_attach *attach;
  (void)state;
  assert_int_equal(prof_attach_open(&os, &options, &attach, NULL), 0);
  for (int fd = 10; fd < FAKE_FDS; fd++)
    if (machine.is_open[fd] && prof_attach_event_of(attach, 5000 + (uint64_t)fd) == 1)
      memcpy(machine.words[fd], (uint64_t[]){9, 100, 40}, sizeof machine.words[fd]);
    else
      memcpy(machine.words[fd], (uint64_t[]){9, 100, 100}, sizeof machine.words[fd]);
  assert_true(prof_attach_scale_of(attach, 0) == 1);
  assert_true(prof_attach_scale_of(attach, 1) == 2.5);
  prof_attach_close(attach);
}

static void chosen_cpus_alone_have_events(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_attach_options options = {.plan = choose(&machine, "cycles", 0), .cpus = "2-3,2"};
  struct prof_attach *attach;
  struct prof_error error;
  int cpus[8];
  (void)state;
  machine.cpus = "0-3";
  assert_int_equal(prof_attach_open(&os, &options, &attach, &error), 0);
  assert_int_equal(prof_attach_ring_count(attach), 2);
  assert_int_equal(machine.open_fds, 3 * 2);
  assert_int_equal(machine.cpu_of[10], 2);
  prof_attach_close(attach);
  options.cpus = "1,9";
  assert_int_equal(prof_attach_open(&os, &options, &attach, &error), PROF_BAD_OPTION);
  assert_non_null(strstr(error.message, "CPU 9 is offline"));
  assert_int_equal(prof_cpus_choose(&os, "", cpus, 8, NULL), 4);
  assert_int_equal(prof_cpus_choose(&os, "a", cpus, 8, &error), PROF_BAD_OPTION);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_event_of_a_list_is_chosen),
      cmocka_unit_test(all_samples_are_laid_out_alike),
      cmocka_unit_test(a_period_is_no_frequency),
      cmocka_unit_test(what_cannot_be_recorded_together_is_refused),
      cmocka_unit_test(periods_that_would_sample_the_sampling_are_refused),
      cmocka_unit_test(faults_alone_prefer_a_period_and_keep_their_rate),
      cmocka_unit_test(every_thread_has_every_event_on_every_cpu),
      cmocka_unit_test(a_shared_counter_is_told_by_its_times),
      cmocka_unit_test(chosen_cpus_alone_have_events),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
