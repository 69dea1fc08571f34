#include "perf/list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/perf_event.h>

#include "perf/event.h"
#include "perf/pfm.h"

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
  int fd = os->perf_event_open(os->user, &attr, 0, -1);
  if (fd == -EACCES || fd == -EPERM) {
    attr.exclude_kernel = attr.exclude_hv = 1;
    fd = os->perf_event_open(os->user, &attr, 0, -1);
  }
  if (fd >= 0) {
    os->close(os->user, fd);
    if (attr.exclude_kernel && event->in_kernel_only)
      return "needs the kernel part: sudo sysctl kernel.perf_event_paranoid=1";
    return "";
  }
  switch (-fd) {
  case ENOENT:
  case ENODEV:
  case ENXIO:
  case EOPNOTSUPP:
    return event->is_hardware ? "no hardware PMU, or one without this event" : "not in this kernel";
  case EACCES:
    return "refused: sudo sysctl kernel.perf_event_paranoid=1";
  case EPERM:
  case ENOSYS:
    return "perf_event_open is blocked (seccomp)";
  case EBUSY:
    return "the counters are taken by another program";
  default:
    return "the kernel refuses it";
  }
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
};

static void visit_row(const struct listing *listing, const char *name, const char *type,
                      const char *description, const struct prof_event *event) {
  struct prof_event_row row = {
      .name = name,
      .type = type,
      .description = description,
      .reason = try_open(listing->os, event),
  };
  row.available = !*row.reason;
  listing->visit(listing->user, &row);
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
  if (!prof_event_parse_on(listing->os, full, &event, NULL))
    visit_row(listing, full, "pmu", description, &event);
  else
    listing->visit(listing->user,
                   &(struct prof_event_row){full, "pmu", description, false, "needs a unit mask"});
  return true;
}

int prof_event_list(const struct prof_os *os, prof_event_row_visit *visit, void *user,
                    struct prof_error *error) {
  struct listing listing = {os, visit, user};
  const struct prof_event_known *known;
  (void)error;
  for (size_t i = 0; (known = prof_event_known_at(i)); i++) {
    struct prof_event event;
    if (!prof_event_parse_on(os, known->name, &event, NULL))
      visit_row(&listing, known->name, type_name(known->type), known->description, &event);
  }
  prof_pfm_each(visit_pfm, &listing);
  return 0;
}
