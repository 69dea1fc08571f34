#include "code/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/table.h"
#include "code/crate.h"
#include "code/demangle.h"
#include "code/inline.h"
#include "code/kernel.h"
#include "code/module.h"
#include "code/space.h"
#include "code/symtab.h"
#include "code/v8name.h"

#define KERNEL_BASE 0xffffffff00000000ull /* as in space.c: offsets of id 1 count from here */
#define IDENTITY_KERNEL (1ull << 56)      /* below it: module << 40 | start of the function */
#define IDENTITY_HASHED (1ull << 63)
#define DEFAULT_INLINE_BUDGET_NS 200000000ull
enum { INLINE_MAX = 64, SHORT_TEXT = 512 };

struct slot {
  struct prof_symtab *table; /* on the heap: its strings point into it */
  struct prof_inline *inlined;
  bool table_tried, inline_tried;
};

struct prof_symbols {
  const struct prof_modules *modules;
  struct prof_kernel *kernel;
  struct prof_arena *arena;
  const struct prof_space *space;
  struct slot *slots; /* by module */
  size_t slot_count, slot_capacity;
  struct prof_named *functions;
  size_t function_count, function_capacity;
  struct prof_table by_identity; /* -> functions */
  struct prof_table by_code;     /* code id of JIT code -> functions */
  uint64_t inline_budget_ns;
  struct prof_symbols_stats stats;
  char raw[PROF_SYMBOL_NAME_MAX], readable[PROF_SYMBOL_NAME_MAX];
};

struct prof_symbols *prof_symbols_create(const struct prof_modules *modules,
                                         struct prof_kernel *kernel, struct prof_arena *arena) {
  struct prof_symbols *self = calloc(1, sizeof *self);
  if (self) {
    self->modules = modules;
    self->kernel = kernel;
    self->arena = arena;
    self->inline_budget_ns = DEFAULT_INLINE_BUDGET_NS;
  }
  return self;
}

void prof_symbols_free(struct prof_symbols *self) {
  if (!self)
    return;
  for (size_t i = 0; i < self->slot_count; i++) {
    if (self->slots[i].table)
      prof_symtab_free(self->slots[i].table);
    free(self->slots[i].table);
    prof_inline_close(self->slots[i].inlined);
  }
  free(self->slots);
  free(self->functions);
  prof_table_free(&self->by_identity);
  prof_table_free(&self->by_code);
  free(self);
}

void prof_symbols_set_space(struct prof_symbols *self, const struct prof_space *space) {
  self->space = space;
}

void prof_symbols_inline_budget(struct prof_symbols *self, uint64_t budget_ns) {
  self->inline_budget_ns = budget_ns;
}

struct prof_symbols_stats prof_symbols_stats(const struct prof_symbols *self) {
  return self->stats;
}

static struct slot *slot_of(struct prof_symbols *self, int32_t module) {
  size_t wanted = (size_t)module + 1;
  if (wanted > self->slot_count) {
    if (prof_array_reserve((void **)&self->slots, &self->slot_capacity, wanted,
                           sizeof *self->slots))
      return NULL;
    memset(self->slots + self->slot_count, 0, (wanted - self->slot_count) * sizeof *self->slots);
    self->slot_count = wanted;
  }
  return &self->slots[module];
}

/* The file may have been replaced since its module was seen: then its symbols are another's. */
static bool is_still(const struct prof_image *image, const struct prof_module *module) {
  struct stat stat;
  return fstat(image->fd, &stat) == 0 && stat.st_ino == module->inode &&
         stat.st_dev == module->device;
}

static void load_table(struct prof_symbols *self, struct slot *slot,
                       const struct prof_module *module) {
  struct prof_image image = {.fd = -1}, debug = {.fd = -1};
  bool is_open = false;
  if (module->state == PROF_MODULE_IN_MEMORY)
    is_open = prof_image_open_memory(&image, (const void *)module->start,
                                     module->end - module->start) == 0;
  else if (module->state == PROF_MODULE_ON_DISK)
    is_open = prof_image_open_file(&image, module->path) == 0;
  if (is_open && module->state == PROF_MODULE_ON_DISK && !is_still(&image, module)) {
    prof_image_close(&image);
    is_open = false;
  }
  if (!is_open || !(slot->table = malloc(sizeof *slot->table))) {
    prof_image_close(&image);
    self->stats.refused_tables++;
    return;
  }
  if (module->debug_path)
    prof_image_open_file(&debug, module->debug_path);
  if (prof_symtab_load(slot->table, &image, &debug)) {
    free(slot->table);
    slot->table = NULL;
    self->stats.refused_tables++;
    return;
  }
  self->stats.table_bytes += slot->table->capacity * sizeof *slot->table->rows;
}

