/* events, refusal, count: lists of events, what is opened for them, and how turns are scaled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "fake_os.h"
#include "perf/count.h"
#include "perf/events.h"

static void lists_are_cut_at_their_commas(void **state) {
  struct prof_events_item items[PROF_EVENTS_MAX];
  (void)state;
  assert_int_equal(prof_events_split("cycles", items, NULL), 1);
  assert_string_equal(items[0].text, "cycles");
  assert_int_equal(items[0].group, -1);
  assert_int_equal(prof_events_split(" a , {b,cpu/event=1,umask=2/u}:k, sched:sched_switch,{d},e:u",
                                     items, NULL),
                   6);
  static const struct {
    const char *text;
    int group;
  } WANTED[] = {{"a", -1}, {"b:k", 0}, {"cpu/event=1,umask=2/uk", 0}, {"sched:sched_switch", -1},
                {"d", 1},  {"e:u", -1}};
  for (int i = 0; i < 6; i++) {
    assert_string_equal(items[i].text, WANTED[i].text);
    assert_int_equal(items[i].group, WANTED[i].group);
  }
  assert_int_equal(prof_events_split("{a:p,sched:sched_switch}:u", items, NULL), 2);
  assert_string_equal(items[0].text, "a:pu");
  assert_string_equal(items[1].text, "sched:sched_switch:u");
}

static void wrong_lists_say_what_is_wrong(void **state) {
  static const struct {
    const char *text, *message;
  } ROWS[] = {
      {"", "no event is given"},       {"  ", "no event is given"}, {"a,,b", "has no name"},
      {"a,", "has no name"},           {"{}", "has no name"},       {"{a,b", "do not match"},
      {"a,b}", "do not match"},        {"{a,{b}}", "do not match"}, {"{a}b{c}", "do not match"},
      {"a,b,a", "'a' is given twice"}, {"a{b}", "do not match"},
  };
  struct prof_events_item items[PROF_EVENTS_MAX];
  char many[PROF_EVENTS_TEXT] = "e0", longest[200];
  struct prof_error error;
  (void)state;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    assert_int_equal(prof_events_split(ROWS[i].text, items, &error), PROF_BAD_EVENT);
    assert_non_null(strstr(error.message, ROWS[i].message));
  }
  for (int i = 1; i < PROF_EVENTS_MAX; i++)
    sprintf(many + strlen(many), ",e%d", i);
  assert_int_equal(prof_events_split(many, items, &error), PROF_EVENTS_MAX);
  strcat(many, ",more");
  assert_int_equal(prof_events_split(many, items, &error), PROF_BAD_EVENT);
  memset(longest, 'a', sizeof longest);
  longest[sizeof longest - 1] = 0;
  assert_int_equal(prof_events_split(longest, items, &error), PROF_BAD_EVENT);
  memcpy(longest, "{", 1);
  strcpy(longest + 94, "}:uuuu");
  assert_int_equal(prof_events_split(longest, items, &error), PROF_BAD_EVENT);
}

static struct prof_count *open_here(struct prof_os *os, const char *events,
                                    enum prof_count_scope scope) {
  struct prof_count_options options = {.events = events, .scope = scope};
  struct prof_count *count = NULL;
  struct prof_error error = {0};
  int status = prof_count_open(os, &options, &count, &error);
  if (status)
    print_message("%s\n", error.message);
  assert_int_equal(status, 0);
  return count;
}

static void refused_with(struct fake_machine *machine, struct prof_count_options options,
                         int status, const char *message) {
  struct prof_os os = fake_os(machine);
  struct prof_count *count = NULL;
  struct prof_error error = {0};
  if (!options.events)
    options.events = "cycles";
  assert_int_equal(prof_count_open(&os, &options, &count, &error), status);
  if (!strstr(error.message, message))
    fail_msg("'%s' is not in '%s'", message, error.message);
  assert_null(strchr(error.message, '\n'));
  assert_null(count);
  assert_int_equal(machine->open_fds, 0);
}

static void every_thread_is_counted_and_what_it_starts(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count *count = open_here(&os, "cycles,page-faults:u", PROF_COUNT_SELF);
  (void)state;
  assert_int_equal(machine.open_fds, 6); /* 3 threads x 2 events */
  for (int fd = 10; fd < 16; fd++) {
    assert_true(machine.attrs[fd].inherit && machine.attrs[fd].disabled);
    assert_false(machine.attrs[fd].enable_on_exec || machine.attrs[fd].inherit_thread);
    assert_int_equal(machine.attrs[fd].sample_period, 0);
    assert_int_equal(machine.cpu_of[fd], -1);
  }
  assert_int_equal(machine.enabled, 0);
  prof_count_enable(count);
  assert_int_equal(machine.enabled, 6);
  prof_count_disable(count);
  assert_int_equal(machine.enabled, 0);
  prof_count_close(count);
  assert_int_equal(machine.open_fds, 0);
}

