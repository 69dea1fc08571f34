#include "code/funcs.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "code/debugfile.h"
#include "code/demangle.h"
#include "code/image.h"
#include "code/symtab.h"

struct prof_funcs {
  struct prof_symtab table; /* owns the image */
  char linker[PROF_SYMBOL_NAME_MAX];
  char other[PROF_SYMBOL_NAME_MAX];
  char name[PROF_SYMBOL_NAME_MAX];
};

int prof_funcs_open(const char *path, struct prof_funcs **out, struct prof_error *error) {
  struct prof_image image, debug = {.fd = -1};
  char build_id[PROF_BUILD_ID_TEXT], debug_path[4096];
  struct prof_funcs *self;
  if (prof_image_open_file(&image, path))
    return prof_error_set(error, PROF_BAD_FILE, 0, NULL,
                          "%s is no 64-bit ELF file: name a program, a library or a .node file",
                          path);
  self = malloc(sizeof *self);
  if (!self) {
    prof_image_close(&image);
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the symbols of %s", path);
  }
  prof_image_build_id(&image, build_id);
  if (!prof_image_section(&image, ".symtab") &&
      prof_debugfile_find(&image, path, build_id, debug_path, sizeof debug_path))
    prof_image_open_file(&debug, debug_path);
  if (prof_symtab_load(&self->table, &image, &debug)) {
    free(self);
    return prof_error_set(error, PROF_BAD_FILE, 0, NULL,
                          "%s has no function symbols (it is stripped): use a build with symbols, "
                          "for rspack @rspack-debug/binding-linux-x64-gnu by RSPACK_BINDING",
                          path);
  }
  *out = self;
  return PROF_OK;
}

void prof_funcs_close(struct prof_funcs *self) {
  if (self)
    prof_symtab_free(&self->table);
  free(self);
}

size_t prof_funcs_count(const struct prof_funcs *self) {
  return self->table.count;
}

static bool fill(struct prof_funcs *self, size_t index, struct prof_func *out) {
  const struct prof_symbol_row *row = &self->table.rows[index];
  if (row->plt || prof_symtab_name(&self->table, index, self->linker, sizeof self->linker) <= 0)
    return false;
  out->address = self->table.base + row->start;
  out->size = row->end - row->start;
  out->linker = self->linker;
  out->name = self->name;
  if (!prof_funcs_offset(self, out->address, &out->offset))
    return false;
  prof_demangle(self->linker, self->name, sizeof self->name, NULL);
  return true;
}

/* GCC's and LLVM's names for what they split off: the base name, a dot, a word. */
static bool is_part_name(const char *name) {
  const char *dot = strrchr(name, '.');
  const char *cold = strstr(name, ".cold");
  return cold != NULL || (dot && strncmp(dot, ".part", 5) == 0);
}

bool prof_funcs_at(struct prof_funcs *self, size_t index, struct prof_func *out) {
  const struct prof_symbol_row *rows = self->table.rows;
  int64_t chosen;
  if (index >= self->table.count || (index > 0 && rows[index - 1].start == rows[index].start))
    return false; /* an alias: its first row speaks for all */
  chosen = prof_symtab_find(&self->table, self->table.base + rows[index].start);
  if (chosen < 0 || rows[chosen].start != rows[index].start || !fill(self, (size_t)chosen, out) ||
      is_part_name(self->linker))
    return false;
  return true;
}

bool prof_funcs_find(struct prof_funcs *self, const char *linker, struct prof_func *out) {
  for (size_t i = 0; i < self->table.count; i++) {
    if (self->table.rows[i].plt ||
        prof_symtab_name(&self->table, i, self->linker, sizeof self->linker) <= 0 ||
        strcmp(self->linker, linker) != 0)
      continue;
    return fill(self, i, out);
  }
  return false;
}

bool prof_funcs_holding(struct prof_funcs *self, uint64_t address, uint64_t *start,
                        uint64_t *size) {
  int64_t row = prof_symtab_find(&self->table, address);
  if (row < 0)
    return false;
  *start = self->table.base + self->table.rows[row].start;
  *size = self->table.rows[row].end - self->table.rows[row].start;
  return true;
}

bool prof_funcs_is_part(struct prof_funcs *self, uint64_t address, uint64_t whole) {
  int64_t part = prof_symtab_find(&self->table, address);
  int64_t first = prof_symtab_find(&self->table, whole);
  if (part < 0 || first < 0 ||
      prof_symtab_name(&self->table, (size_t)part, self->other, sizeof self->other) <= 0 ||
      !is_part_name(self->other) ||
      prof_symtab_name(&self->table, (size_t)first, self->linker, sizeof self->linker) <= 0)
    return false;
  size_t length = strcspn(self->linker, ".");
  return strncmp(self->other, self->linker, length) == 0 && self->other[length] == '.';
}

bool prof_funcs_offset(const struct prof_funcs *self, uint64_t address, uint64_t *offset) {
  return prof_image_at(&self->table.image, address, PF_X, offset) != 0;
}

int prof_funcs_code(struct prof_funcs *self, uint64_t address, void *out, size_t size) {
  uint64_t offset;
  if (!prof_funcs_offset(self, address, &offset))
    return -1;
  return prof_image_read(&self->table.image, offset, out, size);
}
