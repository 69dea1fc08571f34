#include "perf/pfm.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <perfmon/pfmlib_perf_event.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool usable;

static void initialize(void) {
  usable = pfm_initialize() == PFM_SUCCESS;
}

static bool is_usable(void) {
  pthread_once(&once, initialize);
  return usable;
}

static int encode(const char *text, struct prof_pfm_event *out) {
  struct perf_event_attr attr;
  pfm_perf_encode_arg_t arg;
  memset(&attr, 0, sizeof attr);
  memset(&arg, 0, sizeof arg);
  attr.size = sizeof attr;
  arg.attr = &attr;
  arg.size = sizeof arg;
  arg.cpu = -1;
  if (!is_usable() || pfm_get_os_event_encoding(text, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT_EXT,
                                                &arg) != PFM_SUCCESS)
    return -1;
  *out = (struct prof_pfm_event){
      .type = attr.type,
      .config = attr.config,
      .config1 = attr.config1,
      .config2 = attr.config2,
      .exclude_user = attr.exclude_user,
      .exclude_kernel = attr.exclude_kernel,
      .exclude_hv = attr.exclude_hv,
      .precise_ip = (uint8_t)attr.precise_ip,
  };
  return 0;
}

int prof_pfm_encode(const char *text, struct prof_pfm_event *out) {
  char colons[128];
  size_t length = strlen(text);
  if (!encode(text, out))
    return 0;
  /* perf writes Intel's "inst_retired.any_p", libpfm4 "INST_RETIRED:ANY_P". */
  if (!strchr(text, '.') || length >= sizeof colons)
    return -1;
  memcpy(colons, text, length + 1);
  *strchr(colons, '.') = ':';
  return encode(colons, out);
}

static bool has_event(const pfm_pmu_info_t *about, const char *name, size_t length) {
  for (int index = about->first_event; index != -1; index = pfm_get_event_next(index)) {
    pfm_event_info_t event;
    memset(&event, 0, sizeof event);
    event.size = sizeof event;
    if (pfm_get_event_info(index, PFM_OS_NONE, &event) == PFM_SUCCESS &&
        !strncasecmp(event.name, name, length) && !event.name[length])
      return true;
  }
  return false;
}

bool prof_pfm_elsewhere(const char *text, char *cpu, size_t size) {
  const char *name = strstr(text, "::") ? strstr(text, "::") + 2 : text;
  size_t length = strcspn(name, ":.");
  for (int pmu = 0; is_usable() && length && pmu < PFM_PMU_MAX; pmu++) {
    pfm_pmu_info_t about;
    memset(&about, 0, sizeof about);
    about.size = sizeof about;
    if (pfm_get_pmu_info((pfm_pmu_t)pmu, &about) != PFM_SUCCESS || about.is_present ||
        !has_event(&about, name, length))
      continue;
    snprintf(cpu, size, "%s", about.desc);
    return true;
  }
  return false;
}

void prof_pfm_each(prof_pfm_visit *visit, void *user) {
  int pmu, index;
  if (!is_usable())
    return;
  for (pmu = 0; pmu < PFM_PMU_MAX; pmu++) {
    pfm_pmu_info_t about;
    memset(&about, 0, sizeof about);
    about.size = sizeof about;
    if (pfm_get_pmu_info((pfm_pmu_t)pmu, &about) != PFM_SUCCESS || !about.is_present)
      continue;
    for (index = about.first_event; index != -1; index = pfm_get_event_next(index)) {
      pfm_event_info_t event;
      memset(&event, 0, sizeof event);
      event.size = sizeof event;
      if (pfm_get_event_info(index, PFM_OS_PERF_EVENT_EXT, &event) == PFM_SUCCESS &&
          !visit(user, about.name, event.name, event.desc ? event.desc : ""))
        return;
    }
  }
}