static void threads_add_up_and_turns_are_scaled(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count *count = open_here(&os, "cycles,instructions", PROF_COUNT_SELF);
  struct prof_count_value values[2];
  (void)state;
  for (int fd = 10; fd < 16; fd += 2) {
    memcpy(machine.words[fd], (uint64_t[]){100, 50, 50}, sizeof machine.words[fd]);
    memcpy(machine.words[fd + 1], (uint64_t[]){30, 40, 10}, sizeof machine.words[fd]);
  }
  for (int ending = 0; ending < 2; ending++) {
    prof_count_read(count, ending, values);
    assert_int_equal(values[0].value, 300);
    assert_int_equal(values[0].enabled_ns, 150);
    assert_int_equal(values[1].value, 90);
    assert_int_equal(values[1].enabled_ns, 120);
    assert_int_equal(values[1].running_ns, 30);
  }
  prof_count_close(count);
}

static void a_thread_born_while_opening_has_all_opened_again(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count *count;
  int notes;
  (void)state;
  /* Listed before and after each try: 102 comes during the first. */
  machine.scan_count = 4;
  for (int i = 0; i < 4; i++)
    memcpy(machine.scans[i], i ? (int[]){100, 101, 102, 0} : (int[]){100, 101, 0, 0},
           4 * sizeof(int));
  count = open_here(&os, "page-faults", PROF_COUNT_SELF);
  assert_int_equal(machine.open_fds, 3);
  prof_count_notes(count, &notes);
  assert_int_equal(notes, 0);
  prof_count_close(count);

  /* One more at each look: after some tries it is said. */
  machine.scan = 0;
  machine.scan_count = 24;
  for (int i = 0; i < 24; i++)
    for (int j = 0; j < 31; j++)
      machine.scans[i][j] = j <= i ? 100 + j : 0;
  count = open_here(&os, "page-faults", PROF_COUNT_SELF);
  const struct prof_plan_note *note = prof_count_notes(count, &notes);
  assert_int_equal(notes, 1);
  assert_string_equal(note->code, "threads-born");
  prof_count_close(count);
  assert_int_equal(machine.open_fds, 0);
}

static void a_thread_that_ends_meanwhile_is_left_out(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  (void)state;
  machine.dead_tid = 101;
  struct prof_count *count = open_here(&os, "cycles,page-faults", PROF_COUNT_SELF);
  assert_int_equal(machine.open_fds, 4);
  prof_count_close(count);
}

static void a_command_is_counted_from_its_exec(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count *count = open_here(&os, "{cycles,instructions},task-clock", PROF_COUNT_COMMAND);
  (void)state;
  assert_int_equal(machine.open_fds, 3);
  assert_true(machine.attrs[10].enable_on_exec && machine.attrs[10].disabled);
  assert_int_equal(machine.tids[10], 0);
  /* A member follows its leader. */
  assert_int_equal(machine.leader_of[11], 10);
  assert_false(machine.attrs[11].enable_on_exec || machine.attrs[11].disabled);
  assert_true(machine.attrs[12].enable_on_exec);
  assert_int_equal(machine.leader_of[12], -1);
  prof_count_close(count);
}

