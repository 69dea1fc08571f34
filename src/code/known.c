#include "code/known.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/table.h"
#include "code/symtab_saved.h"

enum { PART_ROWS, PART_PIECES, PART_STRINGS, PART_FUNCTIONS, PART_TEXT, PARTS };

/* 0: not to be told from others. */
static uint64_t key_of(uint64_t key, const struct prof_image *image) {
  struct stat stat;
  if (image->fd < 0 || image->memory || fstat(image->fd, &stat))
    return 0;
  return prof_stash_key(key, &stat);
}

struct prof_known *prof_known_open(const char *folder, const char *word, const char *path,
                                   const struct prof_image *image, const struct prof_image *debug) {
  uint64_t key = key_of(1, image);
  if (key && debug->fd >= 0)
    key = key_of(key, debug);
  struct prof_known *self = key ? calloc(1, sizeof *self) : NULL;
  if (!self)
    return NULL;
  self->folder = folder;
  self->key = key;
  prof_stash_name(self->name, word, prof_hash_text(0, path));
  return self;
}

void prof_known_free(struct prof_known *self) {
  if (!self)
    return;
  free(self->rows);
  free(self->text);
  free(self);
}

static bool is_sound(const struct prof_known_row *rows, size_t count, const char *text,
                     size_t text_bytes) {
  if (!text_bytes || text[0] || text[text_bytes - 1])
    return false;
  for (size_t i = 0; i < count; i++)
    if (rows[i].name >= text_bytes || rows[i].crate >= text_bytes ||
        (i && rows[i].start <= rows[i - 1].start))
      return false;
  return true;
}

bool prof_known_table(struct prof_known *self, struct prof_symtab *table, struct prof_image *image,
                      struct prof_image *debug) {
  struct prof_stash_part parts[PARTS];
  if (prof_stash_read(self->folder, self->name, self->key, parts, PARTS))
    return false;
  const struct prof_stash_part *functions = &parts[PART_FUNCTIONS], *text = &parts[PART_TEXT];
  struct prof_symtab_saved saved = {
      .rows = parts[PART_ROWS].bytes,
      .count = parts[PART_ROWS].size / sizeof *saved.rows,
      .pieces = parts[PART_PIECES].bytes,
      .piece_count = parts[PART_PIECES].size / sizeof *saved.pieces,
  };
  bool is_whole = parts[PART_STRINGS].size == sizeof saved.strings;
  size_t count = functions->size / sizeof *self->rows;
  if (!is_whole || !is_sound(functions->bytes, count, text->bytes, text->size)) {
    prof_stash_free(parts, PARTS);
    return false;
  }
  memcpy(saved.strings, parts[PART_STRINGS].bytes, sizeof saved.strings);
  if (prof_symtab_restore(table, image, debug, &saved)) {
    prof_stash_free(parts, PARTS);
    return false;
  }
  free(parts[PART_STRINGS].bytes);
  self->rows = functions->bytes;
  self->count = count;
  self->text = text->bytes;
  self->text_bytes = text->size;
  self->has_table = true;
  return true;
}

static const struct prof_known_row *row_of(const struct prof_known *self, uint32_t start) {
  size_t low = 0, high = self->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (self->rows[middle].start < start)
      low = middle + 1;
    else
      high = middle;
  }
  return low < self->count && self->rows[low].start == start ? &self->rows[low] : NULL;
}

bool prof_known_find(const struct prof_known *self, uint32_t start, int32_t module,
                     struct prof_named *out) {
  const struct prof_known_row *row = row_of(self, start);
  if (!row)
    return false;
  *out = (struct prof_named){.name = self->text + row->name,
                             .symbol = self->text + row->name,
                             .crate = row->crate ? self->text + row->crate : NULL,
                             .module = module,
                             .kind = row->kind,
                             .tier = row->tier,
                             .named = 1,
                             .identity = prof_functions_identity(module, row->link)};
  return true;
}

/* What is to be written: rows and text as they grow. */
struct growing {
  struct prof_known_row *rows;
  size_t count, capacity;
  char *text;
  size_t bytes, bytes_capacity;
};

static int put(struct growing *to, const char *text, uint32_t *offset) {
  size_t bytes = strlen(text) + 1;
  if (prof_array_reserve((void **)&to->text, &to->bytes_capacity, to->bytes + bytes, 1))
    return -1;
  memcpy(to->text + to->bytes, text, bytes);
  *offset = (uint32_t)to->bytes;
  to->bytes += bytes;
  return 0;
}

static int add(struct growing *to, const struct prof_named *named, uint32_t start, int32_t module) {
  struct prof_known_row row = {.link = prof_functions_identity(module, named->identity),
                               .start = start,
                               .kind = named->kind,
                               .tier = named->tier};
  if (to->count >= PROF_KNOWN_FUNCTIONS_MAX)
    return 0;
  if (put(to, named->name, &row.name) || (named->crate && put(to, named->crate, &row.crate)) ||
      prof_array_reserve((void **)&to->rows, &to->capacity, to->count + 1, sizeof *to->rows))
    return -1;
  to->rows[to->count++] = row;
  return 0;
}

static int by_start(const void *left, const void *right) {
  const struct prof_known_row *a = left, *b = right;
  return a->start < b->start ? -1 : a->start > b->start;
}

/* Those of before, and those that functions has beyond them. */
static int gather(const struct prof_known *self, const struct prof_functions *functions,
                  int32_t module, struct growing *to) {
  const struct prof_table *table = &functions->by_identity;
  uint32_t nothing;
  if (put(to, "", &nothing))
    return -1;
  for (size_t i = 0; i < self->count; i++) {
    struct prof_named named;
    if (prof_known_find(self, self->rows[i].start, module, &named) &&
        add(to, &named, self->rows[i].start, module))
      return -1;
  }
  for (size_t i = 0; i < table->capacity; i++) {
    const struct prof_table_slot *slot = &table->slots[i];
    if (slot->value == PROF_TABLE_NONE || slot->key >> 40 != (uint64_t)module ||
        row_of(self, (uint32_t)slot->key))
      continue;
    if (add(to, &functions->rows[slot->value], (uint32_t)slot->key, module))
      return -1;
  }
  qsort(to->rows, to->count, sizeof *to->rows, by_start);
  return 0;
}

void prof_known_save(struct prof_known *self, const struct prof_symtab *table,
                     const struct prof_functions *functions, int32_t module) {
  struct growing to = {0};
  struct prof_symtab_saved saved;
  if (table->count < PROF_KNOWN_SYMBOLS_MIN || (self->has_table && self->fresh <= self->count / 8))
    return;
  prof_symtab_save(table, &saved);
  if (gather(self, functions, module, &to) == 0) {
    const struct prof_stash_part parts[PARTS] = {
        [PART_ROWS] = {.bytes = saved.rows, .size = saved.count * sizeof *saved.rows},
        [PART_PIECES] = {.bytes = saved.pieces, .size = saved.piece_count * sizeof *saved.pieces},
        [PART_STRINGS] = {.bytes = saved.strings, .size = sizeof saved.strings},
        [PART_FUNCTIONS] = {.bytes = to.rows, .size = to.count * sizeof *to.rows},
        [PART_TEXT] = {.bytes = to.text, .size = to.bytes}};
    prof_stash_write(self->folder, self->name, self->key, parts, PARTS);
  }
  free(to.rows);
  free(to.text);
}
