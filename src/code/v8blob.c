#include "code/v8blob.h"

#include "code/maps.h"

enum { PIECES = 64 };

struct search {
  const struct prof_v8blob_image *image;
  struct prof_mapping anchor;         /* the one that holds it */
  struct prof_mapping pieces[PIECES]; /* of files, within the image */
  size_t piece_count;
  struct prof_v8blob_copy *out;
  size_t count, capacity;
};

static bool is_code(const struct prof_mapping *mapping) {
  return mapping->is_executable && mapping->inode;
}

static void see_image(void *user, const struct prof_mapping *mapping) {
  struct search *self = user;
  const struct prof_v8blob_image *image = self->image;
  if (!is_code(mapping))
    return;
  if (mapping->start <= image->anchor && image->anchor < mapping->end)
    self->anchor = *mapping;
  if (mapping->start >= image->start && mapping->end <= image->end && self->piece_count < PIECES)
    self->pieces[self->piece_count++] = *mapping;
}

static void see_copy(void *user, const struct prof_mapping *mapping) {
  struct search *self = user;
  bool is_outside = mapping->end <= self->image->start || mapping->start >= self->image->end;
  if (!is_code(mapping) || !is_outside || mapping->inode != self->anchor.inode ||
      mapping->device != self->anchor.device)
    return;
  for (size_t i = 0; self->count < self->capacity && i < self->piece_count; i++) {
    const struct prof_mapping *piece = &self->pieces[i];
    uint64_t into = mapping->offset - piece->offset, most = piece->end - piece->start - into;
    uint64_t size = mapping->end - mapping->start;
    if (piece->inode != self->anchor.inode || into >= piece->end - piece->start)
      continue;
    self->out[self->count++] =
        (struct prof_v8blob_copy){.start = mapping->start,
                                  .end = mapping->start + (size < most ? size : most),
                                  .image = piece->start + into};
    return;
  }
}

size_t prof_v8blob_copies(char *maps, const struct prof_v8blob_image *image,
                          struct prof_v8blob_copy *out, size_t capacity) {
  struct search self = {.image = image, .out = out, .capacity = capacity};
  prof_maps_parse(maps, see_image, &self);
  prof_maps_parse(maps, see_copy, &self);
  return self.count;
}
