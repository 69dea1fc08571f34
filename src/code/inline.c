#include "code/inline.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/search.h"

enum { DEPTH_MAX = 200, NONE = -1 };

/* A subprogram or an inlined subroutine. */
struct node {
  Dwarf_Die die;
  int32_t parent; /* NONE: a subprogram */
};

/* From low on (up to the next segment) the innermost function is node. */
struct segment {
  uint64_t low;
  int32_t node; /* NONE: no function */
};

struct range {
  uint64_t low, high;
  int32_t node;
  uint32_t depth;
};

struct unit {
  Dwarf_Die die; /* of the split unit where there is one */
  bool is_walked;
  struct node *nodes;
  size_t node_count, node_capacity;
  struct segment *segments;
  size_t segment_count, segment_capacity;
};

struct unit_range {
  uint64_t low, high;
  uint32_t unit;
};

struct prof_inline {
  int fd;
  Elf *elf;
  Dwarf *dwarf;
  struct unit *units;
  size_t unit_count, unit_capacity;
  struct unit_range *ranges;
  size_t range_count, range_capacity;
  struct range *scratch; /* of the unit that is being walked */
  size_t scratch_count, scratch_capacity;
};

static int compare_unit_ranges(const void *left, const void *right) {
  const struct unit_range *a = left, *b = right;
  return a->low < b->low ? -1 : a->low > b->low;
}

static void add_unit(struct prof_inline *self, Dwarf_Die *skeleton, Dwarf_Die *split) {
  ptrdiff_t next = 0;
  Dwarf_Addr base, low, high;
  if (prof_array_reserve((void **)&self->units, &self->unit_capacity, self->unit_count + 1,
                         sizeof *self->units))
    return;
  self->units[self->unit_count] = (struct unit){.die = split ? *split : *skeleton};
  while ((next = dwarf_ranges(skeleton, next, &base, &low, &high)) > 0) {
    if (low >= high || low == 0 || /* 0: a section that the linker dropped */
        prof_array_reserve((void **)&self->ranges, &self->range_capacity, self->range_count + 1,
                           sizeof *self->ranges))
      continue;
    self->ranges[self->range_count++] = (struct unit_range){low, high, (uint32_t)self->unit_count};
  }
  self->unit_count++;
}

static void list_units(struct prof_inline *self) {
  Dwarf_CU *unit = NULL;
  Dwarf_Die die, split;
  Dwarf_Half version;
  uint8_t type;
  while (dwarf_get_units(self->dwarf, unit, &unit, &version, &type, &die, &split) == 0)
    if (type == DW_UT_compile || type == DW_UT_skeleton)
      add_unit(self, &die, type == DW_UT_skeleton && split.addr ? &split : NULL);
  qsort(self->ranges, self->range_count, sizeof *self->ranges, compare_unit_ranges);
}

struct prof_inline *prof_inline_open(const char *path) {
  struct prof_inline *self = calloc(1, sizeof *self);
  if (!self)
    return NULL;
  elf_version(EV_CURRENT);
  self->fd = open(path, O_RDONLY | O_CLOEXEC);
  self->elf = self->fd >= 0 ? elf_begin(self->fd, ELF_C_READ_MMAP, NULL) : NULL;
  self->dwarf = self->elf ? dwarf_begin_elf(self->elf, DWARF_C_READ, NULL) : NULL;
  if (self->dwarf)
    list_units(self);
  if (self->range_count == 0) {
    prof_inline_close(self);
    return NULL;
  }
  return self;
}

void prof_inline_close(struct prof_inline *self) {
  if (!self)
    return;
  for (size_t i = 0; i < self->unit_count; i++) {
    free(self->units[i].nodes);
    free(self->units[i].segments);
  }
  free(self->units);
  free(self->ranges);
  free(self->scratch);
  if (self->dwarf)
    dwarf_end(self->dwarf);
  if (self->elf)
    elf_end(self->elf);
  if (self->fd >= 0)
    close(self->fd);
  free(self);
}

static int32_t add_node(struct prof_inline *self, struct unit *unit, Dwarf_Die *die, int32_t parent,
                        uint32_t depth) {
  ptrdiff_t next = 0;
  Dwarf_Addr base, low, high;
  int32_t node = NONE;
  while ((next = dwarf_ranges(die, next, &base, &low, &high)) > 0) {
    if (low >= high || low == 0)
      continue;
    if (node == NONE) {
      if (unit->node_count >= INT32_MAX ||
          prof_array_reserve((void **)&unit->nodes, &unit->node_capacity, unit->node_count + 1,
                             sizeof *unit->nodes))
        return NONE;
      node = (int32_t)unit->node_count++;
      unit->nodes[node] = (struct node){.die = *die, .parent = parent};
    }
    if (prof_array_reserve((void **)&self->scratch, &self->scratch_capacity,
                           self->scratch_count + 1, sizeof *self->scratch))
      break;
    self->scratch[self->scratch_count++] = (struct range){low, high, node, depth};
  }
  return node;
}

/* The children of die; parent is the function that they stand in. Types are entered too: rustc
 * puts methods inside them. What holds no code is passed over. */
