/* event, pmu, near, list, os: names to encodings, and what a machine offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_os.h"
#include "perf/cache.h"
#include "perf/event.h"
#include "perf/list.h"
#include "perf/near.h"
#include "perf/pmu.h"

static void known_spellings_have_their_encoding(void **state) {
  static const struct {
    const char *text, *name, *unit;
    uint32_t type;
    uint64_t config, config1;
    bool no_user, no_kernel;
    int precise;
    bool hardware;
  } ROWS[] = {
      {"cycles", "cycles:uk", "cycles", 0, 0, 0, false, false, 0, true},
      {"cycles:uk", "cycles:uk", "cycles", 0, 0, 0, false, false, 0, true},
      {"cycles:ku", "cycles:uk", "cycles", 0, 0, 0, false, false, 0, true},
      {"cpu-cycles:u", "cycles:u", "cycles", 0, 0, 0, false, true, 0, true},
      {"cycles:k", "cycles:k", "cycles", 0, 0, 0, true, false, 0, true},
      {"cycles:ppp", "cycles:ukppp", "cycles", 0, 0, 0, false, false, 3, true},
      {"cycles:up", "cycles:up", "cycles", 0, 0, 0, false, true, 1, true},
      {"cycles:h", "cycles", "cycles", 0, 0, 0, true, true, 0, true},
      {"instructions:u", "instructions:u", "events", 0, 1, 0, false, true, 0, true},
      {"cache-misses", "cache-misses:uk", "events", 0, 3, 0, false, false, 0, true},
      {"L1-dcache-load-misses:u", "L1-dcache-load-misses:u", "events", 3, 0x10000, 0, false, true,
       0, true},
      {"LLC-load-misses", "LLC-load-misses:uk", "events", 3, 0x10002, 0, false, false, 0, true},
      {"cpu-clock", "cpu-clock:uk", "ns", 1, 0, 0, false, false, 0, false},
      {"cpu-clock:u", "cpu-clock:u", "ns", 1, 0, 0, false, true, 0, false},
      {"page-faults", "page-faults:uk", "events", 1, 2, 0, false, false, 0, false},
      {"cs", "context-switches:uk", "events", 1, 3, 0, false, false, 0, false},
      {"r1234", "r1234:uk", "events", 4, 0x1234, 0, false, false, 0, true},
      {"r3c:u", "r3c:u", "events", 4, 0x3c, 0, false, true, 0, true},
      {"cpu/event=0x3c,umask=0/", "cpu/event=0x3c,umask=0/:uk", "events", 4, 0x3c, 0, false, false,
       0, true},
      {"cpu/event=0x13c,umask=2/u", "cpu/event=0x13c,umask=2/:u", "events", 4, 0x10000023cull, 0,
       false, true, 0, true},
      {"cpu/mem-loads/:u", "cpu/mem-loads/:u", "events", 4, 0x1cd, 3, false, true, 0, true},
      {"cpu/config=0x1234567890/", "cpu/config=0x1234567890/:uk", "events", 4, 0x1234567890ull, 0,
       false, false, 0, true},
      {"sched:sched_switch", "sched:sched_switch:uk", "events", 2, 314, 0, false, false, 0, false},
      /* libpfm4's */
      {"PERF_COUNT_HW_CPU_CYCLES", "PERF_COUNT_HW_CPU_CYCLES:uk", "cycles", 0, 0, 0, false, false,
       0, true},
      {"perf::INSTRUCTIONS:u", "perf::INSTRUCTIONS:u", "events", 0, 1, 0, false, true, 0, true},
  };
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  (void)state;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    struct prof_event event;
    struct prof_error error = {0};
    if (prof_event_parse_on(&os, ROWS[i].text, &event, &error))
      fail_msg("%s: %s", ROWS[i].text, error.message);
    assert_string_equal(event.name, ROWS[i].name);
    assert_string_equal(event.unit, ROWS[i].unit);
    assert_int_equal(event.type, ROWS[i].type);
    assert_int_equal(event.config, ROWS[i].config);
    assert_int_equal(event.config1, ROWS[i].config1);
    assert_int_equal(event.exclude_user, ROWS[i].no_user);
    assert_int_equal(event.exclude_kernel, ROWS[i].no_kernel);
    assert_int_equal(event.precise_ip, ROWS[i].precise);
    assert_int_equal(event.is_hardware, ROWS[i].hardware);
  }
}

