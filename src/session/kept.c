#include "session/kept.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/stash.h"
#include "base/table.h"
#include "code/module.h"
#include "session/recording.h"
#include "stack/rows_kept.h"

enum { NEW_MIN = 500 }; /* rows: what is worth a file */

/* Where a module's rows are kept; 0: nowhere. */
static uint64_t key_of(const struct prof_module *module, char name[PROF_STASH_NAME]) {
  struct stat file;
  if (module->state != PROF_MODULE_ON_DISK || stat(module->path, &file) ||
      file.st_ino != module->inode || file.st_dev != module->device)
    return 0;
  prof_stash_name(name, module->name, prof_hash_text(1, module->path));
  return prof_stash_key(1, &file);
}

static size_t recall(struct prof_recording *self, const struct prof_module *module) {
  char name[PROF_STASH_NAME];
  struct prof_stash_part part;
  uint64_t key = key_of(module, name);
  if (!key || prof_stash_read(self->options.stash, name, key, &part, 1))
    return 0;
  size_t count = part.size / sizeof(struct prof_rows_kept);
  count = prof_rows_take_image(self->rows, module->start, module->end, part.bytes, count);
  prof_stash_free(&part, 1);
  return count;
}

void prof_kept_recall(struct prof_recording *self) {
  struct prof_kept *kept = &self->kept;
  if (!self->options.stash || !self->options.stash[0])
    return;
  while (kept->count < prof_modules_count(self->modules)) {
    const struct prof_module *module = prof_modules_at(self->modules, kept->count);
    if (prof_array_reserve((void **)&kept->counts, &kept->capacity, kept->count + 1,
                           sizeof *kept->counts))
      return;
    kept->counts[kept->count++] = recall(self, module);
  }
}

static void save(const struct prof_recording *self, const struct prof_module *module,
                 size_t before) {
  char name[PROF_STASH_NAME];
  size_t count = prof_rows_keep_image(self->rows, module->start, module->end, NULL, 0);
  uint64_t key = count >= before + NEW_MIN + before / 8 ? key_of(module, name) : 0;
  struct prof_rows_kept *rows = key ? malloc(count * sizeof *rows) : NULL;
  if (!rows)
    return;
  /* Nobody walks any more: there are as many as before. */
  prof_rows_keep_image(self->rows, module->start, module->end, rows, count);
  const struct prof_stash_part part = {.bytes = rows, .size = count * sizeof *rows};
  prof_stash_write(self->options.stash, name, key, &part, 1);
  free(rows);
}

/* Else it is another module's code that lies there now. */
static bool is_there(const struct prof_recording *self, size_t index) {
  const struct prof_module *module = prof_modules_at(self->modules, index);
  return prof_modules_find(self->modules, module->start) == (int32_t)index;
}

void prof_kept_save(const struct prof_recording *self) {
  for (size_t i = 0; i < self->kept.count; i++)
    if (is_there(self, i))
      save(self, prof_modules_at(self->modules, i), self->kept.counts[i]);
}

void prof_kept_free(struct prof_kept *self) {
  free(self->counts);
  *self = (struct prof_kept){0};
}
