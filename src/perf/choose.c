#include "perf/choose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/attr.h"
#include "perf/cputimer.h"
#include "perf/pmu.h"

#define SYS_PARANOID "/proc/sys/kernel/perf_event_paranoid"
#define SYS_RATE "/proc/sys/kernel/perf_event_max_sample_rate"
#define SYS_KPTR "/proc/sys/kernel/kptr_restrict"

/* What a refusal of perf_event_open means for the next step. */
enum refusal { OPENS, PERMISSION, SECCOMP, NO_PMU, BUSY, TOO_NEW, TOO_BIG, NO_FILES, OTHER };

static enum refusal classify(int result) {
  switch (-result) {
  case EACCES: /* perf_event_paranoid (also Debian's and Ubuntu's own levels), or an LSM */
    return PERMISSION;
  case EPERM: /* container runtimes' seccomp filters answer so; perf itself never here */
  case ENOSYS:
    return SECCOMP;
  case ENOENT:
  case EOPNOTSUPP:
  case ENODEV:
  case ENXIO:
    return NO_PMU;
  case EBUSY:
    return BUSY;
  case EINVAL: /* a bit that this kernel does not know */
    return TOO_NEW;
  case E2BIG: /* so large an attr, or a sample beyond a record's 64 KB */
  case EMSGSIZE:
    return TOO_BIG;
  case EMFILE:
  case ENFILE:
    return NO_FILES;
  default:
    return result < 0 ? OTHER : OPENS;
  }
}

/* Opens the plan as attach will (this thread, a CPU, disabled) and closes it again. */
static int probe(const struct prof_os *os, const struct prof_plan *plan) {
  struct perf_event_attr attr;
  int cpus[1], fd;
  prof_os_cpus(os, cpus, 1);
  prof_attr_fill(plan, 0, &attr);
  fd = os->perf_event_open(os->user, &attr, 0, cpus[0]);
  if (fd >= 0)
    os->close(os->user, fd);
  return fd;
}

/* The same, stepping down in how stacks are taken while the kernel knows no better; what was given
 * up stays in *plan. */
static int probe_stack_forms(const struct prof_os *os, struct prof_plan *plan) {
  int result = probe(os, plan);
  enum refusal why = classify(result);
  if ((why == NO_PMU || why == TOO_NEW) && plan->event.precise_ip) {
    struct prof_plan imprecise = *plan;
    imprecise.event.precise_ip = 0;
    result = probe(os, &imprecise);
    if (classify(result) == OPENS)
      *plan = imprecise;
    why = classify(result);
  }
  if ((why == TOO_NEW || why == TOO_BIG) && plan->threads_only) {
    struct prof_plan old = *plan; /* before 5.13 */
    old.threads_only = false;
    if (old.sigtrap) {
      old.sigtrap = false;
      old.stack_dump = true;
      old.stack_bytes = PROF_STACK_BYTES_DEFAULT;
    }
    result = probe(os, &old);
    if (classify(result) != TOO_NEW)
      *plan = old;
    why = classify(result);
  }
  while (why == TOO_BIG && plan->stack_dump && plan->stack_bytes > 1024) {
    plan->stack_bytes = plan->stack_bytes / 2 & ~7u;
    result = probe(os, plan);
    why = classify(result);
  }
  return result;
}

static void use_kernel(struct prof_plan *plan, bool kernel) {
  plan->kernel = kernel;
  plan->kernel_chain = kernel;
  if (!kernel)
    plan->event.exclude_kernel = true;
  prof_event_rename(&plan->event);
}

static void use_cpu_clock(struct prof_plan *plan) {
  struct prof_event clock = {
      .type = PERF_TYPE_SOFTWARE,
      .config = PERF_COUNT_SW_CPU_CLOCK,
      .name = "cpu-clock",
      .unit = "ns",
      .exclude_user = plan->event.exclude_user,
      .exclude_kernel = plan->event.exclude_kernel,
      .exclude_hv = plan->event.exclude_hv,
  };
  plan->event = clock;
  plan->fixed_clock = true;
  prof_event_rename(&plan->event);
}