static void naming_levels_leaves_out_the_others(void **state) {
  static const struct {
    const char *text;
    bool no_hypervisor;
  } ROWS[] = {{"cycles", false}, {"cycles:u", true}, {"cycles:uk", true}, {"cycles:h", false}};
  (void)state;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    struct prof_event event;
    assert_int_equal(prof_event_parse_on(&prof_os_real, ROWS[i].text, &event, NULL), 0);
    assert_int_equal(event.exclude_hv, ROWS[i].no_hypervisor);
  }
}

static void wrong_names_are_refused_with_near_matches(void **state) {
  static const struct {
    const char *text, *near;
  } ROWS[] = {
      {"cylces", "cycles"},
      {"cycels:u", "cycles"},
      {"cpu-clok", "cpu-clock"},
      {"pagefaults", "page-faults"},
      {"Instrctions", "instructions"},
      {"branch-mises:u", "branch-misses"},
      {"cycles:x", "unknown modifier 'x'"},
      {"cycles:pppp", "unknown modifier 'pppp'"},
      {"cycles:", "unknown event"},
      {"", "1 to"},
      {":u", "unknown event"},
      {"r", "unknown event"},
      {"rxyz", "unknown event"},
      {"r12345678901234567", "unknown event"},
      {"qqqqqqqqqqqqqqqqqqqq", "rspack-prof list"},
      {"cpu/event=0x3c", "unknown event"},
      {"cpu/nosuch=1/", "takes event, umask, ldlat"},
      {"cpu/event=0x1000000/", "takes event, umask, ldlat"},
      {"cpu/event=/", "takes event"},
      {"cpu/../../x=1/", "takes event"},
      {"nopmu/event=1/", "no PMU"},
      {"sched:nosuch", "unknown event"},
      {"cycles,instructions", "unknown event"},
  };
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  char endless[200];
  struct prof_event event = {.name = "kept"};
  struct prof_error error;
  (void)state;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    if (prof_event_parse_on(&os, ROWS[i].text, &event, &error) != PROF_BAD_EVENT)
      fail_msg("'%s' was taken as %s", ROWS[i].text, event.name);
    if (!strstr(error.message, ROWS[i].near))
      fail_msg("'%s': %s", ROWS[i].text, error.message);
    assert_string_equal(event.name, "kept");
  }
  memset(endless, 'c', sizeof endless);
  endless[sizeof endless - 1] = 0;
  assert_int_equal(prof_event_parse_on(&os, endless, &event, &error), PROF_BAD_EVENT);
}

static void without_sysfs_the_cpu_pmu_is_read_as_x86(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct prof_event event;
  (void)state;
  machine.pmu = false;
  assert_int_equal(prof_event_parse_on(&os, "cpu/event=0x3c,umask=1,inv,cmask=2/", &event, NULL),
                   0);
  assert_int_equal(event.config, 0x3c | 1 << 8 | 1 << 23 | 2 << 24);
  assert_int_equal(event.type, PERF_TYPE_RAW);
}

static void distances_count_slips_of_the_hand(void **state) {
  (void)state;
  assert_int_equal(prof_near_distance("cycles", "cycles"), 0);
  assert_int_equal(prof_near_distance("CYCLES", "cycles"), 0);
  assert_int_equal(prof_near_distance("cylces", "cycles"), 1); /* swapped */
  assert_int_equal(prof_near_distance("cycle", "cycles"), 1);
  assert_int_equal(prof_near_distance("cicles", "cycles"), 1);
  assert_int_equal(prof_near_distance("", "abc"), 3);
  assert_int_equal(prof_near_distance("kitten", "sitting"), 3);
}

