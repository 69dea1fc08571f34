#include "perf/event.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "perf/cache.h"
#include "perf/pfm.h"
#include "perf/pmu.h"
#include "perf/tracefs.h"
#include "perf/unknown.h"

#define CACHE(cache, operation, result)                                                            \
  (PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_##operation << 8 |                         \
   PERF_COUNT_HW_CACHE_RESULT_##result << 16)

static const struct prof_event_known KNOWN[] = {
    {"cycles", "cpu-cycles", "CPU cycles, at the clock's present frequency", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_CPU_CYCLES},
    {"ref-cycles", NULL, "CPU cycles at a constant frequency", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_REF_CPU_CYCLES},
    {"instructions", NULL, "instructions retired", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
    {"cache-references", NULL, "last-level cache accesses", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_CACHE_REFERENCES},
    {"cache-misses", NULL, "last-level cache misses", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_CACHE_MISSES},
    {"branches", "branch-instructions", "branch instructions retired", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_BRANCH_INSTRUCTIONS},
    {"branch-misses", NULL, "branches predicted wrongly", PERF_TYPE_HARDWARE,
     PERF_COUNT_HW_BRANCH_MISSES},
    {"bus-cycles", NULL, "bus cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BUS_CYCLES},
    {"stalled-cycles-frontend", "idle-cycles-frontend", "cycles without instructions to issue",
     PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_FRONTEND},
    {"stalled-cycles-backend", "idle-cycles-backend", "cycles waiting for a result",
     PERF_TYPE_HARDWARE, PERF_COUNT_HW_STALLED_CYCLES_BACKEND},
    {"cpu-clock", NULL, "a timer on each CPU, in ns; works without a PMU", PERF_TYPE_SOFTWARE,
     PERF_COUNT_SW_CPU_CLOCK},
    {"task-clock", NULL, "a timer of each thread's CPU time, in ns", PERF_TYPE_SOFTWARE,
     PERF_COUNT_SW_TASK_CLOCK},
    {"page-faults", "faults", "page faults, minor and major", PERF_TYPE_SOFTWARE,
     PERF_COUNT_SW_PAGE_FAULTS},
    {"minor-faults", NULL, "page faults without a read from disk", PERF_TYPE_SOFTWARE,
     PERF_COUNT_SW_PAGE_FAULTS_MIN},
    {"major-faults", NULL, "page faults with a read from disk", PERF_TYPE_SOFTWARE,
     PERF_COUNT_SW_PAGE_FAULTS_MAJ},
    {"context-switches", "cs", "switches to another thread (the kernel part is needed)",
     PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
    {"cpu-migrations", "migrations", "moves to another CPU (the kernel part is needed)",
     PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
    {"alignment-faults", NULL, "unaligned accesses mended by the kernel", PERF_TYPE_SOFTWARE,
     PERF_COUNT_SW_ALIGNMENT_FAULTS},
    {"emulation-faults", NULL, "instructions emulated by the kernel", PERF_TYPE_SOFTWARE,
     PERF_COUNT_SW_EMULATION_FAULTS},
    {"L1-dcache-loads", NULL, "L1 data cache loads", PERF_TYPE_HW_CACHE, CACHE(L1D, READ, ACCESS)},
    {"L1-dcache-load-misses", NULL, "L1 data cache load misses", PERF_TYPE_HW_CACHE,
     CACHE(L1D, READ, MISS)},
    {"L1-dcache-stores", NULL, "L1 data cache stores", PERF_TYPE_HW_CACHE,
     CACHE(L1D, WRITE, ACCESS)},
    {"L1-icache-loads", NULL, "L1 instruction cache loads", PERF_TYPE_HW_CACHE,
     CACHE(L1I, READ, ACCESS)},
    {"L1-icache-load-misses", NULL, "L1 instruction cache misses", PERF_TYPE_HW_CACHE,
     CACHE(L1I, READ, MISS)},
    {"LLC-loads", NULL, "last-level cache loads", PERF_TYPE_HW_CACHE, CACHE(LL, READ, ACCESS)},
    {"LLC-load-misses", NULL, "last-level cache load misses", PERF_TYPE_HW_CACHE,
     CACHE(LL, READ, MISS)},
    {"dTLB-loads", NULL, "data TLB loads", PERF_TYPE_HW_CACHE, CACHE(DTLB, READ, ACCESS)},
    {"dTLB-load-misses", NULL, "data TLB load misses", PERF_TYPE_HW_CACHE, CACHE(DTLB, READ, MISS)},
    {"iTLB-load-misses", NULL, "instruction TLB misses", PERF_TYPE_HW_CACHE,
     CACHE(ITLB, READ, MISS)},
};

const struct prof_event_known *prof_event_known_at(size_t index) {
  return index < sizeof KNOWN / sizeof *KNOWN ? &KNOWN[index] : NULL;
}

const char *prof_event_generic(uint32_t type, uint64_t config) {
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
    if (KNOWN[i].type == type && KNOWN[i].config == config)
      return KNOWN[i].name;
  return NULL;
}

static const struct prof_event_known *find_known(const char *name) {
  for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++)
    if (!strcasecmp(KNOWN[i].name, name) || (KNOWN[i].alias && !strcasecmp(KNOWN[i].alias, name)))
      return &KNOWN[i];
  return NULL;
}

/* "uk", "ppp", "up": sets what they say, as perf has it: naming one level leaves out the others.
 * false for any other letter. */
static bool apply_modifiers(const char *text, struct prof_event *event) {
  bool user = false, kernel = false, hypervisor = false;
  int precise = 0;
  if (!*text)
    return false;
  for (; *text; text++) {
    user |= *text == 'u';
    kernel |= *text == 'k';
    hypervisor |= *text == 'h';
    precise += *text == 'p';
    if (!strchr("ukhp", *text))
      return false;
  }
  if (precise > 3)
    return false;
  if (user || kernel || hypervisor) {
    event->exclude_user = !user;
    event->exclude_kernel = !kernel;
    event->exclude_hv = !hypervisor;
  }
  event->precise_ip = (uint8_t)precise;
  return true;
}

/* "r1a2" of perf: the raw encoding, in hex. */
static bool parse_raw(const char *name, struct prof_event *out) {
  char *end;
  if (name[0] != 'r' || !isxdigit((unsigned char)name[1]))
    return false;
  out->config = strtoull(name + 1, &end, 16);
  out->type = PERF_TYPE_RAW;
  out->is_hardware = true;
  return !*end && end - name <= 17;
}

static bool parse_tracepoint(const struct prof_os *os, const char *name, struct prof_event *out) {
  long id = prof_tracefs_id(os, name);
  if (id < 0)
    return false;
  out->type = PERF_TYPE_TRACEPOINT;
  out->config = (uint64_t)id;
  return true;
}

static bool parse_calls(const char *name, struct prof_event *out) {
  unsigned id;
  char more;
  if (sscanf(name, "calls@%u%c", &id, &more) != 1)
    return false;
  out->type = PERF_TYPE_TRACEPOINT;
  out->config = id;
  out->is_call = true;
  strcpy(out->name, "calls");
  return true;
}

static bool parse_cache(const char *name, struct prof_event *out) {
  if (!prof_cache_parse(name, &out->config))
    return false;
  out->type = PERF_TYPE_HW_CACHE;
  out->is_hardware = true;
  return true;
}

static bool parse_libpfm(const char *name, struct prof_event *out) {
  struct prof_pfm_event found;
  if (prof_pfm_encode(name, &found))
    return false;
  out->type = found.type;
  out->config = found.config;
  out->config1 = found.config1;
  out->config2 = found.config2;
  out->exclude_user = found.exclude_user;
  out->exclude_kernel = found.exclude_kernel;
  out->exclude_hv = found.exclude_hv;
  out->precise_ip = found.precise_ip;
  out->is_hardware = found.type != PERF_TYPE_SOFTWARE && found.type != PERF_TYPE_TRACEPOINT;
  return true;
}

static void finish(struct prof_event *event) {
  bool clock = event->type == PERF_TYPE_SOFTWARE && (event->config == PERF_COUNT_SW_CPU_CLOCK ||
                                                     event->config == PERF_COUNT_SW_TASK_CLOCK);
  event->is_cycles =
      event->type == PERF_TYPE_HARDWARE &&
      (event->config == PERF_COUNT_HW_CPU_CYCLES || event->config == PERF_COUNT_HW_REF_CPU_CYCLES);
  event->in_kernel_only =
      event->type == PERF_TYPE_SOFTWARE && (event->config == PERF_COUNT_SW_CONTEXT_SWITCHES ||
                                            event->config == PERF_COUNT_SW_CPU_MIGRATIONS);
  strcpy(event->unit, clock ? "ns" : event->is_cycles ? "cycles" : "events");
}

/* One name without perf's modifiers; ours first, as libpfm4 spells some of them too. */
static bool parse_name(const struct prof_os *os, const char *name, bool by_libpfm,
                       struct prof_event *out) {
  const struct prof_event_known *known = find_known(name);
  *out = (struct prof_event){0};
  snprintf(out->name, sizeof out->name, "%s", known ? known->name : name);
  if (!*name)
    return false;
  if (by_libpfm)
    return parse_libpfm(name, out);
  if (known) {
    out->type = known->type;
    out->config = known->config;
    out->is_hardware = known->type != PERF_TYPE_SOFTWARE;
    return true;
  }
  return parse_calls(name, out) || parse_cache(name, out) || parse_raw(name, out) ||
         prof_pmu_parse(os, name, out) || parse_tracepoint(os, name, out);
}

/* Where modifiers begin: after the last ':' or, in "pmu/terms/mods", after the last '/'. */
static const char *find_modifiers(const char *text) {
  const char *colon = strrchr(text, ':'), *slash = strrchr(text, '/');
  if (slash && slash != strchr(text, '/'))
    return slash + 1 + (slash[1] == ':');
  return colon ? colon + 1 : NULL;
}

void prof_event_rename(struct prof_event *out) {
  const char *mods = find_modifiers(out->name);
  struct prof_event ignored = {0};
  size_t length = strlen(out->name);
  char text[10], *at = text;
  if (mods && (!*mods || apply_modifiers(mods, &ignored))) {
    length = (size_t)(mods - out->name);
    length -= length && out->name[length - 1] == ':';
  }
  if (!out->exclude_user)
    *at++ = 'u';
  if (!out->exclude_kernel)
    *at++ = 'k';
  for (int i = 0; i < out->precise_ip; i++)
    *at++ = 'p';
  *at = 0;
  if (length > sizeof out->name - sizeof text - 1)
    length = sizeof out->name - sizeof text - 1;
  snprintf(out->name + length, sizeof out->name - length, "%s%s", *text ? ":" : "", text);
}

int prof_event_parse_on(const struct prof_os *os, const char *text, struct prof_event *out,
                        struct prof_error *error) {
  const char *mods = find_modifiers(text);
  struct prof_event event = {0};
  char name[sizeof event.name];
  bool ok = false;

  if (!*text || strlen(text) >= sizeof event.name - 10)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "an event's name has 1 to %zu characters, this one %zu",
                          sizeof event.name - 11, strlen(text));
  snprintf(name, sizeof name, "%.*s",
           mods ? (int)(mods - text) - (mods[-1] == ':') : (int)strlen(text), text);
  for (int by_libpfm = 0; by_libpfm < 2 && !ok; by_libpfm++) {
    /* Whole first: libpfm4's names and tracepoints have colons of their own. */
    ok = parse_name(os, text, by_libpfm, &event);
    if (ok || !mods || !parse_name(os, name, by_libpfm, &event))
      continue;
    ok = apply_modifiers(mods, &event);
    if (!ok && *mods && !by_libpfm)
      return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                            "unknown modifier '%s' in event '%s': use u, k, uk, h, p, pp or ppp",
                            mods, text);
  }
  if (!ok)
    return prof_unknown_error(os, text, error);
  finish(&event);
  prof_event_rename(&event);
  *out = event;
  return 0;
}
