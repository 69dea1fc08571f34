#include "perf/choose.h"

#include <stdio.h>
#include <string.h>

#include "perf/attr.h"
#include "perf/cputimer.h"
#include "perf/pmu.h"
#include "perf/refusal.h"

static bool is_missing(int result) {
  enum prof_refusal refusal = prof_refusal_of(result);
  return refusal == PROF_REFUSAL_MISSING || refusal == PROF_REFUSAL_GONE;
}

/* Opens the plan as attach will, and closes it again. */
static int probe(const struct prof_os *os, const struct prof_plan *plan) {
  struct perf_event_attr attr;
  prof_attr_fill(plan, 0, &attr);
  return prof_os_try(os, &attr);
}

static void copy_stacks(struct prof_plan *plan) {
  plan->sigtrap = false;
  plan->stack_dump = true;
  plan->stack_bytes = PROF_STACK_BYTES_DEFAULT;
}

/* The same, stepping down in how stacks are taken while the kernel knows no better; what was given
 * up stays in *plan. EINVAL: a bit that this kernel does not know. */
static int probe_stack_forms(const struct prof_os *os, struct prof_plan *plan) {
  int result = probe(os, plan);
  enum prof_refusal why = prof_refusal_of(result);
  if ((is_missing(result) || why == PROF_REFUSAL_INVALID) && plan->event.precise_ip) {
    struct prof_plan imprecise = *plan;
    imprecise.event.precise_ip = 0;
    result = probe(os, &imprecise);
    why = prof_refusal_of(result);
    if (why == PROF_REFUSAL_NONE)
      *plan = imprecise;
  }
  if ((why == PROF_REFUSAL_INVALID || why == PROF_REFUSAL_TOO_BIG) && plan->threads_only) {
    struct prof_plan old = *plan; /* before 5.13 */
    old.threads_only = false;
    if (old.sigtrap)
      copy_stacks(&old);
    result = probe(os, &old);
    why = prof_refusal_of(result);
    if (why != PROF_REFUSAL_INVALID)
      *plan = old;
  }
  while (why == PROF_REFUSAL_TOO_BIG && plan->stack_dump && plan->stack_bytes > 1024) {
    plan->stack_bytes = plan->stack_bytes / 2 & ~7u;
    result = probe(os, plan);
    why = prof_refusal_of(result);
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

/* What is missing is told in a recording's words: it may have a clock instead. */
static int fail(const struct prof_os *os, const struct prof_plan *plan, int result,
                struct prof_error *error) {
  const char *name = plan->event.name;
  if (is_missing(result))
    return prof_error_set(error, PROF_NO_PMU, -result, "perf_event_open",
                          "this machine cannot count '%s'%s: use 'cpu-clock'", name,
                          plan->has_pmu ? "" : " (no hardware PMU: a virtual machine?)");
  if (prof_refusal_of(result) == PROF_REFUSAL_BUSY)
    return prof_error_set(error, PROF_NO_PMU, -result, "perf_event_open",
                          "the counters for '%s' are taken by another program: end it, or use "
                          "'cpu-clock'",
                          name);
  return prof_refusal_error(os, &plan->event, name, result, error);
}

static void note_kernel_excluded(const struct prof_os *os, struct prof_plan *plan, int result) {
  if (prof_refusal_of(result) == PROF_REFUSAL_BLOCKED)
    prof_plan_note(plan, "kernel-excluded", "",
                   "kernel time is left out: the container refuses it; start it with "
                   "`--cap-add PERFMON`");
  else
    prof_plan_note(plan, "kernel-excluded", "sudo sysctl kernel.perf_event_paranoid=1",
                   "kernel time is left out: kernel.perf_event_paranoid is %ld",
                   prof_os_number(os, PROF_SYS_PARANOID, -1));
}

/* One event (as it stands in *plan) with the kernel part, then without. */
static int try_event(const struct prof_os *os, struct prof_plan *plan) {
  struct prof_plan attempt = *plan;
  int result = probe_stack_forms(os, &attempt), refused = result;
  enum prof_refusal why = prof_refusal_of(result);
  if ((why == PROF_REFUSAL_PERMISSION || why == PROF_REFUSAL_BLOCKED) && plan->kernel &&
      !plan->event.exclude_user && !plan->event.in_kernel_only) {
    attempt = *plan;
    use_kernel(&attempt, false);
    result = probe_stack_forms(os, &attempt);
    if (result >= 0)
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
  if (got->kernel && prof_os_number(os, PROF_SYS_KPTR, 0) == 2)
    prof_plan_note(got, "kernel-addresses-hidden", "sudo sysctl kernel.kptr_restrict=0",
                   "kernel functions have no names: kernel.kptr_restrict is 2");
}

static void use_dumps(struct prof_plan *plan, const char *why) {
  copy_stacks(plan);
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
  long rate = prof_os_number(os, PROF_SYS_RATE, -1);
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
  if (result >= 0 && plan.event.is_hardware)
    plan.has_pmu = true;
  bool is_busy = prof_refusal_of(result) == PROF_REFUSAL_BUSY;
  if ((is_missing(result) || is_busy) && wanted.event.is_cycles) {
    plan = wanted;
    use_cpu_clock(&plan);
    result = try_event(os, &plan);
    prof_plan_note(&plan, is_busy ? "pmu-busy" : "no-hardware-pmu", "",
                   is_busy
                       ? "the hardware counters are taken by another program: %s is used"
                       : "this machine shows no hardware counters (a virtual machine?): %s is used",
                   plan.event.name);
  }
  if (result < 0 && prof_cputimer_plan(os, &wanted, -result, out))
    return PROF_OK;
  if (result < 0)
    return fail(os, &plan, result, error);
  keep_to_sound_signals(os, &plan);
  note_what_was_given_up(os, &wanted, &plan);
  *out = plan;
  return 0;
}
