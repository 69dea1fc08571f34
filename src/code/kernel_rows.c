#include "code/kernel_rows.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/stash.h"
#include "base/table.h"

enum { PAGE_BYTES = 4096, BOOT_ID_BYTES = 64, MODULE_LINE_BYTES = 4096 };

/* name size uses users state address: all but who uses it, which changes without it. */
static uint64_t hash_of_modules(uint64_t hash) {
  char line[MODULE_LINE_BYTES], name[128], size[32], address[32];
  FILE *file = fopen("/proc/modules", "re");
  while (file && fgets(line, sizeof line, file)) {
    if (sscanf(line, "%127s %31s %*s %*s %*s %31s", name, size, address) == 3)
      hash = prof_hash_text(prof_hash_text(prof_hash_text(hash, name), size), address);
  }
  if (file)
    fclose(file);
  return hash;
}

uint64_t prof_kernel_rows_key(void) {
  char id[BOOT_ID_BYTES] = "";
  FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
  bool is_known = file && fgets(id, sizeof id, file) && strlen(id) > 30;
  if (file)
    fclose(file);
  return is_known ? hash_of_modules(prof_hash_text(0, id)) | 1 : 0;
}

/* Added by hand, not listed: these come and go ("bpf" is no loadable module's name, and the others
 * begin with two underscores and "builtin", kernel/kallsyms.c). */
static bool is_passing(const char *module) {
  return strcmp(module, "bpf") == 0 || strncmp(module, "__builtin__", 11) == 0;
}

static void add_hole(struct prof_kernel_row *rows, size_t *count, uint64_t start) {
  rows[(*count)++] = (struct prof_kernel_row){.start = start};
}

/* What stays: rows must have room for twice as many. */
static size_t lasting(const struct prof_kernel_rows *self, struct prof_kernel_row *rows) {
  size_t count = 0;
  for (size_t i = 0; i < self->count; i++) {
    const struct prof_kernel_row *row = &self->rows[i],
                                 *next = i + 1 < self->count ? row + 1 : NULL;
    uint64_t page_end = (row->start | (PAGE_BYTES - 1)) + 1;
    if (is_passing(self->names + row->module)) {
      add_hole(rows, &count, row->start);
      continue;
    }
    rows[count++] = *row;
    if ((!next || next->module != row->module) && (!next || page_end < next->start))
      add_hole(rows, &count, page_end);
  }
  return count;
}

void prof_kernel_rows_save(const struct prof_kernel_rows *self, const char *folder, uint64_t key) {
  char name[PROF_STASH_NAME];
  struct prof_kernel_row *rows;
  if (!self->count || !self->rows[0].start || !(rows = malloc(2 * self->count * sizeof *rows)))
    return;
  const struct prof_stash_part parts[] = {
      {.bytes = rows, .size = lasting(self, rows) * sizeof *rows},
      {.bytes = self->names, .size = self->names_bytes}};
  prof_stash_name(name, "kernel", 0);
  prof_stash_write(folder, name, key, parts, 2);
  free(rows);
}

/* Every number of the file within bounds, the rows in order. */
static bool is_sound(const struct prof_kernel_rows *self) {
  if (!self->count || !self->names_bytes || self->names[0] || self->names[self->names_bytes - 1])
    return false;
  for (size_t i = 0; i < self->count; i++)
    if (self->rows[i].name >= self->names_bytes || self->rows[i].module >= self->names_bytes ||
        (i && self->rows[i].start < self->rows[i - 1].start))
      return false;
  return true;
}

int prof_kernel_rows_load(struct prof_kernel_rows *self, const char *folder, uint64_t key) {
  char name[PROF_STASH_NAME];
  struct prof_stash_part parts[2];
  prof_stash_name(name, "kernel", 0);
  if (prof_stash_read(folder, name, key, parts, 2))
    return -1;
  struct prof_kernel_rows read = {.rows = parts[0].bytes,
                                  .count = parts[0].size / sizeof *read.rows,
                                  .capacity = parts[0].size / sizeof *read.rows,
                                  .names = parts[1].bytes,
                                  .names_bytes = parts[1].size,
                                  .names_capacity = parts[1].size};
  if (!is_sound(&read)) {
    prof_stash_free(parts, 2);
    return -1;
  }
  *self = read;
  return 0;
}