static void cache_events_are_named_as_perf_forms_them(void **state) {
  static const struct {
    const char *text;
    uint64_t config;
  } ROWS[] = {
      {"L1-dcache-loads", 0},
      {"l1-dcache-load", 0},
      {"L1-dcache-store-misses", 0x10100},
      {"LLC-stores", 0x102},
      {"LLC-prefetches", 0x202},
      {"dTLB-stores", 0x103},
      {"iTLB-loads", 4},
      {"branch-load-misses", 0x10005},
      {"node-loads", 6},
      {"node-store-misses:u", 0x10106},
  };
  char name[64], about[96];
  size_t names = 0;
  (void)state;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    struct prof_event event;
    assert_int_equal(prof_event_parse_on(&prof_os_real, ROWS[i].text, &event, NULL), 0);
    assert_int_equal(event.type, PERF_TYPE_HW_CACHE);
    assert_int_equal(event.config, ROWS[i].config);
  }
  while (prof_cache_name(names, name, sizeof name, about, sizeof about)) {
    uint64_t config;
    assert_true(prof_cache_parse(name, &config) && *about);
    names++;
  }
  assert_int_equal(names, 32);
  assert_int_equal(prof_event_parse_on(&prof_os_real, "iTLB-stores", &(struct prof_event){0}, NULL),
                   PROF_BAD_EVENT);
}

