#include "perf/switches.h"

#include <string.h>

#include "perf/attr.h"

void prof_switches_fill(const struct prof_plan *plan, uint64_t sig_data,
                        struct perf_event_attr *out) {
  struct prof_plan with_kernel = *plan;
  with_kernel.kernel_chain = true;
  prof_attr_fill(&with_kernel, sig_data, out);
  out->type = PERF_TYPE_SOFTWARE;
  out->config = PERF_COUNT_SW_CONTEXT_SWITCHES;
  out->config1 = out->config2 = 0;
  out->exclude_user = out->exclude_kernel = out->exclude_hv = 0;
  out->precise_ip = 0;
  out->freq = 0;
  out->sample_period = 1;
  out->context_switch = 1;
  /* The sampling event of the same thread tells of these. */
  out->mmap = out->mmap2 = out->mmap_data = out->comm = out->comm_exec = out->task = 0;
}

/* Both events write into one ring: their samples must be laid out alike. */
static bool is_laid_out_alike(const struct prof_plan *plan) {
  struct perf_event_attr clock, switches;
  prof_attr_fill(plan, 0, &clock);
  prof_switches_fill(plan, 0, &switches);
  return clock.sample_type == switches.sample_type;
}

static int probe(const struct prof_os *os, const struct prof_plan *plan) {
  struct perf_event_attr attr;
  prof_switches_fill(plan, 0, &attr);
  return prof_os_try(os, &attr);
}

int prof_switches_choose(const struct prof_os *os, struct prof_plan *plan,
                         struct prof_error *error) {
  if (strcmp(plan->event.unit, "ns") != 0)
    return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                          "off-CPU time is in ns and '%s' is not: record it with 'cpu-clock'",
                          plan->event.name);
  if (plan->timers) {
    const struct prof_plan_note *why = plan->note_count ? &plan->notes[0] : NULL;
    return prof_error_set(error, PROF_PERMISSION, 0, "perf_event_open",
                          "waits are seen by perf events alone, and these are refused here: %s",
                          why && why->fix[0] ? why->fix : "allow them, or record CPU time alone");
  }
  bool is_sound = !plan->sigtrap || prof_os_kernel_at_least(os, 6, 1);
  bool has_kernel = plan->kernel && !plan->event.exclude_kernel;
  if (has_kernel && is_sound && is_laid_out_alike(plan) && probe(os, plan) >= 0) {
    plan->switches = PROF_SWITCHES_EVENT;
    return PROF_OK;
  }
  plan->switches = PROF_SWITCHES_RECORDS;
  bool is_paranoid = prof_os_number(os, PROF_SYS_PARANOID, 0) > 1;
  prof_plan_note(plan, "no-switch-stacks",
                 is_paranoid && is_sound ? "sudo sysctl kernel.perf_event_paranoid=1" : "",
                 "waits have no stacks of their own (%s): a long one's is read while it lasts, a "
                 "short one is charged to the stack that was sampled last",
                 !is_sound     ? "kernels before 6.1 cannot signal at a switch safely"
                 : is_paranoid ? "the kernel part is refused to this user"
                               : "the event leaves the kernel out");
  return PROF_OK;
}

bool prof_switches_is_sample(const struct prof_plan *plan, const struct prof_record *record) {
  return plan->switches == PROF_SWITCHES_EVENT && record->sample.period == 1;
}
