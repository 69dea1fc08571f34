#include "code/symtab_saved.h"

void prof_symtab_save(const struct prof_symtab *self, struct prof_symtab_saved *out) {
  *out = (struct prof_symtab_saved){.rows = self->rows,
                                    .pieces = self->pieces,
                                    .count = self->count,
                                    .piece_count = self->piece_count};
  for (int i = 0; i < 2; i++) {
    out->strings[i].is_debug = self->strings[i].image == &self->debug;
    out->strings[i].offset = self->strings[i].offset;
    out->strings[i].size_bytes = self->strings[i].size_bytes;
  }
}

int prof_symtab_restore(struct prof_symtab *self, struct prof_image *image,
                        struct prof_image *debug, const struct prof_symtab_saved *saved) {
  if (!saved->count)
    return -1;
  for (size_t i = 0; i < saved->piece_count; i++)
    if (saved->pieces[i] > saved->count || (i && saved->pieces[i] < saved->pieces[i - 1]))
      return -1;
  prof_symtab_take(self, image, debug);
  self->rows = saved->rows;
  self->count = self->capacity = saved->count;
  self->pieces = saved->pieces;
  self->piece_count = saved->piece_count;
  for (int i = 0; i < 2; i++) {
    self->strings[i].image = saved->strings[i].is_debug ? &self->debug : &self->image;
    self->strings[i].offset = saved->strings[i].offset;
    self->strings[i].size_bytes = saved->strings[i].size_bytes;
  }
  return 0;
}