static struct prof_symtab *table_of(struct prof_symbols *self, int32_t index) {
  const struct prof_module *module =
      index < 0 ? NULL : prof_modules_at(self->modules, (size_t)index);
  struct slot *slot = module ? slot_of(self, index) : NULL;
  if (!slot)
    return NULL;
  if (!slot->table_tried) {
    slot->table_tried = true;
    load_table(self, slot, module);
  }
  return slot->table;
}

int prof_symbols_prefetch(struct prof_symbols *self, int32_t module) {
  return table_of(self, module) ? 0 : -1;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
  for (; text && *text; text++)
    hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull; /* FNV-1a */
  return prof_hash_u64(hash + 1);
}

static const char *keep(struct prof_symbols *self, const char *text) {
  const char *copy = prof_arena_copy_text(self->arena, text, strlen(text));
  return copy ? copy : "[out of memory]";
}

/* Adds a function under its identity; its index, or -1 where memory ends. */
static int64_t add_function(struct prof_symbols *self, const struct prof_named *named) {
  if (prof_array_reserve((void **)&self->functions, &self->function_capacity,
                         self->function_count + 1, sizeof *self->functions) ||
      prof_table_put(&self->by_identity, named->identity, (uint32_t)self->function_count))
    return -1;
  self->functions[self->function_count] = *named;
  return (int64_t)self->function_count++;
}

static int64_t known_function(const struct prof_symbols *self, uint64_t identity) {
  uint32_t index = prof_table_get(&self->by_identity, identity);
  return index == PROF_TABLE_NONE ? -1 : (int64_t)index;
}

/* Fills name, symbol, crate and kind from a linker name. */
static void name_from_linker(struct prof_symbols *self, const char *raw, bool is_stub,
                             struct prof_named *named) {
  enum prof_language language;
  char crate[PROF_CRATE_TEXT];
  size_t length = prof_demangle(raw, self->readable, sizeof self->readable - 4, &language);
  named->kind = language == PROF_LANGUAGE_RUST ? PROF_KIND_RUST : PROF_KIND_NATIVE;
  if (strncmp(raw, "Builtins_", 9) == 0) { /* V8's embedded builtins, where no JIT event told */
    named->kind = PROF_KIND_V8;
    named->tier = PROF_TIER_BUILTIN;
  }
  if (language == PROF_LANGUAGE_RUST && prof_crate_find(raw, self->readable, crate))
    named->crate = keep(self, crate);
  if (is_stub) {
    length = length < sizeof self->readable - 5 ? length : sizeof self->readable - 5;
    memcpy(self->readable + length, "@plt", 5);
  }
  named->name = named->symbol = keep(self, self->readable);
  named->named = 1;
}

/* The function of a row; a split-off part (".cold") is the function that it was split from. */
static int64_t function_of_row(struct prof_symbols *self, struct prof_symtab *table, int32_t module,
                               int64_t row) {
  struct prof_named named = {.module = module};
  const struct prof_symbol_row *symbol = &table->rows[row];
  int64_t index, whole, length;
  size_t base;
  named.identity = (uint64_t)module << 40 | symbol->start;
  index = known_function(self, named.identity);
  if (index >= 0)
    return index;
  length = prof_symtab_name(table, (size_t)row, self->raw, sizeof self->raw);
  if (length <= 0)
    return -1;
  base = prof_demangle_base_length(self->raw);
  if (strncmp(self->raw + base, ".cold", 5) == 0) {
    self->raw[base] = '\0';
    whole = prof_symtab_by_name(table, self->raw, base);
    if (whole >= 0 && table->rows[whole].start != symbol->start) {
      uint64_t part = named.identity;
      named.identity = (uint64_t)module << 40 | table->rows[whole].start;
      index = known_function(self, named.identity);
      if (index < 0) {
        name_from_linker(self, self->raw, false, &named);
        index = add_function(self, &named);
      }
      if (index >= 0)
        prof_table_put(&self->by_identity, part, (uint32_t)index);
      return index;
    }
  }
  name_from_linker(self, self->raw, symbol->plt, &named);
  return add_function(self, &named);
}

