#include "code/binary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "code/debugfile.h"
#include "code/image.h"
#include "code/inline.h"
#include "code/known.h"
#include "code/module.h"
#include "code/starts.h"
#include "code/symbol.h"
#include "code/symtab.h"

void prof_binary_free(struct prof_binary *self) {
  if (self->table)
    prof_symtab_free(self->table);
  free(self->table);
  prof_known_free(self->known);
  prof_inline_close(self->inlined);
  prof_starts_close(self->starts);
}

/* The file may have been replaced since its module was seen: then its symbols are another's. */
static bool is_still(const struct prof_image *image, const struct prof_module *module) {
  struct stat stat;
  return fstat(image->fd, &stat) == 0 && stat.st_ino == module->inode &&
         stat.st_dev == module->device;
}

/* A file that is gone from its path lives on while it is mapped; the kernel shows it to those who
 * may CAP_CHECKPOINT_RESTORE (root outside of containers), by the exact bounds of one mapping. Only
 * modules of this very process are ever in these states. */
static int open_mapped(struct prof_image *image, const struct prof_module *module) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/map_files/%" PRIx64 "-%" PRIx64, module->start,
           module->end);
  return prof_image_open_file(image, path);
}

static int open_image(struct prof_image *image, const struct prof_module *module) {
  *image = (struct prof_image){.fd = -1};
  if (module->state == PROF_MODULE_IN_MEMORY)
    return prof_image_open_memory(image, (const void *)module->start, module->end - module->start);
  if (module->state == PROF_MODULE_DELETED || module->state == PROF_MODULE_REPLACED)
    return open_mapped(image, module);
  if (module->state != PROF_MODULE_ON_DISK || prof_image_open_file(image, module->path))
    return -1;
  if (is_still(image, module))
    return 0;
  prof_image_close(image);
  return -1;
}

/* From what is known, else from the file. */
static int fill_table(struct prof_binary *self, const struct prof_module *module,
                      const char *stash_folder, struct prof_image *image,
                      struct prof_image *debug) {
  if (stash_folder && module->state == PROF_MODULE_ON_DISK)
    self->known = prof_known_open(stash_folder, module->name, module->path, image, debug);
  if (self->known && prof_known_table(self->known, self->table, image, debug))
    return 0;
  return prof_symtab_load(self->table, image, debug);
}

static void load_table(struct prof_binary *self, const struct prof_module *module,
                       const char *stash_folder, struct prof_symbols_stats *stats) {
  struct prof_image image, debug = {.fd = -1};
  if (open_image(&image, module) || !(self->table = malloc(sizeof *self->table))) {
    prof_image_close(&image);
    stats->refused_tables++;
    return;
  }
  if (module->debug_path)
    prof_image_open_file(&debug, module->debug_path);
  if (fill_table(self, module, stash_folder, &image, &debug)) {
    free(self->table);
    self->table = NULL;
    stats->refused_tables++;
    return;
  }
  stats->table_bytes += self->table->capacity * sizeof *self->table->rows;
}

struct prof_symtab *prof_binary_table(struct prof_binary *self, const struct prof_module *module,
                                      const char *stash_folder, struct prof_symbols_stats *stats) {
  if (!self->table_tried)
    load_table(self, module, stash_folder, stats);
  self->table_tried = true;
  return self->table;
}

bool prof_binary_start(struct prof_binary *self, const struct prof_module *module, uint64_t address,
                       uint64_t *start) {
  struct prof_image image;
  if (!self->starts_tried && open_image(&image, module) == 0)
    self->starts = prof_starts_open(&image);
  self->starts_tried = true;
  return self->starts && prof_starts_find(self->starts, address, start);
}

bool prof_binary_same(struct prof_binary *self, uint64_t address, uint64_t *same) {
  if (!self->table_tried)
    return false;
  if (self->table && prof_symtab_start(self->table, address, same))
    return true;
  if (!self->starts_tried)
    return false;
  if (self->starts && prof_starts_find(self->starts, address, same))
    return true;
  if (!self->unnamed)
    self->unnamed = address;
  *same = self->unnamed;
  return true;
}

int prof_binary_inline(struct prof_binary *self, const struct prof_module *module,
                       uint64_t budget_ns, uint64_t address, struct prof_inline_frame *frames,
                       int capacity, struct prof_symbols_stats *stats) {
  uint64_t start;
  int count = 0;
  if (!(module->flags & PROF_MODULE_DEBUG_INFO) || budget_ns == 0 ||
      module->state != PROF_MODULE_ON_DISK || (self->inline_tried && !self->inlined) ||
      (module->debug_path && prof_debugfile_is_distribution(module->debug_path)))
    return 0;
  start = prof_now_ns();
  if (!self->inline_tried && stats->inline_ns < budget_ns) {
    self->inline_tried = true;
    self->inlined = prof_inline_open(module->debug_path ? module->debug_path : module->path);
  }
  if (self->inlined)
    count = prof_inline_find(self->inlined, address, start + budget_ns - stats->inline_ns, frames,
                             capacity);
  else if (!self->inline_tried)
    count = -1;
  stats->inline_ns += prof_now_ns() - start;
  if (stats->inline_ns > budget_ns)
    stats->inline_ns = budget_ns; /* keeps the deadline's arithmetic positive */
  if (count < 0) {
    stats->inline_skipped++;
    count = 0;
  }
  return count;
}
