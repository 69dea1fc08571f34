#include "code/lookup.h"

#include <limits.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/status.h"
#include "code/image.h"
#include "code/module.h"
#include "code/space.h"
#include "code/symbol.h"

/* Where the file is taken to be mapped: above every virtual address that a linker gives. */
#define BASE 0x100000000000ull

struct prof_lookup {
  struct prof_modules *modules;
  struct prof_space *space;
  struct prof_symbols *symbols;
  struct prof_arena arena;
  int module;
};

struct prof_lookup *prof_lookup_open(const char *path, struct prof_error *error) {
  char full[PATH_MAX]; /* modules are known by absolute paths, as the kernel tells them */
  struct prof_image image;
  struct prof_lookup *self;
  if (!realpath(path, full) || prof_image_open_file(&image, full)) {
    prof_error_set(error, PROF_BAD_FILE, 0, NULL, "%s is no ELF file that can be read", path);
    return NULL;
  }
  self = calloc(1, sizeof *self);
  if (self) {
    prof_arena_init(&self->arena, 0);
    self->modules = prof_modules_create(NULL);
    self->space = prof_space_create();
    if (self->modules)
      self->symbols = prof_symbols_create(self->modules, NULL, &self->arena);
  }
  if (!self || !self->symbols || !self->space) {
    prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the symbols of %s", path);
    goto failed;
  }
  prof_symbols_inline_budget(self->symbols, 0);
  self->module = prof_modules_map_image(self->modules, self->space, &image, full, BASE);
  if (self->module < 0) {
    prof_error_set(error, PROF_BAD_FILE, 0, NULL, "%s has no executable segment", path);
    goto failed;
  }
  prof_image_close(&image);
  return self;

failed:
  prof_image_close(&image);
  prof_lookup_close(self);
  return NULL;
}

void prof_lookup_close(struct prof_lookup *self) {
  if (!self)
    return;
  if (self->symbols)
    prof_symbols_free(self->symbols);
  if (self->modules)
    prof_modules_free(self->modules);
  if (self->space)
    prof_space_free(self->space);
  prof_arena_free(&self->arena);
  free(self);
}

const struct prof_module *prof_lookup_module(const struct prof_lookup *self) {
  return prof_modules_at(self->modules, (size_t)self->module);
}

bool prof_lookup_name(struct prof_lookup *self, uint64_t address, struct prof_named *out) {
  if (address == 0 || address >= BASE)
    return false;
  struct prof_place place = prof_space_place(self->space, BASE + address);
  const struct prof_code *code = prof_space_code(self->space, place.code);
  prof_symbols_resolve(self->symbols, code, place.code, place.offset, out, 1);
  return out->named;
}
