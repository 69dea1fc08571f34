#include "trace/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/status.h"
#include "code/funcs.h"
#include "trace/exits.h"
#include "trace/flow.h"

void prof_call_plan_init(struct prof_call_plan *self) {
  *self = (struct prof_call_plan){0};
  prof_arena_init(&self->arena, 0);
}

void prof_call_plan_free(struct prof_call_plan *self) {
  for (size_t i = 0; i < self->object_count; i++)
    close(self->objects[i].fd);
  free(self->objects);
  free(self->funcs);
  free(self->sites);
  prof_arena_free(&self->arena);
  *self = (struct prof_call_plan){0};
}

static int add_site(struct prof_call_plan *self, const struct prof_funcs *funcs,
                    struct prof_call_site site) {
  site.func = (uint32_t)self->func_count; /* the one being added */
  if (!prof_funcs_offset(funcs, site.address, &site.offset))
    return 0;
  if (prof_array_reserve((void **)&self->sites, &self->site_capacity, self->site_count + 1,
                         sizeof *self->sites))
    return -1;
  self->sites[self->site_count++] = site;
  return 0;
}

static int add_func(struct prof_call_plan *self, struct prof_funcs *funcs,
                    const struct prof_func *func, uint32_t object, uint8_t role,
                    struct prof_exits *exits) {
  bool is_spawn = role == PROF_FLOW_RAYON_PUSH || role == PROF_FLOW_TOKIO_SPAWN;
  struct prof_call_func added = {
      .name = prof_arena_copy_text(&self->arena, func->name, strlen(func->name)),
      .linker = prof_arena_copy_text(&self->arena, func->linker, strlen(func->linker)),
      .address = func->address,
      .size = func->size,
      .object = object,
      .role = role,
      .first_site = (uint32_t)self->site_count};
  int failed = !added.name || !added.linker ||
               prof_array_reserve((void **)&self->funcs, &self->func_capacity, self->func_count + 1,
                                  sizeof *self->funcs);
  prof_exits_find(funcs, func, exits); /* func's texts are gone now */
  added.part = exits->part;
  added.part_size = exits->part_size;
  uint8_t kind = is_spawn                    ? PROF_SITE_SPAWN
                 : exits->calls_only         ? PROF_SITE_COUNT
                 : exits->is_one_instruction ? PROF_SITE_INSTANT
                                             : PROF_SITE_ENTRY;
  failed = failed || add_site(self, funcs,
                              (struct prof_call_site){.address = added.address,
                                                      .kind = kind,
                                                      .role = role,
                                                      .is_emulated = exits->entry_is_emulated});
  for (size_t i = 0; !failed && kind == PROF_SITE_ENTRY && i < exits->count; i++)
    failed = add_site(self, funcs,
                      (struct prof_call_site){.address = exits->exits[i].address,
                                              .kind = exits->exits[i].kind,
                                              .is_emulated = exits->exits[i].is_emulated,
                                              .in_memory = exits->exits[i].in_memory,
                                              .base = exits->exits[i].base,
                                              .displacement = exits->exits[i].displacement});
  if (failed)
    return -1;
  added.site_count = (uint32_t)self->site_count - added.first_site;
  added.calls_only = exits->calls_only;
  added.may_leave_unseen = exits->may_leave_unseen;
  self->funcs[self->func_count++] = added;
  return 0;
}

int prof_call_plan_add(struct prof_call_plan *self, const char *path, const uint32_t *rows,
                       const uint8_t *roles, size_t count, struct prof_error *error) {
  struct prof_funcs *funcs;
  struct prof_exits *exits = malloc(sizeof *exits);
  int status = prof_funcs_open(path, &funcs, error), fd;
  if (status) {
    free(exits);
    return status;
  }
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    status = prof_error_set(error, PROF_BAD_FILE, errno, "open", "cannot open %s", path);
    goto out;
  }
  const char *kept = prof_arena_copy_text(&self->arena, path, strlen(path));
  if (!exits || !kept ||
      prof_array_reserve((void **)&self->objects, &self->object_capacity, self->object_count + 1,
                         sizeof *self->objects)) {
    close(fd);
    status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the functions");
    goto out;
  }
  self->objects[self->object_count].path = kept;
  self->objects[self->object_count++].fd = fd;
  for (size_t i = 0; i < count; i++) {
    struct prof_func func;
    if (!prof_funcs_at(funcs, rows[i], &func))
      continue;
    if (add_func(self, funcs, &func, (uint32_t)self->object_count - 1,
                 roles ? roles[i] : PROF_FLOW_NONE, exits)) {
      status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the functions");
      goto out;
    }
    if (self->site_count > PROF_PLAN_SITES_MAX) {
      status = prof_error_set(error, PROF_BAD_OPTION, 0, NULL,
                              "the pattern matches too much: more than %u places would get a "
                              "probe; see what it matches with `rspack-prof symbols --filter`",
                              PROF_PLAN_SITES_MAX);
      goto out;
    }
  }
out:
  prof_funcs_close(funcs);
  free(exits);
  return status;
}

bool prof_call_plan_leaves(const struct prof_call_plan *self, uint32_t site, uint64_t ip,
                           uint64_t target) {
  const struct prof_call_func *func = &self->funcs[self->sites[site].func];
  uint64_t at = self->sites[site].address + (target - ip); /* virtual, of the file */
  return at - func->address >= func->size && at - func->part >= func->part_size;
}