static void an_event_that_is_not_here_says_why(void **state) {
  static const struct {
    const char *text, *message;
    bool pmu;
    int tracefs_errno;
  } ROWS[] = {
      {"netburst::TC_DELIVER_MODE:DD", "of another CPU (Pentium4)", false, 0},
      {"sched:sched_swich", "tracefs is not mounted: sudo mount -t tracefs", true, ENOENT},
      {"sched:sched_switch", "may be read by root alone", true, EACCES},
      {"nopmu/event=1/", "no PMU 'nopmu', it has cpu, software", true, 0},
      {"nopmu/event=1/", "no PMU 'nopmu', it has none", false, 0},
      {"cpu/evnt=1/", "the PMU 'cpu' takes event, umask, ldlat", true, 0},
      {"page-fautls", "did you mean page-faults", true, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
    struct fake_machine machine = fake_usual();
    struct prof_os os = fake_os(&machine);
    struct prof_event event;
    struct prof_error error;
    machine.pmu = ROWS[i].pmu;
    machine.tracefs_errno = ROWS[i].tracefs_errno;
    assert_int_equal(prof_event_parse_on(&os, ROWS[i].text, &event, &error), PROF_BAD_EVENT);
    if (!strstr(error.message, ROWS[i].message) || strchr(error.message, '\n'))
      fail_msg("'%s' is not in '%s'", ROWS[i].message, error.message);
  }
}

static void hybrid_cpus_have_their_own_pmu(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  (void)state;
  assert_int_equal(prof_pmu_hybrid_config(&os, 1), 0);
  machine.hybrid = true;
  assert_int_equal(prof_pmu_hybrid_config(&os, 0), 4ull << 32);
  assert_int_equal(prof_pmu_hybrid_config(&os, 2), 10ull << 32);
  assert_int_equal(prof_pmu_hybrid_config(&os, 4), 0);
}

static void cpu_lists_are_read(void **state) {
  int cpus[8];
  (void)state;
  assert_int_equal(prof_os_parse_cpus("0-1\n", cpus, 8), 2);
  assert_int_equal(prof_os_parse_cpus("0,2-3,7\n", cpus, 8), 4);
  assert_int_equal(cpus[1], 2);
  assert_int_equal(cpus[3], 7);
  assert_int_equal(prof_os_parse_cpus("0-99\n", cpus, 8), 8);
  assert_int_equal(prof_os_parse_cpus("", cpus, 8), 0);
  assert_int_equal(prof_os_parse_cpus("x", cpus, 8), -1);
  assert_int_equal(prof_os_parse_cpus("3-1", cpus, 8), -1);
  assert_int_equal(prof_os_parse_cpus("1 2", cpus, 8), -1);
  assert_int_equal(prof_os_parse_cpus("0-99999999", cpus, 8), -1);
}

static void no_sys_folder_still_gives_a_cpu(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  int cpus[8];
  (void)state;
  machine.cpus = NULL;
  assert_int_equal(prof_os_cpus(&os, cpus, 8), 1);
  machine.cpus = "2,5";
  assert_int_equal(prof_os_cpus(&os, cpus, 8), 2);
  assert_int_equal(cpus[0], 2);
}

struct listed {
  int rows, available;
  bool cycles, cpu_clock, switches;
  bool mem_loads, sched_switch, raw;
  char tracing[128];
};

static void visit(void *user, const struct prof_event_row *row) {
  struct listed *listed = user;
  listed->rows++;
  listed->available += row->available;
  assert_int_equal(row->available, !*row->reason);
  assert_true(*row->name && *row->type);
  if (!strcmp(row->name, "cycles"))
    listed->cycles = row->available;
  if (!strcmp(row->name, "cpu-clock"))
    listed->cpu_clock = row->available;
  if (!strcmp(row->name, "context-switches"))
    listed->switches = row->available;
  if (!strcmp(row->name, "cpu/mem-loads/"))
    listed->mem_loads = row->available;
  if (!strcmp(row->name, "sched:sched_switch"))
    listed->sched_switch = row->available;
  if (!strcmp(row->name, "rNNN"))
    listed->raw = row->available && row->is_form;
  if (!strcmp(row->name, "SUBSYSTEM:EVENT"))
    snprintf(listed->tracing, sizeof listed->tracing, "%s", row->reason);
}

static void the_list_says_what_opens(void **state) {
  struct fake_machine machine = fake_usual();
  struct prof_os os = fake_os(&machine);
  struct listed listed = {0};
  (void)state;
  prof_event_list(&os, visit, &listed);
  assert_true(listed.rows >= 29 && listed.cycles && listed.cpu_clock && listed.switches);
  assert_true(listed.mem_loads && listed.sched_switch && listed.raw);
  assert_string_equal(listed.tracing, "");
  assert_int_equal(machine.open_fds, 0);

  machine.pmu = false;
  machine.paranoid = 2;
  machine.tracefs_errno = ENOENT;
  listed = (struct listed){0};
  prof_event_list(&os, visit, &listed);
  assert_true(!listed.cycles && listed.cpu_clock && !listed.switches);
  assert_true(!listed.mem_loads && !listed.sched_switch && !listed.raw);
  assert_non_null(strstr(listed.tracing, "tracefs is not mounted"));

  machine.seccomp = true;
  listed = (struct listed){0};
  prof_event_list(&os, visit, &listed);
  assert_int_equal(listed.available, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_spellings_have_their_encoding),
      cmocka_unit_test(naming_levels_leaves_out_the_others),
      cmocka_unit_test(wrong_names_are_refused_with_near_matches),
      cmocka_unit_test(without_sysfs_the_cpu_pmu_is_read_as_x86),
      cmocka_unit_test(distances_count_slips_of_the_hand),
      cmocka_unit_test(cache_events_are_named_as_perf_forms_them),
      cmocka_unit_test(an_event_that_is_not_here_says_why),
      cmocka_unit_test(hybrid_cpus_have_their_own_pmu),
      cmocka_unit_test(cpu_lists_are_read),
      cmocka_unit_test(no_sys_folder_still_gives_a_cpu),
      cmocka_unit_test(the_list_says_what_opens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
