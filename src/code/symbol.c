#include "code/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "code/binary.h"
#include "code/function.h"
#include "code/inline.h"
#include "code/kernel.h"
#include "code/known.h"
#include "code/module.h"
#include "code/space.h"
#include "code/symtab.h"
#include "code/v8name.h"

#define IDENTITY_KERNEL (1ull << 56) /* below it: module << 40 | start of the function */
#define DEFAULT_INLINE_BUDGET_NS 200000000ull
/* 512 KB: 4 ms of the kernel's time where the whole takes 40. */
enum { INLINE_MAX = 64, SHORT_TEXT = 512, KERNEL_SLICE_BYTES = 512 << 10 };

struct prof_symbols {
  const struct prof_modules *modules;
  struct prof_kernel *kernel;
  const struct prof_space *space;
  const char *stash_folder;     /* NULL: none */
  struct prof_binary *binaries; /* by module */
  size_t binary_count, binary_capacity;
  struct prof_functions functions;
  struct prof_table by_code; /* code id of JIT code -> functions */
  uint64_t inline_budget_ns;
  struct prof_symbols_stats stats;
  char raw[PROF_SYMBOL_NAME_MAX];
};

struct prof_symbols *prof_symbols_create(const struct prof_modules *modules,
                                         struct prof_kernel *kernel, struct prof_arena *arena) {
  struct prof_symbols *self = calloc(1, sizeof *self);
  if (self) {
    self->modules = modules;
    self->kernel = kernel;
    self->functions.arena = arena;
    self->inline_budget_ns = DEFAULT_INLINE_BUDGET_NS;
  }
  return self;
}

void prof_symbols_free(struct prof_symbols *self) {
  if (!self)
    return;
  for (size_t i = 0; i < self->binary_count; i++)
    prof_binary_free(&self->binaries[i]);
  free(self->binaries);
  prof_functions_free(&self->functions);
  prof_table_free(&self->by_code);
  free(self);
}

void prof_symbols_set_space(struct prof_symbols *self, const struct prof_space *space) {
  self->space = space;
}

void prof_symbols_stash(struct prof_symbols *self, const char *folder) {
  self->stash_folder = folder && folder[0] ? folder : NULL;
}

void prof_symbols_save(const struct prof_symbols *self) {
  for (size_t i = 0; i < self->binary_count; i++)
    if (self->binaries[i].table && self->binaries[i].known)
      prof_known_save(self->binaries[i].known, self->binaries[i].table, &self->functions,
                      (int32_t)i);
}

void prof_symbols_inline_budget(struct prof_symbols *self, uint64_t budget_ns) {
  self->inline_budget_ns = budget_ns;
}

struct prof_symbols_stats prof_symbols_stats(const struct prof_symbols *self) {
  return self->stats;
}

static struct prof_binary *binary_of(struct prof_symbols *self, int32_t module) {
  size_t wanted = (size_t)module + 1;
  if (wanted > self->binary_count) {
    if (prof_array_reserve((void **)&self->binaries, &self->binary_capacity, wanted,
                           sizeof *self->binaries))
      return NULL;
    memset(self->binaries + self->binary_count, 0,
           (wanted - self->binary_count) * sizeof *self->binaries);
    self->binary_count = wanted;
  }
  return &self->binaries[module];
}

static const struct prof_module *module_of(const struct prof_symbols *self,
                                           const struct prof_code *code) {
  return code->kind == PROF_CODE_MODULE && code->module >= 0
             ? prof_modules_at(self->modules, (size_t)code->module)
             : NULL;
}

/* Makes out the function that is known by its text alone. */
static void name_by_text(struct prof_symbols *self, struct prof_named *out, const char *text) {
  out->identity = prof_hash_text((uint64_t)out->module + 2, text) | PROF_IDENTITY_HASHED;
  int64_t index = prof_functions_find(&self->functions, out->identity);
  if (index < 0) {
    out->name = out->symbol = prof_functions_keep(&self->functions, text);
    index = prof_functions_add(&self->functions, out);
  }
  if (index >= 0)
    *out = self->functions.rows[index];
}

static int64_t function_of_row(struct prof_symbols *self, struct prof_binary *binary,
                               int32_t module, int64_t row) {
  const struct prof_symbol_row *symbol = &binary->table->rows[row];
  uint64_t key = (uint64_t)module << 40 | symbol->start;
  int64_t index = prof_functions_find(&self->functions, key);
  struct prof_named known;
  if (index >= 0)
    return index;
  if (binary->known && prof_known_find(binary->known, symbol->start, module, &known)) {
    index = prof_functions_find(&self->functions, known.identity);
    if (index < 0)
      index = prof_functions_add(&self->functions, &known);
  } else {
    if (prof_symtab_name(binary->table, (size_t)row, self->raw, sizeof self->raw) <= 0)
      return -1;
    index = prof_functions_link(&self->functions, module, self->raw, symbol->plt);
    if (binary->known)
      binary->known->fresh++;
  }
  prof_functions_alias(&self->functions, key, index);
  return index;
}

