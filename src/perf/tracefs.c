#include "perf/tracefs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Since 4.1; before, and still where somebody mounted it by hand, below debugfs. */
static const char *const ROOTS[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
enum { ROOT_COUNT = 2 };

long prof_tracefs_id(const struct prof_os *os, const char *name) {
  const char *colon = strchr(name, ':');
  if (!colon || strchr(name, '/') || strstr(name, ".."))
    return -1;
  for (int i = 0; i < ROOT_COUNT; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s/events/%.*s/%s/id", ROOTS[i], (int)(colon - name), name,
             colon + 1);
    long id = prof_os_number(os, path, -1);
    if (id >= 0)
      return id;
  }
  return -1;
}

const char *prof_tracefs_problem(const struct prof_os *os) {
  bool is_refused = false;
  for (int i = 0; i < ROOT_COUNT; i++) {
    char path[256], text[64];
    snprintf(path, sizeof path, "%s/events/header_page", ROOTS[i]);
    int result = os->read_file(os->user, path, text, sizeof text);
    if (result >= 0)
      return "";
    is_refused |= result == -EACCES || result == -EPERM;
  }
  return is_refused ? "tracefs may be read by root alone: run as root, or "
                      "sudo mount -o remount,mode=755 /sys/kernel/tracing"
                    : "tracefs is not mounted: sudo mount -t tracefs nodev /sys/kernel/tracing";
}

struct walk {
  const struct prof_os *os;
  const char *root, *subsystem;
  prof_tracefs_visit *visit;
  void *user;
  bool goes_on;
};

static bool visit_event(void *user, const char *event) {
  struct walk *walk = user;
  char name[192];
  if (strcmp(event, "enable") != 0 && strcmp(event, "filter") != 0) {
    snprintf(name, sizeof name, "%s:%s", walk->subsystem, event);
    walk->goes_on = walk->visit(walk->user, name);
  }
  return walk->goes_on;
}

static bool visit_subsystem(void *user, const char *subsystem) {
  struct walk *walk = user;
  char folder[256];
  snprintf(folder, sizeof folder, "%s/events/%s", walk->root, subsystem);
  walk->subsystem = subsystem;
  walk->os->list_names(walk->os->user, folder, visit_event, walk);
  return walk->goes_on;
}

void prof_tracefs_each(const struct prof_os *os, prof_tracefs_visit *visit, void *user) {
  for (int i = 0; i < ROOT_COUNT; i++) {
    struct walk walk = {os, ROOTS[i], NULL, visit, user, true};
    char folder[256];
    snprintf(folder, sizeof folder, "%s/events", ROOTS[i]);
    if (os->list_names(os->user, folder, visit_subsystem, &walk) > 0)
      return;
  }
}
