/*
 * pfm: libpfm4 behind three functions. Apart, because its headers bring an own, older copy of
 * linux/perf_event.h which cannot be included beside the system's.
 *
 * The caller provides names as libpfm4 spells them ("INST_RETIRED:ANY_P", "perf::CYCLES:u").
 * Thread-safe after the first call. Refuses: events of PMUs that this machine does not have.
 */
#ifndef RSPACK_PROF_PERF_PFM_H
#define RSPACK_PROF_PERF_PFM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_pfm_event {
  uint32_t type;
  uint64_t config, config1, config2;
  bool exclude_user, exclude_kernel, exclude_hv;
  uint8_t precise_ip;
};

/* 0, or -1: no such event here. */
int prof_pfm_encode(const char *text, struct prof_pfm_event *out);

/* Whether a CPU that is not this one has an event of that name (without unit masks); its name. */
bool prof_pfm_elsewhere(const char *text, char *cpu, size_t size);

/* Calls visit for each event of each PMU present, until it returns false. */
typedef bool prof_pfm_visit(void *user, const char *pmu, const char *name, const char *description);
void prof_pfm_each(prof_pfm_visit *visit, void *user);

#endif
