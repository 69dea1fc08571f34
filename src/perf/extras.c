#include "perf/extras.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "perf/attr.h"
#include "perf/events.h"

void prof_extras_fill(const struct prof_plan *plan, int index, uint64_t sig_data,
                      struct perf_event_attr *out) {
  struct prof_plan one = *plan;
  one.event = *prof_plan_event(plan, index);
  prof_attr_fill(&one, sig_data, out);
  /* The first event of the same thread tells of these. */
  out->mmap = out->mmap2 = out->mmap_data = out->comm = out->comm_exec = out->task = 0;
}

int prof_extras_group(const struct prof_plan *plan, int index) {
  return index ? plan->extras[index - 1].group : plan->group;
}

static void merge_notes(struct prof_plan *plan, const struct prof_plan *other) {
  for (int i = 0; i < other->note_count; i++) {
    const struct prof_plan_note *note = &other->notes[i];
    int at = 0;
    while (at < plan->note_count && strcmp(plan->notes[at].message, note->message) != 0)
      at++;
    if (at == plan->note_count)
      prof_plan_note(plan, note->code, note->fix, "%s", note->message);
  }
}

static int add_event(struct prof_plan *plan, const struct prof_plan *other, int group,
                     struct prof_error *error) {
  struct prof_extra *extra = &plan->extras[plan->extra_count];
  if (plan->extra_count == PROF_EXTRAS_MAX)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "at most %d events are recorded at once: count the others with `stat`",
                          PROF_EXTRAS_MAX + 1);
  for (int i = 0; i <= plan->extra_count; i++)
    if (!strcmp(prof_plan_event(plan, i)->name, other->event.name))
      return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                            "event '%s' opens as '%s', which is recorded already", other->requested,
                            other->event.name);
  if (other->sigtrap != plan->sigtrap || other->stack_dump != plan->stack_dump ||
      other->threads_only != plan->threads_only || other->timers)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "'%s' gets its stacks in another way than '%s' on this kernel: record "
                          "them one after the other",
                          other->requested, plan->requested);
  extra->event = other->event;
  extra->group = group;
  memcpy(extra->requested, other->requested, sizeof extra->requested);
  /* One ring, one layout: all have room for the kernel's part where one needs it. */
  plan->kernel_chain |= other->kernel_chain;
  plan->extra_count++;
  merge_notes(plan, other);
  return 0;
}

/* All events of the plan on this thread, disabled, in their groups: 0, or a status. */
static int try_groups(const struct prof_os *os, const struct prof_plan *plan,
                      struct prof_error *error) {
  int cpus[1], fds[PROF_EXTRAS_MAX + 1], status = 0, count = 0;
  prof_os_cpus(os, cpus, 1);
  for (; count <= plan->extra_count && !status; count++) {
    struct perf_event_attr attr;
    int group = prof_extras_group(plan, count), leader = -1;
    for (int i = 0; i < count && group >= 0 && leader < 0; i++)
      if (prof_extras_group(plan, i) == group)
        leader = fds[i];
    if (count)
      prof_extras_fill(plan, count, 0, &attr);
    else
      prof_attr_fill(plan, 0, &attr);
    fds[count] = os->open_in_group(os->user, &attr, 0, cpus[0], leader);
    if (fds[count] < 0 && leader >= 0)
      status = prof_error_set(error, PROF_BAD_EVENT, -fds[count], "perf_event_open",
                              "'%s' cannot be in one group with the others: there are too few "
                              "counters, or they are of another kind; give it outside of the "
                              "braces",
                              prof_plan_requested(plan, count));
    else if (fds[count] < 0)
      status = prof_error_set(error, PROF_SYSTEM, -fds[count], "perf_event_open",
                              "the kernel refuses '%s' beside the others: %s",
                              prof_plan_requested(plan, count), strerror(-fds[count]));
  }
  while (count-- > 0)
    if (fds[count] >= 0)
      os->close(os->user, fds[count]);
  return status;
}

static bool is_fault(const struct prof_event *event) {
  return event->type == PERF_TYPE_SOFTWARE && (event->config == PERF_COUNT_SW_PAGE_FAULTS ||
                                               event->config == PERF_COUNT_SW_PAGE_FAULTS_MIN ||
                                               event->config == PERF_COUNT_SW_PAGE_FAULTS_MAJ);
}

/* The least number of events between two samples of one thread. A walk itself faults and calls the
 * kernel (3 times on an unreadable page, measured): were each of these a sample, one walk would
 * follow the other for ever. Below the others' a build would do little but walk. */
static uint64_t least_period(const struct prof_event *event) {
  if (is_fault(event))
    return PROF_FAULT_PERIOD;
  if (event->in_kernel_only || event->is_call) /* a walk calls no function of the build's */
    return 1;
  if (!strcmp(event->unit, "ns") || event->is_hardware)
    return 100000;
  return 1000;
}

static int check_period(const struct prof_plan *plan, uint64_t period, struct prof_error *error) {
  for (int i = 0; i <= plan->extra_count && period; i++) {
    const struct prof_event *event = prof_plan_event(plan, i);
    if (period < least_period(event))
      return prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                            "a period of %llu is too short for '%s': it must be at least %llu, or "
                            "the build would do nothing but be sampled",
                            (unsigned long long)period, event->name,
                            (unsigned long long)least_period(event));
  }
  return 0;
}

void prof_extras_prefer_fault_period(struct prof_plan *plan) {
  if (is_fault(&plan->event) && !plan->timers && !plan->extra_count && !plan->period_events)
    plan->period_events = PROF_FAULT_PERIOD;
}

int prof_extras_choose(const struct prof_os *os, const char *events, uint32_t frequency,
                       uint64_t period, int call_graph, struct prof_plan *out,
                       struct prof_error *error) {
  struct prof_events_item items[PROF_EVENTS_MAX];
  struct prof_plan plan;
  int count = prof_events_split(events ? events : PROF_EVENT_DEFAULT, items, error);
  if (count < 0)
    return count;
  int status = prof_choose_plan(os, items[0].text, frequency, call_graph, &plan, error);
  if (status)
    return status;
  if (plan.timers && count > 1)
    return prof_error_set(error, PROF_PERMISSION, 0, "perf_event_open",
                          "several events need perf events, and these are refused here: record "
                          "'%s' alone",
                          items[0].text);
  plan.group = items[0].group;
  for (int i = 1; i < count && !status; i++) {
    struct prof_plan other;
    status = prof_choose_plan(os, items[i].text, frequency, call_graph, &other, error);
    if (!status)
      status = add_event(&plan, &other, items[i].group, error);
  }
  if (!status && period && plan.timers)
    status = prof_error_set(error, PROF_PERMISSION, 0, "perf_event_open",
                            "a period is one of perf events, and these are refused here");
  if (!status)
    status = check_period(&plan, period, error);
  plan.period_events = period;
  if (period)
    plan.frequency = 0;
  if (!status && plan.extra_count)
    status = try_groups(os, &plan, error);
  if (!status)
    *out = plan;
  return status;
}
