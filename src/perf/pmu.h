/*
 * pmu: "cpu/event=0x3c,umask=0/" -> encoding, by the PMU's own description under
 * /sys/bus/event_source/devices; and which PMU counts on which CPU of a hybrid machine.
 *
 * The caller provides struct prof_os. Where the folder is missing, "cpu/.../" is read by x86's
 * layout, so that a wrong machine is told apart from a wrong name when the event is opened.
 * Refuses: terms that the PMU does not have, values that their fields have no room for.
 */
#ifndef RSPACK_PROF_PERF_PMU_H
#define RSPACK_PROF_PERF_PMU_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/event.h"

/* text: "pmu/terms/" without modifiers. Sets type, config*, is_hardware. */
bool prof_pmu_parse(const struct prof_os *os, const char *text, struct prof_event *out);

#define PROF_PMU_DEVICES "/sys/bus/event_source/devices"

bool prof_pmu_has(const struct prof_os *os, const char *pmu);

/* Whether the CPU's PMU is there ("cpu", or "cpu_core" on hybrid machines). */
bool prof_pmu_exists(const struct prof_os *os);

/* On hybrid machines (cpu_core + cpu_atom) the generic events mean cpu_core unless the PMU's type
 * stands in the upper half of config (since 5.13): what to add for this CPU, 0 elsewhere. */
uint64_t prof_pmu_hybrid_config(const struct prof_os *os, int cpu);

#endif
