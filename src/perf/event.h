/*
 * event: the text a user writes for an event ("cycles:uk", "cpu-clock", "r1c2",
 * "cpu/event=0x3c,umask=0/", "sched:sched_switch", libpfm4's names) -> what the kernel counts. Of
 * our own: "calls@ID", an event of uprobe_events by its number (trace/probes.h).
 *
 * The caller provides the text alone; a PMU's "format" files are read through struct prof_os.
 * Parsing asks the kernel nothing else: whether an event opens here is choose.h's question.
 * Refuses: modifiers other than u, k, h, p, pp, ppp; several events in one text; groups.
 */
#ifndef RSPACK_PROF_PERF_EVENT_H
#define RSPACK_PROF_PERF_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "perf/os.h"

struct prof_event {
  char name[96]; /* as perf prints it: generic name, modifiers last ("cycles:uk") */
  char unit[16]; /* of a sample's weight: "cycles", "ns" or "events" */
  uint32_t type; /* perf_event_attr.type */
  uint64_t config, config1, config2;
  bool exclude_user, exclude_kernel, exclude_hv;
  uint8_t precise_ip;  /* 0..3 */
  bool is_hardware;    /* needs a PMU of the CPU */
  bool in_kernel_only; /* switches, migrations: user-only they open and never happen (6.18) */
  bool is_call;        /* the entries of functions: a probe's event that trace/ made */
  bool is_cycles;      /* time of the CPU: cpu-clock may stand in for it */
};

/* 0, or PROF_BAD_EVENT with the near matches in the message. *out is whole or untouched. */
int prof_event_parse_on(const struct prof_os *os, const char *text, struct prof_event *out,
                        struct prof_error *error);

/* Rewrites the modifiers at the end of out->name from its exclude_* and precise_ip. */
void prof_event_rename(struct prof_event *out);

/* The events known by name whatever the machine: NULL after the last. */
struct prof_event_known {
  const char *name, *alias; /* alias may be NULL */
  const char *description;
  uint32_t type;
  uint64_t config;
};
const struct prof_event_known *prof_event_known_at(size_t index);

/* The kernel's own name of what is counted, however it was spelt; NULL where it has none. */
const char *prof_event_generic(uint32_t type, uint64_t config);

#endif
