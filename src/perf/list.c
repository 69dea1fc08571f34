#include "perf/list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/perf_event.h>

#include "perf/cache.h"
#include "perf/event.h"
#include "perf/pfm.h"
#include "perf/pmu.h"
#include "perf/refusal.h"
#include "perf/tracefs.h"

static int open_here(const struct prof_os *os, struct perf_event_attr *attr, int tid, int cpu) {
  int fd = os->perf_event_open(os->user, attr, tid, cpu);
  if (fd != -EACCES && fd != -EPERM)
    return fd;
  attr->exclude_kernel = attr->exclude_hv = 1;
  return os->perf_event_open(os->user, attr, tid, cpu);
}

/* Opens the event on this thread, user-only where it must be. "" or why not. */
static const char *try_open(const struct prof_os *os, const struct prof_event *event) {
  struct perf_event_attr attr = {
      .size = sizeof attr,
      .type = event->type,
      .config = event->config,
      .config1 = event->config1,
      .config2 = event->config2,
      .disabled = 1,
  };
  int fd = open_here(os, &attr, 0, -1);
  if (fd == -EINVAL && event->type >= PERF_TYPE_MAX) {
    int cpus[1], cpu_fd;
    prof_os_cpus(os, cpus, 1);
    cpu_fd = open_here(os, &attr, -1, cpus[0]);
    if (cpu_fd >= 0)
      os->close(os->user, cpu_fd);
    return cpu_fd >= 0 ? "counts whole CPUs only: rspack-prof stat --all-cpus"
                       : prof_refusal_reason(prof_refusal_of(cpu_fd), event);
  }
  if (fd < 0)
    return prof_refusal_reason(prof_refusal_of(fd), event);
  os->close(os->user, fd);
  if (attr.exclude_kernel && (event->in_kernel_only || event->type == PERF_TYPE_TRACEPOINT))
    return "needs the kernel part: sudo sysctl kernel.perf_event_paranoid=1";
  return "";
}

static const char *type_name(uint32_t type) {
  switch (type) {
  case PERF_TYPE_HARDWARE:
    return "hardware";
  case PERF_TYPE_SOFTWARE:
    return "software";
  case PERF_TYPE_HW_CACHE:
    return "cache";
  default:
    return "pmu";
  }
}

struct listing {
  const struct prof_os *os;
  prof_event_row_visit *visit;
  void *user;
  const char *pmu;            /* whose events are being listed */
  const char *tracing_reason; /* of the first tracepoint; NULL: not tried yet */
};

static void visit(const struct listing *listing, bool is_form, const char *name, const char *type,
                  const char *description, const char *reason) {
  struct prof_event_row row = {
      .name = name,
      .type = type,
      .description = description,
      .is_form = is_form,
      .reason = reason,
      .available = !*reason,
  };
  listing->visit(listing->user, &row);
}

static void visit_row(const struct listing *listing, const char *name, const char *type,
                      const char *description, const char *reason) {
  visit(listing, false, name, type, description, reason);
}

static void visit_form(const struct listing *listing, const char *name, const char *type,
                       const char *description, const char *reason) {
  visit(listing, true, name, type, description, reason);
}

/* --- by their kinds --- */

static void list_known(const struct listing *listing) {
  const struct prof_event_known *known;
  for (size_t i = 0; (known = prof_event_known_at(i)); i++) {
    struct prof_event event;
    if (!prof_event_parse_on(listing->os, known->name, &event, NULL))
      visit_row(listing, known->name, type_name(known->type), known->description,
                try_open(listing->os, &event));
  }
}

static bool is_known(const char *name) {
  const struct prof_event_known *known;
  for (size_t i = 0; (known = prof_event_known_at(i)); i++)
    if (!strcmp(known->name, name))
      return true;
  return false;
}

static void list_caches(const struct listing *listing) {
  char name[64], about[96];
  for (size_t i = 0; prof_cache_name(i, name, sizeof name, about, sizeof about); i++) {
    struct prof_event event;
    if (!is_known(name) && !prof_event_parse_on(listing->os, name, &event, NULL))
      visit_row(listing, name, "cache", about, try_open(listing->os, &event));
  }
}

static bool visit_pfm(void *user, const char *pmu, const char *name, const char *description) {
  const struct listing *listing = user;
  struct prof_event event;
  char full[192];
  /* "perf" and "perf_raw" are libpfm4's own names for what is listed already. */
  if (!strcmp(pmu, "perf") || !strcmp(pmu, "perf_raw"))
    return true;
  snprintf(full, sizeof full, "%s::%s", pmu, name);
  /* Those that want a unit mask do not parse alone; they are listed with the error. */
  visit_row(listing, full, "pmu", description,
            prof_event_parse_on(listing->os, full, &event, NULL) ? "needs a unit mask"
                                                                 : try_open(listing->os, &event));
  return true;
}

static bool visit_pmu_event(void *user, const char *name) {
  const struct listing *listing = user;
  struct prof_event event;
  char full[192];
  if (strchr(name, '.')) /* "energy-pkg.unit", ".scale": about an event */
    return true;
  snprintf(full, sizeof full, "%s/%s/", listing->pmu, name);
  if (!prof_event_parse_on(listing->os, full, &event, NULL))
    visit_row(listing, full, "pmu", "named by the kernel", try_open(listing->os, &event));
  return true;
}

static bool visit_pmu(void *user, const char *pmu) {
  struct listing *listing = user;
  char folder[256];
  snprintf(folder, sizeof folder, PROF_PMU_DEVICES "/%s/events", pmu);
  listing->pmu = pmu;
  listing->os->list_names(listing->os->user, folder, visit_pmu_event, listing);
  return true;
}

static bool visit_tracepoint(void *user, const char *name) {
  struct listing *listing = user;
  if (!listing->tracing_reason) {
    struct prof_event event;
    if (prof_event_parse_on(listing->os, name, &event, NULL))
      return true;
    listing->tracing_reason = try_open(listing->os, &event);
  }
  visit_row(listing, name, "tracepoint", "", listing->tracing_reason);
  return true;
}

static void list_forms(const struct listing *listing) {
  const struct prof_os *os = listing->os;
  struct prof_event raw = {.type = PERF_TYPE_RAW, .config = 0x3c, .is_hardware = true};
  const char *reason = try_open(os, &raw);
  const char *tracing = prof_tracefs_problem(os);
  visit_form(listing, "rNNN", "raw", "a raw code of the CPU's PMU, in hex", reason);
  visit_form(listing, "PMU/TERM=VALUE,.../", "pmu",
             "cpu/event=0x3c,umask=0/: a PMU and its terms, from sysfs", reason);
  visit_form(listing, "SUBSYSTEM:EVENT", "tracepoint", "sched:sched_switch: a tracepoint", tracing);
  visit_form(listing, "uprobe", "uprobe", "a function of a program: not by -e, trace counts it",
             !prof_pmu_has(os, "uprobe") ? "not in this kernel" : "");
}

void prof_event_list(const struct prof_os *os, prof_event_row_visit *visit, void *user) {
  struct listing listing = {.os = os, .visit = visit, .user = user};
  list_known(&listing);
  list_caches(&listing);
  prof_pfm_each(visit_pfm, &listing);
  os->list_names(os->user, PROF_PMU_DEVICES, visit_pmu, &listing);
  prof_tracefs_each(os, visit_tracepoint, &listing);
  list_forms(&listing);
}