static int64_t function_of_frame(struct prof_symbols *self, struct prof_symtab *table,
                                 int32_t module, const struct prof_inline_frame *frame) {
  struct prof_named named = {.module = module, .line = frame->line, .column = frame->column};
  const char *raw = frame->linkage_name ? frame->linkage_name : frame->name;
  int64_t row = -1, index;
  if (!raw || !*raw)
    return -1;
  /* the same function may exist as a whole elsewhere: then both are one */
  if (table && (frame->linkage_name || frame->name))
    row = prof_symtab_by_name(table, raw, prof_demangle_base_length(raw));
  if (row >= 0) {
    index = function_of_row(self, table, module, row);
  } else {
    uint64_t hash = hash_text((uint64_t)module, raw);
    if (!frame->linkage_name) /* a C function: static ones may share a name */
      hash = hash_text(hash + frame->line, frame->file);
    named.identity = hash | IDENTITY_HASHED;
    index = known_function(self, named.identity);
    if (index < 0) {
      snprintf(self->raw, sizeof self->raw, "%s", raw);
      name_from_linker(self, self->raw, false, &named);
      index = add_function(self, &named);
    }
  }
  if (index >= 0 && !self->functions[index].file && frame->file) {
    self->functions[index].file = keep(self, frame->file);
    self->functions[index].line = frame->line;
    self->functions[index].column = frame->column;
  }
  return index;
}

static int inline_frames(struct prof_symbols *self, int32_t index, uint64_t address,
                         struct prof_inline_frame *frames, int capacity) {
  const struct prof_module *module = prof_modules_at(self->modules, (size_t)index);
  struct slot *slot = slot_of(self, index);
  uint64_t start;
  int count = 0;
  if (!slot || !(module->flags & PROF_MODULE_DEBUG_INFO) || self->inline_budget_ns == 0 ||
      module->state != PROF_MODULE_ON_DISK || (slot->inline_tried && !slot->inlined))
    return 0;
  start = prof_inline_now_ns();
  if (!slot->inline_tried && self->stats.inline_ns < self->inline_budget_ns) {
    slot->inline_tried = true;
    slot->inlined = prof_inline_open(module->debug_path ? module->debug_path : module->path);
  }
  if (slot->inlined)
    count =
        prof_inline_find(slot->inlined, address,
                         start + self->inline_budget_ns - self->stats.inline_ns, frames, capacity);
  else if (!slot->inline_tried)
    count = -1;
  self->stats.inline_ns += prof_inline_now_ns() - start;
  if (self->stats.inline_ns > self->inline_budget_ns)
    self->stats.inline_ns = self->inline_budget_ns; /* keeps the deadline's arithmetic positive */
  if (count < 0) {
    self->stats.inline_skipped++;
    count = 0;
  }
  return count;
}

static void name_by_address(struct prof_symbols *self, struct prof_named *out, const char *object,
                            uint64_t address) {
  char text[SHORT_TEXT];
  if (object)
    snprintf(text, sizeof text, "[%.400s+0x%" PRIx64 "]", object, address);
  else if (address)
    snprintf(text, sizeof text, "[0x%" PRIx64 "]", address);
  else
    snprintf(text, sizeof text, "[unknown]");
  out->identity = hash_text((uint64_t)out->module + 2, text) | IDENTITY_HASHED;
  int64_t index = known_function(self, out->identity);
  if (index < 0) {
    out->name = out->symbol = keep(self, text);
    index = add_function(self, out);
  }
  if (index >= 0)
    *out = self->functions[index];
}