static int fail(const struct prof_os *os, const struct prof_plan *plan, int result,
                struct prof_error *error) {
  const char *name = plan->event.name;
  long paranoid = prof_os_number(os, SYS_PARANOID, -2);
  switch (classify(result)) {
  case PERMISSION:
    if (paranoid == -2)
      return prof_error_set(error, PROF_PERMISSION, -result, "perf_event_open",
                            "the kernel refuses '%s' to this user and does not tell its "
                            "perf_event_paranoid: grant CAP_PERFMON, or run as root",
                            name);
    return prof_error_set(error, PROF_PERMISSION, -result, "perf_event_open",
                          "kernel.perf_event_paranoid is %ld, which refuses '%s' to this user: run "
                          "`sudo sysctl kernel.perf_event_paranoid=1`",
                          paranoid, name);
  case SECCOMP:
    return prof_error_set(error, PROF_PERMISSION, -result, "perf_event_open",
                          "perf_event_open is blocked (seccomp, as containers have it by default): "
                          "start the container with `--cap-add PERFMON`, or with "
                          "`--security-opt seccomp=unconfined`");
  case NO_PMU:
    return prof_error_set(error, PROF_NO_PMU, -result, "perf_event_open",
                          "this machine cannot count '%s'%s: use 'cpu-clock'", name,
                          plan->has_pmu ? "" : " (no hardware PMU: a virtual machine?)");
  case BUSY:
    return prof_error_set(error, PROF_NO_PMU, -result, "perf_event_open",
                          "the counters for '%s' are taken by another program: end it, or use "
                          "'cpu-clock'",
                          name);
  case NO_FILES:
    return prof_error_set(error, PROF_TOO_MANY_FILES, -result, "perf_event_open",
                          "no file descriptor is left: raise the limit with `ulimit -n 65536`");
  default:
    if (result == -ENOMEM)
      return prof_error_set(error, PROF_NO_MEMORY, ENOMEM, "perf_event_open",
                            "no memory for the event '%s'", name);
    return prof_error_set(error, PROF_SYSTEM, -result, "perf_event_open",
                          "the kernel refuses '%s' at %u Hz: %s", name, plan->frequency,
                          strerror(-result));
  }
}

static void note_kernel_excluded(const struct prof_os *os, struct prof_plan *plan, int result) {
  if (classify(result) == SECCOMP)
    prof_plan_note(plan, "kernel-excluded", "",
                   "kernel time is left out: the container refuses it; start it with "
                   "`--cap-add PERFMON`");
  else
    prof_plan_note(plan, "kernel-excluded", "sudo sysctl kernel.perf_event_paranoid=1",
                   "kernel time is left out: kernel.perf_event_paranoid is %ld",
                   prof_os_number(os, SYS_PARANOID, -1));
}

/* One event (as it stands in *plan) with the kernel part, then without. */
static int try_event(const struct prof_os *os, struct prof_plan *plan) {
  struct prof_plan attempt = *plan;
  int result = probe_stack_forms(os, &attempt), refused;
  enum refusal why = classify(result);
  if ((why == PERMISSION || why == SECCOMP) && plan->kernel && !plan->event.exclude_user &&
      !plan->event.in_kernel_only) {
    refused = result;
    attempt = *plan;
    use_kernel(&attempt, false);
    result = probe_stack_forms(os, &attempt);
    if (classify(result) == OPENS)
      note_kernel_excluded(os, &attempt, refused);
  }
  /* The plan of the last attempt also names the event in an error. */
  *plan = attempt;
  return result;
}

static void note_what_was_given_up(const struct prof_os *os, const struct prof_plan *wanted,
                                   struct prof_plan *got) {
  if (wanted->sigtrap && !got->threads_only)
    prof_plan_note(got, "no-sigtrap", "",
                   "this kernel cannot signal a sampled thread (5.13 can): stacks are unwound from "
                   "copies of %u bytes and may be cut",
                   got->stack_bytes);
  else if (got->stack_dump && got->stack_bytes < wanted->stack_bytes)
    prof_plan_note(got, "stack-bytes-lowered", "", "stack copies are lowered to %u bytes",
                   got->stack_bytes);
  if (wanted->event.precise_ip && !got->event.precise_ip && got->event.is_hardware)
    prof_plan_note(got, "precise-lowered", "",
                   "this CPU has no precise form of the event: places may be a few instructions "
                   "late");
  if (got->kernel && prof_os_number(os, SYS_KPTR, 0) == 2)
    prof_plan_note(got, "kernel-addresses-hidden", "sudo sysctl kernel.kptr_restrict=0",
                   "kernel functions have no names: kernel.kptr_restrict is 2");
}

static void use_dumps(struct prof_plan *plan, const char *why) {
  plan->sigtrap = false;
  plan->stack_dump = true;
  plan->stack_bytes = PROF_STACK_BYTES_DEFAULT;
  prof_plan_note(plan, "no-sigtrap", "",
                 "%s: stacks are unwound from copies of %u bytes and may be cut", why,
                 plan->stack_bytes);
}

