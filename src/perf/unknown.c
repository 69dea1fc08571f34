#include "perf/unknown.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "perf/near.h"
#include "perf/pfm.h"
#include "perf/pmu.h"
#include "perf/tracefs.h"

/* Names in a list for a message: "a, b, c". */
struct names {
  char text[160];
  size_t used;
};

static bool add_name(void *user, const char *name) {
  struct names *names = user;
  size_t room = sizeof names->text - names->used;
  int written = snprintf(names->text + names->used, room, "%s%s", names->used ? ", " : "", name);
  if ((size_t)written >= room) {
    names->text[names->used] = 0;
    return false;
  }
  names->used += (size_t)written;
  return true;
}

static int bad_term(const struct prof_os *os, const char *text, struct prof_error *error) {
  char pmu[64], folder[128];
  struct names names = {0};
  snprintf(pmu, sizeof pmu, "%.*s", (int)strcspn(text, "/"), text);
  if (!prof_pmu_has(os, pmu)) {
    os->list_names(os->user, PROF_PMU_DEVICES, add_name, &names);
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "event '%s': this machine has no PMU '%s', it has %s", text, pmu,
                          names.used ? names.text : "none");
  }
  snprintf(folder, sizeof folder, PROF_PMU_DEVICES "/%s/format", pmu);
  os->list_names(os->user, folder, add_name, &names);
  return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                        "event '%s': the PMU '%s' takes %s, and values that fit", text, pmu,
                        names.used ? names.text : "no terms");
}

/* "sched:sched_switch" by its form: lower case on both sides of one colon. */
static bool is_tracepoint(const char *text) {
  const char *colon = strchr(text, ':');
  if (!colon || colon == text || colon[1] == ':' || strlen(colon + 1) < 3)
    return false;
  for (; *text; text++)
    if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && !strchr("_:", *text))
      return false;
  return true;
}

int prof_unknown_error(const struct prof_os *os, const char *text, struct prof_error *error) {
  char cpu[96];
  const char *problem;
  if (strchr(text, '/') != strrchr(text, '/'))
    return bad_term(os, text, error);
  if (prof_pfm_elsewhere(text, cpu, sizeof cpu))
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "event '%s' is of another CPU (%s): this one does not have it, or hides "
                          "it (a virtual machine?); `rspack-prof list` shows what there is",
                          text, cpu);
  problem = prof_tracefs_problem(os);
  if (is_tracepoint(text) && *problem)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "event '%s' looks like a tracepoint, and they are not to be seen: %s",
                          text, problem);
  return prof_near_error(text, error);
}
