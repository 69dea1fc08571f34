/*
 * plan: the functions to trace and all places of theirs that get a probe.
 *
 * The caller provides files and the functions' rows in them (prof_funcs_at). Files stay open until
 * the plan is freed: the kernel is given the file that was read, not what its path has become.
 * Refuses: what funcs.h refuses, rows that are no function (left out), more than
 * PROF_PLAN_SITES_MAX places (PROF_BAD_OPTION).
 */
#ifndef RSPACK_PROF_TRACE_PLAN_H
#define RSPACK_PROF_TRACE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define PROF_PLAN_SITES_MAX 200000u

struct prof_error;

struct prof_call_site {
  uint64_t offset;  /* in the file */
  uint64_t address; /* virtual, of the file */
  uint32_t func;    /* index in the plan */
  uint8_t kind;     /* enum prof_site_kind */
  uint8_t role;     /* enum prof_flow_role, of entries: which argument says which job it is */
  bool is_emulated; /* a cheap one */
  bool in_memory;   /* of a JUMP, as x86.h has them */
  uint8_t base;
  int32_t displacement;
};

struct prof_call_func {
  const char *name, *linker;
  uint64_t address, size;
  uint64_t part, part_size; /* split off; 0: none */
  uint32_t object;
  uint32_t first_site, site_count;
  bool calls_only;       /* ends cannot be seen: no durations */
  bool may_leave_unseen; /* some ends may not be seen */
  uint8_t role;          /* enum prof_flow_role */
  bool is_dropped;       /* its probes are gone: the calls so far are all there is */
};

struct prof_call_plan {
  struct prof_call_func *funcs;
  size_t func_count, func_capacity;
  struct prof_call_site *sites;
  size_t site_count, site_capacity;
  struct {
    const char *path;
    int fd;
  } * objects;
  size_t object_count, object_capacity;
  struct prof_arena arena; /* texts */
};

void prof_call_plan_init(struct prof_call_plan *self);
void prof_call_plan_free(struct prof_call_plan *self);
/* roles: of each row, enum prof_flow_role; NULL: none has any. */
int prof_call_plan_add(struct prof_call_plan *self, const char *path, const uint32_t *rows,
                       const uint8_t *roles, size_t count, struct prof_error *error);

/* Of a JUMP at runtime address ip that goes to target: whether it leaves the function. */
bool prof_call_plan_leaves(const struct prof_call_plan *self, uint32_t site, uint64_t ip,
                           uint64_t target);

#endif
