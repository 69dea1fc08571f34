#include "session/unindexed.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "stack/cfi_index.h"

struct prof_unindexed_file {
  const char *path; /* the module's own, by which it is known again */
  uint64_t bias;
  struct prof_cfi_image sections; /* empty: nothing could be read */
};

/* Bytes NULL where the section is not there or not to be had. */
static struct prof_cfi_section read_section(struct prof_image *file, const char *name) {
  const Elf64_Shdr *section = prof_image_section(file, name);
  struct prof_cfi_section out = {0};
  size_t size;
  if (section) {
    out.bytes = prof_image_read_section(file, section, PROF_UNINDEXED_BYTES, &size);
    out.size = out.bytes ? size : 0;
    out.address = section->sh_addr;
  }
  return out;
}

bool prof_unindexed_read(struct prof_image *file, struct prof_cfi_image *out) {
  struct prof_cfi_section eh_frame, debug_frame;
  bool found;
  if (!prof_image_is_unindexed(file))
    return false;
  eh_frame = read_section(file, ".eh_frame");
  debug_frame = read_section(file, ".debug_frame");
  found = prof_cfi_index(&eh_frame, &debug_frame, out);
  free((void *)eh_frame.bytes);
  free((void *)debug_frame.bytes);
  return found;
}

void prof_unindexed_drop(struct prof_cfi_image *image) {
  free((void *)image->hdr.bytes);
  free((void *)image->frame.bytes);
  memset(image, 0, sizeof *image);
}

/* Of a part of an image that is mapped once more, V8's builtins in its code range, the rows are not
 * the file's: that is JavaScript's code to the walk. Node 26 has a .debug_frame. */
static bool is_whole(const struct prof_image *file, const struct prof_module *module) {
  uint64_t lowest = UINT64_MAX;
  for (size_t i = 0; i < file->header.e_phnum; i++) {
    const Elf64_Phdr *segment = &file->segments[i];
    if (segment->p_type == PT_LOAD && segment->p_flags & PF_X && segment->p_vaddr < lowest)
      lowest = segment->p_vaddr;
  }
  return module->start <= module->bias + lowest;
}

/* The module's, at its place; NULL where memory ends. */
static const struct prof_cfi_image *image_of(struct prof_unindexed *self,
                                             const struct prof_module *module) {
  struct prof_unindexed_file *file;
  struct prof_image image;
  for (size_t i = 0; i < self->count; i++)
    if (self->files[i].path == module->path && self->files[i].bias == module->bias)
      return &self->files[i].sections;
  if (prof_array_reserve((void **)&self->files, &self->capacity, self->count + 1,
                         sizeof *self->files))
    return NULL;
  file = &self->files[self->count++];
  *file = (struct prof_unindexed_file){.path = module->path, .bias = module->bias};
  if (prof_image_open_file(&image, module->path) == 0) {
    if (is_whole(&image, module))
      prof_unindexed_read(&image, &file->sections);
    prof_image_close(&image);
  }
  file->sections.hdr.address += module->bias;
  file->sections.frame.address += module->bias;
  return &file->sections;
}

void prof_unindexed_mapped(struct prof_unindexed *self, struct prof_rows *rows,
                           const struct prof_module *module, uint64_t start, uint64_t end) {
  const struct prof_cfi_image *image;
  if (!(module->flags & PROF_MODULE_UNINDEXED))
    return;
  image = image_of(self, module);
  if (image && image->hdr.size)
    prof_rows_add(rows, start, end, image, NULL);
}

void prof_unindexed_all(struct prof_unindexed *self, struct prof_rows *rows,
                        const struct prof_modules *modules) {
  for (size_t i = 0; i < prof_modules_count(modules); i++) {
    const struct prof_module *module = prof_modules_at(modules, i);
    prof_unindexed_mapped(self, rows, module, module->start, module->end);
  }
}

void prof_unindexed_free(struct prof_unindexed *self) {
  for (size_t i = 0; i < self->count; i++)
    prof_unindexed_drop(&self->files[i].sections);
  free(self->files);
  memset(self, 0, sizeof *self);
}
