#include "perf/pmu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

/* Intel SDM vol. 3, IA32_PERFEVTSELx; AMD's differs in event's upper bits alone. */
static const char *const X86_FORMAT[][2] = {
    {"event", "config:0-7"},   {"umask", "config:8-15"}, {"edge", "config:18"},
    {"pc", "config:19"},       {"any", "config:21"},     {"inv", "config:23"},
    {"cmask", "config:24-31"},
};

static bool read_format(const struct prof_os *os, const char *pmu, const char *term, char *text,
                        size_t size) {
  char path[256];
  snprintf(path, sizeof path, PROF_PMU_DEVICES "/%s/format/%s", pmu, term);
  if (os->read_file(os->user, path, text, size) > 0)
    return true;
  snprintf(path, sizeof path, PROF_PMU_DEVICES "/%s/type", pmu);
  if (strcmp(pmu, "cpu") || prof_os_number(os, path, -1) >= 0)
    return false; /* the PMU is there and has no such term, or it is another machine's */
  for (size_t i = 0; i < sizeof X86_FORMAT / sizeof *X86_FORMAT; i++)
    if (!strcmp(X86_FORMAT[i][0], term))
      return snprintf(text, size, "%s", X86_FORMAT[i][1]) > 0;
  return false;
}

/* Spreads value over "config:0-7,32-35" (bits low to high). false where bits are left over. */
static bool place_value(const char *format, uint64_t value, struct prof_event *out) {
  uint64_t *config = &out->config;
  const char *at = strchr(format, ':');
  if (!strncmp(format, "config1:", 8))
    config = &out->config1;
  else if (!strncmp(format, "config2:", 8))
    config = &out->config2;
  else if (strncmp(format, "config:", 7))
    return false;
  do {
    char *end;
    long low = strtol(++at, &end, 10), high = low;
    if (*end == '-')
      high = strtol(end + 1, &end, 10);
    if (end == at || low < 0 || high > 63 || high < low)
      return false;
    for (long bit = low; bit <= high; bit++, value >>= 1)
      *config = (*config & ~(1ull << bit)) | (value & 1) << bit;
    at = end;
  } while (*at == ',');
  return value == 0;
}

/* One "name=value", or "name" for 1; "config=..." sets a whole word. */
static bool parse_term(const struct prof_os *os, const char *pmu, char *term,
                       struct prof_event *out) {
  char format[128], *equals = strchr(term, '='), *end;
  uint64_t value = 1;
  if (equals) {
    *equals = 0;
    value = strtoull(equals + 1, &end, 0);
    if (end == equals + 1 || *end)
      return false;
  }
  if (!strcmp(term, "config") || !strcmp(term, "config1") || !strcmp(term, "config2")) {
    snprintf(format, sizeof format, "%s:0-63", term);
    return place_value(format, value, out);
  }
  if (!*term || strchr(term, '.') || !read_format(os, pmu, term, format, sizeof format))
    return false;
  return place_value(format, value, out);
}

/* "cpu/cache-misses/": the PMU's own named events, files that hold their terms. */
static bool expand_alias(const struct prof_os *os, const char *pmu, char *terms, size_t size) {
  char path[512], text[256];
  if (strpbrk(terms, ",=.") || !*terms)
    return false;
  snprintf(path, sizeof path, PROF_PMU_DEVICES "/%s/events/%s", pmu, terms);
  if (os->read_file(os->user, path, text, sizeof text) <= 0)
    return false;
  text[strcspn(text, "\n")] = 0;
  snprintf(terms, size, "%s", text);
  return true;
}

bool prof_pmu_parse(const struct prof_os *os, const char *text, struct prof_event *out) {
  char pmu[64], terms[256], path[256], *save = NULL;
  const char *slash = strchr(text, '/'), *last = strrchr(text, '/');
  long type;
  if (!slash || slash == last || last[1] || slash == text || text[0] == '.' ||
      (size_t)(slash - text) >= sizeof pmu || (size_t)(last - slash) >= sizeof terms)
    return false;
  snprintf(pmu, sizeof pmu, "%.*s", (int)(slash - text), text);
  snprintf(terms, sizeof terms, "%.*s", (int)(last - slash - 1), slash + 1);
  snprintf(path, sizeof path, PROF_PMU_DEVICES "/%s/type", pmu);
  type = prof_os_number(os, path, strcmp(pmu, "cpu") ? -1 : PERF_TYPE_RAW);
  if (type < 0 || strchr(terms, '/'))
    return false;
  out->type = (uint32_t)type;
  out->config = out->config1 = out->config2 = 0;
  out->is_hardware = type != PERF_TYPE_SOFTWARE;
  expand_alias(os, pmu, terms, sizeof terms);
  for (char *term = strtok_r(terms, ",", &save); term; term = strtok_r(NULL, ",", &save))
    if (!parse_term(os, pmu, term, out))
      return false;
  return true;
}

bool prof_pmu_has(const struct prof_os *os, const char *pmu) {
  char path[256];
  snprintf(path, sizeof path, PROF_PMU_DEVICES "/%s/type", pmu);
  return prof_os_number(os, path, -1) >= 0;
}

bool prof_pmu_exists(const struct prof_os *os) {
  return prof_os_number(os, PROF_PMU_DEVICES "/cpu/type", -1) >= 0 ||
         prof_os_number(os, PROF_PMU_DEVICES "/cpu_core/type", -1) >= 0;
}

uint64_t prof_pmu_hybrid_config(const struct prof_os *os, int cpu) {
  static const char *const NAMES[] = {"cpu_core", "cpu_atom", "cpu_lowpower"};
  for (int i = 0; i < 3; i++) {
    char path[128], text[1024];
    int cpus[PROF_CPUS_MAX], count;
    long type;
    snprintf(path, sizeof path, PROF_PMU_DEVICES "/%s/type", NAMES[i]);
    type = prof_os_number(os, path, -1);
    if (type < 0)
      continue;
    snprintf(path, sizeof path, PROF_PMU_DEVICES "/%s/cpus", NAMES[i]);
    if (os->read_file(os->user, path, text, sizeof text) <= 0)
      continue;
    count = prof_os_parse_cpus(text, cpus, PROF_CPUS_MAX);
    for (int j = 0; j < count; j++)
      if (cpus[j] == cpu)
        return (uint64_t)type << 32;
  }
  return 0;
}