/* Before 5.19 ("signal: Deliver SIGTRAP on perf event asynchronously if blocked") a sample of a
 * thread that blocks SIGTRAP, as libc does for moments and our own handler always, ended the
 * process. Before 6.1 ("perf: Fix missing SIGTRAPs") the signal of a kernel-mode sample could be
 * lost, or interrupt a system call that would not have failed. */
static void keep_to_sound_signals(const struct prof_os *os, struct prof_plan *plan) {
  if (!plan->sigtrap)
    return;
  if (!prof_os_kernel_at_least(os, 5, 19)) {
    use_dumps(plan, "kernels before 5.19 cannot signal sampled threads safely");
  } else if (plan->kernel && !prof_os_kernel_at_least(os, 6, 1)) {
    if (plan->event.exclude_user || plan->event.in_kernel_only) {
      use_dumps(plan, "kernels before 6.1 cannot signal kernel-mode samples safely");
      return;
    }
    use_kernel(plan, false);
    prof_plan_note(plan, "kernel-excluded", "",
                   "kernel time is left out: kernels before 6.1 cannot signal its samples safely");
  }
}

static void limit_frequency(const struct prof_os *os, struct prof_plan *plan) {
  long rate = prof_os_number(os, SYS_RATE, -1);
  char fix[sizeof plan->notes[0].fix];
  if (rate <= 0 || (long)plan->frequency <= rate)
    return;
  snprintf(fix, sizeof fix, "sudo sysctl kernel.perf_event_max_sample_rate=%u", plan->frequency);
  prof_plan_note(plan, "frequency-lowered", fix,
                 "%u Hz is lowered to kernel.perf_event_max_sample_rate, %ld Hz", plan->frequency,
                 rate);
  plan->frequency = (uint32_t)rate;
}

int prof_choose_plan(const struct prof_os *os, const char *event, uint32_t frequency,
                     int call_graph, struct prof_plan *out, struct prof_error *error) {
  struct prof_plan wanted = {.frequency = frequency, .threads_only = true, .group = -1}, plan;
  int result, status;

  if (!event)
    event = PROF_EVENT_DEFAULT;
  if (frequency < 1 || frequency > PROF_FREQUENCY_MAX)
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL, "frequency is %u: it must be 1 to %u Hz",
                          frequency, PROF_FREQUENCY_MAX);
  if (call_graph < PROF_CALL_GRAPH_NONE || call_graph > PROF_CALL_GRAPH_DWARF)
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "callGraph must be 'full', 'dwarf' or 'none'");
  status = prof_event_parse_on(os, event, &wanted.event, error);
  if (status)
    return status;
  if (wanted.event.in_kernel_only && wanted.event.exclude_kernel)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "'%s' never happens in user mode: leave out ':u'", event);
  snprintf(wanted.requested, sizeof wanted.requested, "%s", event);
  wanted.has_pmu = prof_pmu_exists(os);
  wanted.kernel = !wanted.event.exclude_kernel;
  wanted.kernel_chain = wanted.kernel && call_graph != PROF_CALL_GRAPH_NONE;
  wanted.fixed_clock = !strcmp(wanted.event.unit, "ns");
  wanted.sigtrap = call_graph == PROF_CALL_GRAPH_FULL;
  wanted.stack_dump = call_graph == PROF_CALL_GRAPH_DWARF;
  wanted.stack_bytes = wanted.stack_dump ? PROF_STACK_BYTES_DEFAULT : 0;
  limit_frequency(os, &wanted);

  plan = wanted;
  result = try_event(os, &plan);
  if (classify(result) == OPENS && plan.event.is_hardware)
    plan.has_pmu = true;
  if ((classify(result) == NO_PMU || classify(result) == BUSY) && wanted.event.is_cycles) {
    enum refusal why = classify(result);
    plan = wanted;
    use_cpu_clock(&plan);
    prof_plan_note(&plan, why == BUSY ? "pmu-busy" : "no-hardware-pmu", "",
                   why == BUSY
                       ? "the hardware counters are taken by another program: %s is used"
                       : "this machine shows no hardware counters (a virtual machine?): %s is used",
                   plan.event.name);
    result = try_event(os, &plan);
  }
  if (classify(result) != OPENS && prof_cputimer_plan(os, &wanted, -result, out))
    return PROF_OK;
  if (classify(result) != OPENS)
    return fail(os, &plan, result, error);
  keep_to_sound_signals(os, &plan);
  note_what_was_given_up(os, &wanted, &plan);
  *out = plan;
  return 0;
}
