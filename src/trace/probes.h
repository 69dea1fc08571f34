/*
 * probes: many places in files as ONE event of the kernel, whose records say which place it was.
 *
 * Through tracefs (uprobe_events), where several probes may share an event (kernel 5.4 on) and each
 * carries a number of its own: two descriptors a CPU whatever the number of functions, and
 * one wait at the end, where the `uprobe` PMU takes 180 to 240 ms for each probe.
 * tracefs is mounted privately where it is not mounted; no mount is left behind, nor are events:
 * those of a tracer that was killed are removed by the next one.
 *
 * The caller provides paths of files and root's rights (CAP_SYS_ADMIN). Refuses: without the rights
 * (PROF_PERMISSION), kernels without uprobes (PROF_UNSUPPORTED_PLATFORM), another layout of the
 * event's records than the one decoded here (checked against the event's own `format`). A place
 * that the kernel does not take is counted.
 */
#ifndef RSPACK_PROF_TRACE_PROBES_H
#define RSPACK_PROF_TRACE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

struct prof_error;
struct prof_probes;

struct prof_probe {
  int fd; /* of the file, open while it is defined */
  uint64_t offset;
  uint32_t site; /* given back by each record */
  /* What is written down beside: a register's value (as x86.h counts them), or the word in memory
   * at that place. */
  bool has_value, in_memory;
  uint8_t base;
  int32_t displacement;
};

/* Where the kernel's own things are; one for a process is enough. */
int prof_probes_open(struct prof_probes **out, struct prof_error *error);
void prof_probes_close(struct prof_probes *self); /* removes what is still defined */

/* One event of all places. *type: its id. *refused: places that were not taken. */
int prof_probes_define(struct prof_probes *self, const struct prof_probe *probes, size_t count,
                       uint32_t *type, size_t *refused, struct prof_error *error);
/* After its descriptors were closed. */
void prof_probes_remove(struct prof_probes *self, uint32_t type);

/* The attr of an event: each hit is one record. */
void prof_probes_attr(uint32_t type, struct perf_event_attr *out);

/* What perf_event_open answered to it (a negative errno), as a status with its message. */
int prof_probes_refused(const char *where, int result, struct prof_error *error);

struct prof_probe_hit {
  uint64_t time_ns, ip, sp, value;
  uint64_t id; /* of the descriptor's event */
  uint32_t pid, tid, site;
};

/* A PERF_RECORD_SAMPLE of such an event. false: it does not have the form. */
bool prof_probes_decode(const struct perf_event_header *record, struct prof_probe_hit *out);

#endif