static void whole_cpus_are_counted_without_threads(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count *count;
  (void)state;
  machine.root = true;
  machine.cpus = "0-2";
  count = open_here(&os, "cycles", PROF_COUNT_CPUS);
  assert_int_equal(machine.open_fds, 3);
  assert_int_equal(machine.tids[11], -1);
  assert_int_equal(machine.cpu_of[11], 1);
  assert_false(machine.attrs[11].inherit);
  prof_count_close(count);
  refused_with(&machine, (struct prof_count_options){.scope = PROF_COUNT_CPUS, .cpus = "1,7"},
               PROF_BAD_OPTION, "CPU 7 is offline");
  refused_with(&machine, (struct prof_count_options){.scope = PROF_COUNT_CPUS, .cpus = "one"},
               PROF_BAD_OPTION, "no list of CPUs");
}

static void another_process_is_counted_if_it_is_ours(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count_options options = {.events = "cycles", .scope = PROF_COUNT_PROCESS, .pid = 100};
  struct prof_count *count;
  (void)state;
  assert_int_equal(prof_count_open(&os, &options, &count, NULL), 0);
  assert_int_equal(machine.open_fds, 3);
  assert_int_equal(machine.tids[12], 102);
  prof_count_close(count);
  machine.foreign_tid = 100;
  refused_with(&machine, options, PROF_PERMISSION, "process 100 is not ours");
  options.pid = 4000;
  refused_with(&machine, options, PROF_BAD_OPTION, "there is no process 4000");
}

static void hybrid_cores_are_added_up(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count_value values[2];
  (void)state;
  machine.hybrid = true;
  machine.cpus = "0-3";
  struct prof_count *count = open_here(&os, "cycles,page-faults", PROF_COUNT_COMMAND);
  assert_int_equal(machine.open_fds, 3); /* page-faults once */
  assert_true(machine.attrs[10].config == 4ull << 32 && machine.attrs[12].config == 10ull << 32);
  memcpy(machine.words[10], (uint64_t[]){700, 100, 75}, sizeof machine.words[10]);
  memcpy(machine.words[12], (uint64_t[]){300, 100, 25}, sizeof machine.words[12]);
  prof_count_read(count, false, values);
  assert_int_equal(values[0].value, 1000);
  assert_int_equal(values[0].enabled_ns, values[0].running_ns); /* nothing to scale */
  prof_count_close(count);
}

static void without_the_kernel_the_user_part_is_counted_and_said(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  int notes;
  (void)state;
  machine.paranoid = 2;
  struct prof_count *count = open_here(&os, "instructions,cycles:u", PROF_COUNT_COMMAND);
  assert_string_equal(prof_count_event(count, 0)->event.name, "instructions:u");
  assert_string_equal(prof_count_event(count, 0)->requested, "instructions");
  const struct prof_plan_note *note = prof_count_notes(count, &notes);
  assert_int_equal(notes, 1);
  assert_string_equal(note->code, "kernel-excluded");
  assert_non_null(strstr(note->message, "perf_event_paranoid is 2"));
  prof_count_close(count);
  refused_with(&machine, (struct prof_count_options){.events = "context-switches"}, PROF_PERMISSION,
               "perf_event_paranoid is 2");
  refused_with(&machine, (struct prof_count_options){.events = "cycles:k"}, PROF_PERMISSION,
               "sudo sysctl kernel.perf_event_paranoid=1");
  refused_with(&machine, (struct prof_count_options){.scope = PROF_COUNT_CPUS}, PROF_PERMISSION,
               "perf_event_paranoid is 2");
}

static void what_does_not_count_here_is_refused_with_the_reason(void **state) {
  struct fake_machine machine = fake_usual();
  (void)state;
  machine.pmu = false;
  refused_with(&machine, (struct prof_count_options){.events = "page-faults,cycles"}, PROF_NO_PMU,
               "no hardware PMU");
  refused_with(&machine, (struct prof_count_options){.events = "context-switches:u"},
               PROF_BAD_EVENT, "leave out ':u'");
  refused_with(&machine, (struct prof_count_options){.events = "page-fault"}, PROF_BAD_EVENT,
               "did you mean page-faults");
  machine.pmu = machine.pmu_busy = true;
  refused_with(&machine, (struct prof_count_options){0}, PROF_NO_PMU, "taken by another program");
  machine.seccomp = true;
  refused_with(&machine, (struct prof_count_options){0}, PROF_PERMISSION, "seccomp");
  machine = fake_usual();
  machine.soft = 12;
  refused_with(&machine, (struct prof_count_options){0}, PROF_TOO_MANY_FILES, "ulimit -n");
}