static int resolve_module(struct prof_symbols *self, const struct prof_code *code, uint32_t offset,
                          struct prof_named *out, int capacity) {
  const struct prof_module *module = prof_modules_at(self->modules, (size_t)code->module);
  struct prof_inline_frame frames[INLINE_MAX];
  uint64_t address = code->start + offset - module->bias;
  struct prof_symtab *table = table_of(self, code->module);
  int64_t row = table ? prof_symtab_find(table, address) : -1, index = -1;
  int frame_count, count = 0, skip;
  frame_count = inline_frames(self, code->module, address, frames, INLINE_MAX);
  if (row >= 0)
    index = function_of_row(self, table, code->module, row);
  if (frame_count && !frames[frame_count - 1].is_inlined) {
    const struct prof_inline_frame *outer = &frames[--frame_count];
    if (index < 0)
      index = function_of_frame(self, table, code->module, outer);
    else if (!self->functions[index].file && outer->file) {
      self->functions[index].file = keep(self, outer->file);
      self->functions[index].line = outer->line;
      self->functions[index].column = outer->column;
    }
  }
  skip = frame_count > capacity - 1 ? frame_count - (capacity - 1) : 0;
  for (int i = skip; i < frame_count; i++) {
    int64_t inlined = function_of_frame(self, table, code->module, &frames[i]);
    if (inlined >= 0) {
      out[count] = self->functions[inlined];
      out[count++].inlined = 1;
    }
  }
  if (index >= 0) {
    out[count] = self->functions[index];
  } else {
    out[count] = (struct prof_named){.module = code->module, .kind = PROF_KIND_UNKNOWN};
    name_by_address(self, &out[count], module->name, address);
  }
  return count + 1;
}

static int resolve_kernel(struct prof_symbols *self, uint64_t address, struct prof_named *out) {
  struct prof_kernel_symbol symbol;
  char text[SHORT_TEXT];
  int64_t index;
  *out = (struct prof_named){.module = -1, .kind = PROF_KIND_KERNEL};
  if (!self->kernel || !prof_kernel_find(self->kernel, address, &symbol)) {
    name_by_address(self, out, "kernel", address);
    return 1;
  }
  out->identity = IDENTITY_KERNEL | symbol.index;
  index = known_function(self, out->identity);
  if (index < 0) {
    if (symbol.module)
      snprintf(text, sizeof text, "%s [%s]", symbol.name, symbol.module);
    else
      snprintf(text, sizeof text, "%s", symbol.name);
    out->name = out->symbol = keep(self, text);
    out->named = 1;
    index = add_function(self, out);
  }
  if (index >= 0)
    *out = self->functions[index];
  return 1;
}

/* Code that V8 (or a perf-map) named. Tiers and recompilations of one function are one function. */
static int resolve_named_code(struct prof_symbols *self, const struct prof_code *code,
                              uint32_t code_id, struct prof_named *out) {
  uint32_t known = prof_table_get(&self->by_code, code_id);
  struct prof_v8name name;
  uint64_t hash;
  int64_t index;
  if (known != PROF_TABLE_NONE) {
    *out = self->functions[known];
    out->tier = code->tier;
    return 1;
  }
  if (prof_v8name_parse(code->name, strlen(code->name), code->kind, self->arena, &name))
    return 0;
  *out = (struct prof_named){.name = name.name,
                             .symbol = name.symbol,
                             .file = name.file,
                             .line = name.line,
                             .column = name.column,
                             .module = -1,
                             .kind = name.is_js ? PROF_KIND_JS : PROF_KIND_V8,
                             .tier = code->tier ? code->tier : name.tier,
                             .named = 1};
  hash = hash_text(name.is_js, name.name);
  out->identity = hash_text(hash + ((uint64_t)name.line << 32 | name.column), name.file);
  out->identity |= IDENTITY_HASHED;
  index = known_function(self, out->identity);
  if (index < 0)
    index = add_function(self, out);
  if (index >= 0)
    prof_table_put(&self->by_code, code_id, (uint32_t)index);
  return 1;
}

int prof_symbols_resolve(struct prof_symbols *self, const struct prof_code *code, uint32_t code_id,
                         uint32_t offset, struct prof_named *out, int capacity) {
  uint64_t address = 0;
  if (code->kind == PROF_CODE_MODULE && code->module >= 0 &&
      prof_modules_at(self->modules, (size_t)code->module))
    return resolve_module(self, code, offset, out, capacity);
  if (code->kind == PROF_CODE_KERNEL)
    return resolve_kernel(self, (code->start ? code->start : KERNEL_BASE) + offset, out);
  if (code->name && resolve_named_code(self, code, code_id, out))
    return 1;
  if (code->kind != PROF_CODE_UNKNOWN)
    address = code->start + offset;
  else if (self->space)
    address = prof_space_address(self->space, (struct prof_place){code_id, offset});
  *out = (struct prof_named){.module = -1, .kind = PROF_KIND_UNKNOWN};
  name_by_address(self, out, NULL, address);
  return 1;
}