static void walk(struct prof_inline *self, struct unit *unit, Dwarf_Die *die, int32_t parent,
                 uint32_t depth) {
  Dwarf_Die child;
  if (depth > DEPTH_MAX || dwarf_child(die, &child) != 0)
    return;
  do {
    int32_t node;
    switch (dwarf_tag(&child)) {
    case DW_TAG_subprogram:
      node = add_node(self, unit, &child, NONE, depth);
      if (node != NONE)
        walk(self, unit, &child, node, depth + 1);
      break;
    case DW_TAG_inlined_subroutine:
      node = add_node(self, unit, &child, parent, depth);
      if (node != NONE)
        walk(self, unit, &child, node, depth + 1);
      break;
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_namespace:
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
      walk(self, unit, &child, parent, depth + 1);
      break;
    default:
      break;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
}

static int compare_ranges(const void *left, const void *right) {
  const struct range *a = left, *b = right;
  if (a->low != b->low)
    return a->low < b->low ? -1 : 1;
  return a->depth < b->depth ? -1 : a->depth > b->depth;
}

static void add_segment(struct unit *unit, uint64_t low, int32_t node) {
  if (unit->segment_count && unit->segments[unit->segment_count - 1].low == low)
    unit->segment_count--; /* nothing of the one before is left */
  if (!prof_array_reserve((void **)&unit->segments, &unit->segment_capacity,
                          unit->segment_count + 1, sizeof *unit->segments))
    unit->segments[unit->segment_count++] = (struct segment){low, node};
}

/* Nested ranges -> segments side by side. open[] holds the ranges around the current address. */
static void flatten(struct prof_inline *self, struct unit *unit) {
  struct range open[DEPTH_MAX + 2];
  size_t depth = 0;
  qsort(self->scratch, self->scratch_count, sizeof *self->scratch, compare_ranges);
  for (size_t i = 0; i <= self->scratch_count; i++) {
    const struct range *range = i < self->scratch_count ? &self->scratch[i] : NULL;
    while (depth && (!range || open[depth - 1].high <= range->low)) {
      uint64_t high = open[--depth].high;
      while (depth && open[depth - 1].high <= high)
        depth--;
      add_segment(unit, high, depth ? open[depth - 1].node : NONE);
    }
    if (!range)
      break;
    add_segment(unit, range->low, range->node);
    if (depth < sizeof open / sizeof *open)
      open[depth++] = *range;
  }
  self->scratch_count = 0;
}

static int32_t find_segment(const struct unit *unit, uint64_t address) {
  size_t up_to = prof_search(unit->segments, unit->segment_count, sizeof *unit->segments, address);
  return up_to ? unit->segments[up_to - 1].node : NONE;
}

static struct unit *find_unit(struct prof_inline *self, uint64_t address) {
  size_t up_to = prof_search(self->ranges, self->range_count, sizeof *self->ranges, address);
  const struct unit_range *range = up_to ? &self->ranges[up_to - 1] : NULL;
  return range && address < range->high ? &self->units[range->unit] : NULL;
}

/* Not dwarf_decl_file(): elfutils 0.188 aborts there when the unit has no line table. */
static const char *declaring_file(Dwarf_Die *die) {
  Dwarf_Attribute attribute;
  Dwarf_Word index = 0;
  Dwarf_Files *files;
  Dwarf_Die unit;
  size_t count = 0;
  if (!dwarf_attr_integrate(die, DW_AT_decl_file, &attribute) ||
      dwarf_formudata(&attribute, &index) ||
      !dwarf_cu_die(attribute.cu, &unit, NULL, NULL, NULL, NULL, NULL, NULL) ||
      dwarf_getsrcfiles(&unit, &files, &count) || index >= count)
    return NULL;
  return dwarf_filesrc(files, index, NULL, NULL);
}

static void describe(Dwarf_Die *die, struct prof_inline_frame *out) {
  Dwarf_Attribute attribute;
  int line = 0, column = 0;
  *out = (struct prof_inline_frame){0};
  if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
      dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
    out->linkage_name = dwarf_formstring(&attribute);
  if (dwarf_attr_integrate(die, DW_AT_name, &attribute))
    out->name = dwarf_formstring(&attribute);
  out->file = declaring_file(die);
  if (dwarf_decl_line(die, &line) == 0 && line > 0)
    out->line = (uint32_t)line;
  if (dwarf_decl_column(die, &column) == 0 && column > 0)
    out->column = (uint32_t)column;
}

int prof_inline_find(struct prof_inline *self, uint64_t address, uint64_t deadline_ns,
                     struct prof_inline_frame *out, int capacity) {
  struct unit *unit = find_unit(self, address);
  int32_t chain[DEPTH_MAX + 2], node;
  int depth = 0, count = 0;
  if (!unit)
    return 0;
  if (!unit->is_walked) {
    if (prof_now_ns() >= deadline_ns)
      return -1;
    unit->is_walked = true;
    walk(self, unit, &unit->die, NONE, 0);
    flatten(self, unit);
  }
  for (node = find_segment(unit, address); node != NONE && depth < DEPTH_MAX + 2;
       node = unit->nodes[node].parent)
    chain[depth++] = node;
  for (int i = depth > capacity ? depth - capacity : 0; i < depth; i++) {
    describe(&unit->nodes[chain[i]].die, &out[count]);
    out[count++].is_inlined = unit->nodes[chain[i]].parent != NONE;
  }
  return count;
}