static void an_optional_event_is_left_out_and_says_why(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_count_options options = {.events = "cycles,page-faults", .optional = true};
  struct prof_count *count;
  struct prof_count_value values[2];
  (void)state;
  machine.pmu = false;
  assert_int_equal(prof_count_open(&os, &options, &count, NULL), 0);
  assert_false(prof_count_event(count, 0)->is_counted);
  assert_non_null(strstr(prof_count_event(count, 0)->reason, "no hardware PMU"));
  assert_true(prof_count_event(count, 1)->is_counted);
  prof_count_read(count, false, values);
  assert_int_equal(values[0].running_ns, 0);
  prof_count_close(count);
  machine.seccomp = true; /* none is left */
  refused_with(&machine, options, PROF_PERMISSION, "seccomp");
}

static void an_event_that_does_not_fit_its_group_is_refused(void **state) {
  struct fake_machine machine = fake_usual();
  (void)state;
  machine.group_room = 2;
  refused_with(&machine, (struct prof_count_options){.events = "{cycles,instructions,branches}"},
               PROF_BAD_EVENT, "'branches' cannot be counted in one group with 'cycles'");
  struct prof_os os = fake_os(&machine);
  struct prof_count *count =
      open_here(&os, "{cycles,page-faults,instructions},branches", PROF_COUNT_COMMAND);
  assert_int_equal(machine.open_fds, 4);
  prof_count_close(count);
}

static void real_counters_count_this_thread(void **state) {
  struct prof_count_options options = {.events = "task-clock,page-faults",
                                       .scope = PROF_COUNT_SELF};
  struct prof_count *count;
  struct prof_error error;
  struct prof_count_value before[2], after[2];
#ifdef __SANITIZE_THREAD__
  enum { PAGES = 2000, MOST = 16 * PAGES }; /* it has several pages of its own for each */
#else
  enum { PAGES = 2000, MOST = 2 * PAGES }; /* other sanitizers have fewer */
#endif
  (void)state;
  if (prof_count_open(&prof_os_real, &options, &count, &error)) {
    print_message("skipped: %s\n", error.message);
    skip();
  }
  prof_count_enable(count);
  prof_count_read(count, false, before);
  volatile char *pages =
      mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise((void *)pages, PAGES * 4096, MADV_NOHUGEPAGE);
  for (int i = 0; i < PAGES; i++)
    pages[i * 4096] = 1;
  prof_count_read(count, true, after);
  munmap((void *)pages, PAGES * 4096);
  assert_true(after[1].value - before[1].value >= PAGES);
  assert_true(after[1].value - before[1].value < MOST);
  assert_true(after[0].value > before[0].value);
  prof_count_close(count);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_are_cut_at_their_commas),
      cmocka_unit_test(wrong_lists_say_what_is_wrong),
      cmocka_unit_test(every_thread_is_counted_and_what_it_starts),
      cmocka_unit_test(threads_add_up_and_turns_are_scaled),
      cmocka_unit_test(a_thread_born_while_opening_has_all_opened_again),
      cmocka_unit_test(a_thread_that_ends_meanwhile_is_left_out),
      cmocka_unit_test(a_command_is_counted_from_its_exec),
      cmocka_unit_test(whole_cpus_are_counted_without_threads),
      cmocka_unit_test(another_process_is_counted_if_it_is_ours),
      cmocka_unit_test(hybrid_cores_are_added_up),
      cmocka_unit_test(without_the_kernel_the_user_part_is_counted_and_said),
      cmocka_unit_test(what_does_not_count_here_is_refused_with_the_reason),
      cmocka_unit_test(an_optional_event_is_left_out_and_says_why),
      cmocka_unit_test(an_event_that_does_not_fit_its_group_is_refused),
      cmocka_unit_test(real_counters_count_this_thread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
