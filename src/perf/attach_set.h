/*
 * attach_set: one event of one rate on every thread x CPU: attach.c's own, not for others.
 *
 * The caller provides a prepared struct prof_attach. Refuses what attach.h refuses.
 */
#ifndef RSPACK_PROF_PERF_ATTACH_SET_H
#define RSPACK_PROF_PERF_ATTACH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "perf/attach.h"
#include "perf/files.h"
#include "perf/owners.h"

struct event_set {
  uint32_t frequency; /* as the kernel took it */
  int *fds;
  size_t fd_count, fd_capacity;
  int thread_count;
  bool enabled;
};

struct prof_attach {
  const struct prof_os *os;
  struct prof_plan plan;
  struct prof_record_layout layout;
  uint64_t sig_data;
  int skip_tid;
  int cpu_count;
  size_t ring_bytes;       /* that are wanted */
  struct prof_ring *rings; /* by CPU; fd -1: that CPU went away */
  uint64_t *hybrid;        /* by CPU: prof_pmu_hybrid_config */
  unsigned char *scratch;  /* of all rings */
  int *leaders;            /* by event and CPU: descriptors of the thread being opened, -1 none */
  struct prof_table event_of; /* event id -> index of an extra event, from 1 */
  struct event_set sets[PROF_SETS_MAX];
  int set_count;
  int current; /* the set that counts */
  struct prof_owners owners;
  int *tids; /* scratch of scans */
  size_t tid_capacity;
  struct prof_files files;
};

/* Descriptors of all sets. */
size_t prof_attach_set_fds(const struct prof_attach *self);

/* The next set, disabled. Its index, or a status with nothing of it left open. */
int prof_attach_set_open(struct prof_attach *self, uint32_t frequency, struct prof_error *error);
void prof_attach_set_close(struct prof_attach *self, int index);

/* Opens events on threads that have none of their own in this set; maps the rings with the very
 * first. How many threads, or a status. */
int prof_attach_set_scan(struct prof_attach *self, struct event_set *set, struct prof_error *error);

#endif
