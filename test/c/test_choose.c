/* choose: each step of the fallback chain on a machine that has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_os.h"
#include "perf/choose.h"
#include "perf/cputimer.h"

static struct fake_machine machine;
static struct prof_plan plan;
static struct prof_error error;

static int choose(const char *event, uint32_t frequency, int call_graph) {
  struct prof_os os = fake_os(&machine);
  int result;
  memset(&plan, 0, sizeof plan);
  memset(&error, 0, sizeof error);
  result = prof_choose_plan(&os, event, frequency, call_graph, &plan, &error);
  assert_int_equal(machine.open_fds, 0);
  assert_int_equal(error.status, result);
  return result;
}

static const struct prof_plan_note *note(const char *code) {
  for (int i = 0; i < plan.note_count; i++)
    if (!strcmp(plan.notes[i].code, code))
      return &plan.notes[i];
  return NULL;
}

static void a_good_machine_gives_what_was_asked(void **state) {
  (void)state;
  machine = fake_usual();
  assert_int_equal(choose(NULL, 4000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cycles:uk");
  assert_string_equal(plan.requested, "cycles:uk");
  assert_true(plan.sigtrap && plan.kernel && plan.kernel_chain && plan.threads_only);
  assert_true(plan.has_pmu && !plan.fixed_clock && !plan.stack_dump);
  assert_int_equal(plan.frequency, 4000);
  assert_int_equal(plan.stack_bytes, 0);
  assert_int_equal(plan.note_count, 0);

  assert_int_equal(choose("cycles:u", 4000, PROF_CALL_GRAPH_NONE), 0);
  assert_true(!plan.sigtrap && !plan.kernel && !plan.kernel_chain && !plan.stack_dump);
  assert_int_equal(choose("cycles", 4000, PROF_CALL_GRAPH_DWARF), 0);
  assert_true(!plan.sigtrap && plan.stack_dump);
  assert_int_equal(plan.stack_bytes, PROF_STACK_BYTES_DEFAULT);
  assert_int_equal(choose("cycles", 4000, PROF_CALL_GRAPH_NONE), 0);
  assert_true(plan.kernel && !plan.kernel_chain);
}

static void paranoid_2_leaves_the_kernel_out(void **state) {
  (void)state;
  machine = fake_usual();
  machine.paranoid = 2;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cycles:u");
  assert_true(plan.sigtrap && !plan.kernel && !plan.kernel_chain);
  assert_int_equal(plan.note_count, 1);
  assert_non_null(note("kernel-excluded"));
  assert_string_equal(note("kernel-excluded")->fix, "sudo sysctl kernel.perf_event_paranoid=1");
  assert_non_null(strstr(note("kernel-excluded")->message, "is 2"));
  /* Asked for by name: the same. Asked for without: nothing to say. */
  assert_int_equal(choose("cycles:uk", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cycles:u");
  assert_int_equal(choose("cycles:u", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.note_count, 0);
  /* The kernel alone cannot be left out. */
  assert_int_equal(choose("cycles:k", 1000, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  machine.root = true;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.note_count, 0);
}

static void without_a_pmu_the_clock_takes_over(void **state) {
  (void)state;
  machine = fake_usual();
  machine.pmu = false;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cpu-clock:uk");
  assert_string_equal(plan.event.unit, "ns");
  assert_string_equal(plan.requested, "cycles:uk");
  assert_true(plan.fixed_clock && plan.kernel && plan.sigtrap && !plan.has_pmu);
  assert_int_equal(plan.note_count, 1);
  assert_non_null(note("no-hardware-pmu"));

  machine.paranoid = 2;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cpu-clock:u");
  assert_non_null(strstr(note("no-hardware-pmu")->message, "): cpu-clock:u is used"));
  assert_non_null(note("kernel-excluded"));
  assert_int_equal(plan.note_count, 2);
  assert_int_equal(choose("cycles:u", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cpu-clock:u");
  assert_int_equal(plan.note_count, 1);
  /* Another question than that of time is not answered by a clock. */
  assert_int_equal(choose("cache-misses:u", 1000, PROF_CALL_GRAPH_FULL), PROF_NO_PMU);
  assert_non_null(strstr(error.message, "cache-misses:u"));
  assert_int_equal(error.sys_errno, ENOENT);
  assert_int_equal(choose("cpu-clock:u", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.note_count, 0);
}

static void counters_taken_by_another_fall_back_too(void **state) {
  (void)state;
  machine = fake_usual();
  machine.pmu_busy = true;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cpu-clock:uk");
  assert_non_null(note("pmu-busy"));
  assert_int_equal(choose("instructions", 1000, PROF_CALL_GRAPH_FULL), PROF_NO_PMU);
}

static void refusals_name_the_way_out(void **state) {
  (void)state;
  machine = fake_usual();
  machine.no_timers = true; /* nor is there what stands in for perf events */
  machine.paranoid = 4;     /* Debian's and Ubuntu's own level */
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  assert_non_null(strstr(error.message, "kernel.perf_event_paranoid is 4"));
  assert_non_null(strstr(error.message, "`sudo sysctl kernel.perf_event_paranoid=1`"));
  assert_int_equal(error.sys_errno, EACCES);
  assert_string_equal(error.syscall, "perf_event_open");
  machine.paranoid = -9;
  machine.paranoid = 4;
  machine.pmu = false;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);

  machine = fake_usual();
  machine.no_timers = machine.seccomp = true;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  assert_non_null(strstr(error.message, "--cap-add PERFMON"));
  assert_non_null(strstr(error.message, "--security-opt seccomp=unconfined"));
  assert_int_equal(error.sys_errno, EPERM);
  machine.seccomp = false;
  machine.no_syscall = true;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  assert_int_equal(error.sys_errno, ENOSYS);

  machine = fake_usual();
  machine.no_timers = true;
  machine.soft = 10;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), PROF_TOO_MANY_FILES);
  machine = fake_usual();
  machine.no_timers = true;
  machine.out_of_memory_at_open = 1;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), PROF_NO_MEMORY);
}

static void where_perf_events_are_refused_timers_take_over(void **state) {
  (void)state;
  machine = fake_usual();
  machine.seccomp = true;
  assert_int_equal(choose(NULL, 50, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cpu-timer");
  assert_string_equal(plan.event.unit, "ns");
  assert_string_equal(plan.requested, "cycles:uk");
  assert_true(plan.timers && plan.sigtrap && !plan.kernel && !plan.kernel_chain);
  assert_int_equal(plan.period_ns, 20000000);
  assert_int_equal(plan.frequency, 50);
  assert_int_equal(plan.note_count, 1);
  assert_non_null(strstr(note("cpu-timers")->message, "seccomp"));
  assert_string_equal(note("cpu-timers")->fix, "docker run --cap-add PERFMON ...");
  assert_int_equal(machine.timers_open, 0); /* the one that was tried */
  assert_int_equal(choose("cpu-clock:u", 50, PROF_CALL_GRAPH_NONE), 0);
  assert_true(plan.timers && !plan.sigtrap);
  machine.seccomp = false;
  machine.no_syscall = true;
  assert_int_equal(choose("cycles:u", 50, PROF_CALL_GRAPH_DWARF), 0);
  assert_true(plan.timers && plan.sigtrap && !plan.stack_dump && !plan.stack_bytes);
  assert_non_null(note("no-stack-dumps"));

  machine = fake_usual();
  machine.paranoid = 3;
  assert_int_equal(choose(NULL, 50, PROF_CALL_GRAPH_FULL), 0);
  assert_true(plan.timers);
  assert_non_null(strstr(note("cpu-timers")->message, "kernel.perf_event_paranoid is 3"));
  assert_string_equal(note("cpu-timers")->fix, "sudo sysctl kernel.perf_event_paranoid=1");
  machine.paranoid = -9;
  machine.soft = 10;
  assert_int_equal(choose(NULL, 50, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(note("cpu-timers")->fix, "ulimit -n 65536");

  /* Other questions than that of time, and the kernel's part alone, have no answer by timers. */
  machine = fake_usual();
  machine.seccomp = true;
  assert_int_equal(choose("cache-misses", 50, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  assert_int_equal(choose("cycles:k", 50, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  assert_int_equal(choose("context-switches", 50, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  /* What is no refusal stays what it is. */
  machine = fake_usual();
  machine.pmu = false;
  assert_int_equal(choose("cache-misses", 50, PROF_CALL_GRAPH_FULL), PROF_NO_PMU);
  assert_int_equal(choose(NULL, 50, PROF_CALL_GRAPH_FULL), 0);
  assert_false(plan.timers);
}

static void timers_go_by_the_tick(void **state) {
  (void)state;
  machine = fake_usual();
  machine.seccomp = true;
  uint64_t tick_ns = prof_cputimer_tick_ns();
  assert_in_range(tick_ns, 100000, 100000000);
  assert_int_equal(choose(NULL, 20000, PROF_CALL_GRAPH_FULL), 0);
  /* Finer than the tick: what a thread ran between two ticks is told by the periods. */
  assert_int_equal(plan.period_ns, tick_ns / 4);
  assert_int_equal(plan.frequency, 1000000000u / tick_ns);
  assert_non_null(note("frequency-lowered"));
}

static void old_kernels_dump_stacks(void **state) {
  (void)state;
  machine = fake_usual();
  machine.major = 5;
  machine.minor = 10;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cycles:uk");
  assert_true(!plan.sigtrap && plan.stack_dump && plan.kernel && !plan.threads_only);
  assert_int_equal(plan.stack_bytes, PROF_STACK_BYTES_DEFAULT);
  assert_non_null(note("no-sigtrap"));
  assert_int_equal(plan.note_count, 1);
  machine.pmu = false;
  machine.paranoid = 2;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cpu-clock:u");
  assert_int_equal(plan.note_count, 3);
  /* Without stacks only the threads are less well kept apart. */
  assert_int_equal(choose("cpu-clock:u", 1000, PROF_CALL_GRAPH_NONE), 0);
  assert_true(!plan.stack_dump && !plan.threads_only);
}

static void before_5_19_a_blocked_sigtrap_would_end_the_process(void **state) {
  (void)state;
  machine = fake_usual();
  machine.major = 5;
  machine.minor = 15;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cycles:uk");
  assert_true(!plan.sigtrap && plan.stack_dump && plan.kernel && plan.threads_only);
  assert_int_equal(plan.note_count, 1);
  assert_non_null(strstr(note("no-sigtrap")->message, "5.19"));
}

static void before_6_1_sigtrap_is_for_user_samples(void **state) {
  (void)state;
  machine = fake_usual();
  machine.major = 5;
  machine.minor = 19;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_string_equal(plan.event.name, "cycles:u");
  assert_true(plan.sigtrap && !plan.kernel && !plan.stack_dump);
  assert_non_null(note("kernel-excluded"));
  assert_non_null(strstr(note("kernel-excluded")->message, "6.1"));
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_DWARF), 0); /* no signal, no reason */
  assert_true(plan.kernel);
  assert_int_equal(choose("cycles:k", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_true(!plan.sigtrap && plan.kernel && plan.stack_dump && plan.threads_only);
  assert_int_equal(plan.note_count, 1);
  assert_int_equal(choose("context-switches", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_true(!plan.sigtrap && plan.kernel);
  machine.major = 6;
  machine.minor = 1;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_true(plan.sigtrap && plan.kernel);
}

static void imprecise_cpus_lower_the_precision(void **state) {
  (void)state;
  machine = fake_usual();
  machine.no_precise = true;
  assert_int_equal(choose("cycles:upp", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.event.precise_ip, 0);
  assert_non_null(note("precise-lowered"));
  machine.no_precise = false;
  assert_int_equal(choose("cycles:upp", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.event.precise_ip, 2);
  assert_int_equal(plan.note_count, 0);
}

static void the_rate_follows_the_kernels_limit(void **state) {
  (void)state;
  machine = fake_usual();
  machine.max_rate = 6750;
  assert_int_equal(choose(NULL, 6750, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.note_count, 0);
  assert_int_equal(choose(NULL, 10000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.frequency, 6750);
  assert_string_equal(note("frequency-lowered")->fix,
                      "sudo sysctl kernel.perf_event_max_sample_rate=10000");
}

static void large_dumps_are_halved(void **state) {
  (void)state;
  machine = fake_usual();
  machine.max_dump = 3000;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_DWARF), 0);
  assert_int_equal(plan.stack_bytes, 2048);
  assert_non_null(note("stack-bytes-lowered"));
}

static void events_of_the_kernel_alone_need_it(void **state) {
  (void)state;
  machine = fake_usual();
  assert_int_equal(choose("context-switches", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(choose("context-switches:u", 1000, PROF_CALL_GRAPH_FULL), PROF_BAD_EVENT);
  machine.paranoid = 2;
  assert_int_equal(choose("context-switches", 1000, PROF_CALL_GRAPH_FULL), PROF_PERMISSION);
  assert_int_equal(choose("page-faults", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_non_null(note("kernel-excluded"));
}

static void hidden_kernel_addresses_are_said(void **state) {
  (void)state;
  machine = fake_usual();
  machine.kptr = 2;
  assert_int_equal(choose(NULL, 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_non_null(note("kernel-addresses-hidden"));
  assert_int_equal(choose("cycles:u", 1000, PROF_CALL_GRAPH_FULL), 0);
  assert_int_equal(plan.note_count, 0);
}

static void options_out_of_range_are_refused(void **state) {
  (void)state;
  machine = fake_usual();
  assert_int_equal(choose(NULL, 0, PROF_CALL_GRAPH_FULL), PROF_BAD_OPTION);
  assert_int_equal(choose(NULL, PROF_FREQUENCY_MAX + 1, PROF_CALL_GRAPH_FULL), PROF_BAD_OPTION);
  assert_int_equal(choose(NULL, 1000, 3), PROF_BAD_OPTION);
  assert_int_equal(choose(NULL, 1000, -1), PROF_BAD_OPTION);
  assert_int_equal(choose("cylces", 1000, PROF_CALL_GRAPH_FULL), PROF_BAD_EVENT);
  assert_int_equal(machine.opens, 0);
}

static void this_machine_answers(void **state) {
  struct prof_error live = {0};
  (void)state;
  if (prof_choose_plan(&prof_os_real, NULL, 1000, PROF_CALL_GRAPH_FULL, &plan, &live)) {
    print_message("skipped: %s\n", live.message);
    assert_true(*live.message && live.status < 0);
    skip();
  }
  print_message("%s at %u Hz, sigtrap %d, kernel %d\n", plan.event.name, plan.frequency,
                plan.sigtrap, plan.kernel);
  for (int i = 0; i < plan.note_count; i++)
    print_message("  %s: %s [%s]\n", plan.notes[i].code, plan.notes[i].message, plan.notes[i].fix);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_machine_gives_what_was_asked),
      cmocka_unit_test(paranoid_2_leaves_the_kernel_out),
      cmocka_unit_test(without_a_pmu_the_clock_takes_over),
      cmocka_unit_test(counters_taken_by_another_fall_back_too),
      cmocka_unit_test(refusals_name_the_way_out),
      cmocka_unit_test(where_perf_events_are_refused_timers_take_over),
      cmocka_unit_test(timers_go_by_the_tick),
      cmocka_unit_test(old_kernels_dump_stacks),
      cmocka_unit_test(before_5_19_a_blocked_sigtrap_would_end_the_process),
      cmocka_unit_test(before_6_1_sigtrap_is_for_user_samples),
      cmocka_unit_test(imprecise_cpus_lower_the_precision),
      cmocka_unit_test(the_rate_follows_the_kernels_limit),
      cmocka_unit_test(large_dumps_are_halved),
      cmocka_unit_test(events_of_the_kernel_alone_need_it),
      cmocka_unit_test(hidden_kernel_addresses_are_said),
      cmocka_unit_test(options_out_of_range_are_refused),
      cmocka_unit_test(this_machine_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