/* Source place of a function, unless one is known. */
static void locate(struct prof_symbols *self, int64_t index,
                   const struct prof_inline_frame *frame) {
  struct prof_named *row = index >= 0 ? &self->functions.rows[index] : NULL;
  if (!row || row->file || !frame->file)
    return;
  row->file = prof_functions_keep(&self->functions, frame->file);
  row->line = frame->line;
  row->column = frame->column;
}

static int64_t function_of_frame(struct prof_symbols *self, int32_t module,
                                 const struct prof_inline_frame *frame) {
  const char *raw = frame->linkage_name ? frame->linkage_name : frame->name;
  int64_t index;
  if (!raw || !*raw)
    return -1;
  snprintf(self->raw, sizeof self->raw, "%s", raw);
  index = prof_functions_link(&self->functions, module, self->raw, false);
  locate(self, index, frame);
  return index;
}

/* What has no symbol: the function's start where unwind tables tell it. Otherwise all such places
 * of the file are one row: thousands of addresses, one sample each, say nothing. */
static void name_stripped(struct prof_symbols *self, struct prof_binary *binary,
                          const struct prof_module *module, int32_t index, uint64_t address,
                          struct prof_named *out) {
  char text[SHORT_TEXT];
  uint64_t start;
  *out = (struct prof_named){.module = index, .kind = PROF_KIND_UNKNOWN};
  if (binary && prof_binary_start(binary, module, address, &start))
    snprintf(text, sizeof text, "[%.400s+0x%" PRIx64 "]", module->name, start);
  else if (module->name[0] == '[') /* [vdso] */
    snprintf(text, sizeof text, "%.400s", module->name);
  else
    snprintf(text, sizeof text, "[%.400s]", module->name);
  name_by_text(self, out, text);
}

static int resolve_module(struct prof_symbols *self, const struct prof_module *module,
                          const struct prof_code *code, uint32_t offset, struct prof_named *out,
                          int capacity) {
  struct prof_inline_frame frames[INLINE_MAX];
  uint64_t address = code->start + offset - module->bias;
  struct prof_binary *binary = binary_of(self, code->module);
  struct prof_symtab *table =
      binary ? prof_binary_table(binary, module, self->stash_folder, &self->stats) : NULL;
  int64_t row = table ? prof_symtab_find(table, address) : -1, index = -1;
  int frame_count = 0, count = 0, skip;
  if (binary)
    frame_count = prof_binary_inline(binary, module, self->inline_budget_ns, address, frames,
                                     INLINE_MAX, &self->stats);
  if (row >= 0)
    index = function_of_row(self, binary, code->module, row);
  if (frame_count && !frames[frame_count - 1].is_inlined) {
    const struct prof_inline_frame *outer = &frames[--frame_count];
    if (index < 0)
      index = function_of_frame(self, code->module, outer);
    locate(self, index, outer);
  }
  skip = frame_count > capacity - 1 ? frame_count - (capacity - 1) : 0;
  for (int i = skip; i < frame_count; i++) {
    int64_t inlined = function_of_frame(self, code->module, &frames[i]);
    if (inlined >= 0) {
      out[count] = self->functions.rows[inlined];
      out[count++].inlined = 1;
    }
  }
  if (index >= 0)
    out[count] = self->functions.rows[index];
  else
    name_stripped(self, binary, module, code->module, address, &out[count]);
  return count + 1;
}

static int resolve_kernel(struct prof_symbols *self, uint64_t address, struct prof_named *out) {
  struct prof_kernel_symbol symbol;
  char text[SHORT_TEXT];
  int64_t index;
  *out = (struct prof_named){.module = -1, .kind = PROF_KIND_KERNEL};
  if (!self->kernel || !prof_kernel_find(self->kernel, address, &symbol)) {
    name_by_text(self, out, "[kernel]");
    return 1;
  }
  out->identity = IDENTITY_KERNEL | (symbol.start & (IDENTITY_KERNEL - 1));
  index = prof_functions_find(&self->functions, out->identity);
  if (index < 0) {
    if (symbol.module)
      snprintf(text, sizeof text, "%s [%s]", symbol.name, symbol.module);
    else
      snprintf(text, sizeof text, "%s", symbol.name);
    out->name = out->symbol = prof_functions_keep(&self->functions, text);
    out->named = 1;
    index = prof_functions_add(&self->functions, out);
  }
  if (index >= 0)
    *out = self->functions.rows[index];
  return 1;
}

