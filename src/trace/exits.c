#include "trace/exits.h"

#include <stdlib.h>
#include <string.h>

#include "code/funcs.h"
#include "trace/x86.h"

enum { CODE_MAX = 1 << 20, REGIONS_MAX = 4, JUMPS_MAX = 16384 };

/* The function's body, or a part that was split off. */
struct region {
  uint64_t start, size;
  unsigned char *code;
  unsigned char *starts; /* 1 where an instruction begins */
};

struct sweep {
  struct prof_funcs *funcs;
  const struct prof_func *func;
  struct prof_exits *out;
  struct region regions[REGIONS_MAX];
  size_t region_count;
  uint64_t *jumps; /* targets to be checked when all regions are known */
  size_t jump_count;
};

static struct region *region_of(struct sweep *self, uint64_t address) {
  for (size_t i = 0; i < self->region_count; i++) {
    struct region *region = &self->regions[i];
    if (address >= region->start && address - region->start < region->size)
      return region;
  }
  return NULL;
}

static bool add_region(struct sweep *self, uint64_t start, uint64_t size) {
  struct region *region = &self->regions[self->region_count];
  if (self->region_count == REGIONS_MAX || size == 0 || size > CODE_MAX)
    return false;
  *region = (struct region){start, size, malloc(size), calloc(1, size)};
  self->region_count++; /* freed with the others */
  return region->code && region->starts &&
         prof_funcs_code(self->funcs, start, region->code, size) == 0;
}

static bool add_exit(struct sweep *self, uint64_t address, uint8_t kind, bool is_emulated) {
  struct prof_exits *out = self->out;
  if (out->count == PROF_EXITS_MAX)
    return false;
  out->exits[out->count++] =
      (struct prof_exit){.address = address, .kind = kind, .is_emulated = is_emulated};
  return true;
}

/* One whose target only the probe can tell. */
static bool add_jump(struct sweep *self, uint64_t address, const struct prof_x86 *insn) {
  /* By a table, nothing tells; at the entry's own probe, which is hit first is not known. */
  if (insn->base == PROF_X86_NO_BASE || address == self->func->address) {
    self->out->may_leave_unseen = true;
    return true;
  }
  if (!add_exit(self, address, PROF_SITE_JUMP, insn->is_emulated))
    return false;
  struct prof_exit *added = &self->out->exits[self->out->count - 1];
  added->in_memory = insn->in_memory;
  added->base = insn->base;
  added->displacement = insn->displacement;
  return true;
}

/* A jump out of what is known so far: to a part of the same function, or to another one. */
static bool leave(struct sweep *self, uint64_t address, const struct prof_x86 *insn) {
  uint64_t target = address + (uint64_t)insn->target, start, size;
  if (prof_funcs_is_part(self->funcs, target, self->func->address) &&
      prof_funcs_holding(self->funcs, target, &start, &size)) {
    self->jumps[self->jump_count++] = target;
    return add_region(self, start, size);
  }
  if (insn->kind == PROF_X86_JUMP)
    return add_exit(self, address, PROF_SITE_TAIL, insn->is_emulated);
  self->out->may_leave_unseen = true;
  return true;
}

static bool sweep_region(struct sweep *self, size_t index) {
  struct region region = self->regions[index];
  struct prof_x86 insn = {.kind = PROF_X86_BAD};
  uint64_t at = 0;
  while (at < region.size) {
    uint64_t address = region.start + at;
    insn = prof_x86_decode(region.code + at, region.size - at);
    if (insn.kind == PROF_X86_BAD || self->jump_count == JUMPS_MAX)
      return false;
    region.starts[at] = 1;
    if (insn.kind == PROF_X86_RETURN) {
      if (!add_exit(self, address, PROF_SITE_RETURN, insn.is_emulated))
        return false;
    } else if (insn.kind == PROF_X86_JUMP || insn.kind == PROF_X86_JUMP_IF) {
      uint64_t target = address + (uint64_t)insn.target;
      if (region_of(self, target))
        self->jumps[self->jump_count++] = target;
      else if (!leave(self, address, &insn))
        return false;
    } else if (insn.kind == PROF_X86_JUMP_OUT) {
      if (!add_exit(self, address, PROF_SITE_TAIL, insn.is_emulated))
        return false;
    } else if (insn.kind == PROF_X86_JUMP_INDIRECT && !add_jump(self, address, &insn)) {
      return false;
    }
    at += insn.length;
  }
  return at == region.size;
}

static bool jumps_are_sound(struct sweep *self) {
  for (size_t i = 0; i < self->jump_count; i++) {
    struct region *region = region_of(self, self->jumps[i]);
    if (!region || !region->starts[self->jumps[i] - region->start])
      return false;
  }
  return true;
}

static bool is_refused(const struct prof_func *func) {
  return strncmp(func->linker, "Builtins_", 9) == 0;
}

void prof_exits_find(struct prof_funcs *funcs, const struct prof_func *func,
                     struct prof_exits *out) {
  struct sweep self = {.funcs = funcs, .func = func, .out = out};
  /* prof_funcs_is_part uses func's texts' memory. */
  bool refused = is_refused(func);
  bool sound = !refused && (self.jumps = malloc(JUMPS_MAX * sizeof *self.jumps)) != NULL &&
               add_region(&self, func->address, func->size);
  out->count = 0;
  out->calls_only = out->may_leave_unseen = out->is_one_instruction = false;
  for (size_t i = 0; sound && i < self.region_count; i++)
    sound = sweep_region(&self, i);
  sound = sound && jumps_are_sound(&self);
  out->part = self.region_count > 1 ? self.regions[1].start : 0;
  out->part_size = self.region_count > 1 ? self.regions[1].size : 0;
  if (self.region_count && self.regions[0].code) {
    struct prof_x86 first = prof_x86_decode(self.regions[0].code, func->size);
    out->entry_is_emulated = first.is_emulated;
    out->is_one_instruction = sound && out->count > 0 && out->exits[0].address == func->address &&
                              out->exits[0].kind != PROF_SITE_JUMP;
  } else {
    out->entry_is_emulated = false;
  }
  if (!sound) {
    out->count = 0;
    out->calls_only = true;
  }
  for (size_t i = 0; i < self.region_count; i++) {
    free(self.regions[i].code);
    free(self.regions[i].starts);
  }
  free(self.jumps);
}