/* Code that V8 (or a perf-map) named. Tiers and recompilations of one function are one function.
 * Builtins lie in the node executable's image: that is their module then. */
static int resolve_named_code(struct prof_symbols *self, const struct prof_code *code,
                              uint32_t code_id, struct prof_named *out) {
  uint32_t known = prof_table_get(&self->by_code, code_id);
  struct prof_v8name name;
  uint64_t hash;
  int64_t index;
  if (known != PROF_TABLE_NONE) {
    *out = self->functions.rows[known];
    out->tier = code->tier;
    return 1;
  }
  if (prof_v8name_parse(code->name, strlen(code->name), code->kind, self->functions.arena, &name))
    return 0;
  *out = (struct prof_named){.name = name.name,
                             .symbol = name.symbol,
                             .file = name.file,
                             .line = name.line,
                             .column = name.column,
                             .module = prof_modules_find(self->modules, code->start),
                             .kind = name.is_js ? PROF_KIND_JS : PROF_KIND_V8,
                             .tier = code->tier ? code->tier : name.tier,
                             .named = 1};
  hash = prof_hash_text(name.is_js, name.name);
  out->identity = prof_hash_text(hash + ((uint64_t)name.line << 32 | name.column), name.file);
  out->identity |= PROF_IDENTITY_HASHED;
  index = prof_functions_find(&self->functions, out->identity);
  if (index < 0)
    index = prof_functions_add(&self->functions, out);
  if (index >= 0)
    prof_table_put(&self->by_code, code_id, (uint32_t)index);
  return 1;
}

int prof_symbols_resolve(struct prof_symbols *self, const struct prof_code *code, uint32_t code_id,
                         uint32_t offset, struct prof_named *out, int capacity) {
  const struct prof_module *module = module_of(self, code);
  char text[SHORT_TEXT] = "[unknown]";
  uint64_t address = 0;
  if (module)
    return resolve_module(self, module, code, offset, out, capacity);
  if (code->kind == PROF_CODE_KERNEL)
    return resolve_kernel(self, (code->start ? code->start : PROF_KERNEL_BASE) + offset, out);
  if (code->name && resolve_named_code(self, code, code_id, out))
    return 1;
  if (code->kind != PROF_CODE_UNKNOWN)
    address = code->start + offset;
  else if (self->space)
    address = prof_space_address(self->space, (struct prof_place){code_id, offset});
  if (address)
    snprintf(text, sizeof text, "[0x%" PRIx64 "]", address);
  *out = (struct prof_named){.module = -1, .kind = PROF_KIND_UNKNOWN};
  name_by_text(self, out, text);
  return 1;
}

/* Not where the places of a function differ in what was inlined, nor before tables were read. */
uint32_t prof_symbols_same(struct prof_symbols *self, const struct prof_code *code,
                           uint32_t offset) {
  const struct prof_module *module = module_of(self, code);
  struct prof_binary *binary = NULL;
  uint64_t base = code->start ? code->start : PROF_KERNEL_BASE, same = 0;
  bool is_known = false;
  if (code->kind == PROF_CODE_KERNEL && self->kernel) {
    is_known = prof_kernel_start(self->kernel, base + offset, &same);
  } else if (module && !(module->flags & PROF_MODULE_DEBUG_INFO)) {
    base = code->start - module->bias;
    binary = binary_of(self, code->module);
    is_known = binary && prof_binary_same(binary, base + offset, &same);
  }
  return is_known && same - base < UINT32_MAX ? (uint32_t)(same - base) : offset;
}

bool prof_symbols_prefetch(struct prof_symbols *self, const struct prof_code *code,
                           uint32_t code_id, uint32_t offset) {
  const struct prof_module *module = module_of(self, code);
  struct prof_binary *binary = module ? binary_of(self, code->module) : NULL;
  struct prof_named named[INLINE_MAX];
  if (code->kind == PROF_CODE_KERNEL && self->kernel &&
      prof_kernel_read(self->kernel, KERNEL_SLICE_BYTES))
    return true;
  if (binary && !binary->table_tried) {
    prof_binary_table(binary, module, self->stash_folder, &self->stats);
    return true;
  }
  prof_symbols_resolve(self, code, code_id, offset, named, INLINE_MAX);
  return false;
}
