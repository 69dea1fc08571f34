#include "code/v8blob.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PIECES = 64, LINE_BYTES = 256 };

struct mapping {
  uint64_t start, end, offset, inode;
  unsigned int major, minor;
};

/* One line, of which only what stands before the path is needed. */
static bool parse_line(const char *line, size_t length, struct mapping *out) {
  char text[LINE_BYTES], mode[8] = ""; /* may be shorter than three */
  size_t kept = length < sizeof text - 1 ? length : sizeof text - 1;
  memcpy(text, line, kept);
  text[kept] = '\0';
  return sscanf(text, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64, &out->start,
                &out->end, mode, &out->offset, &out->major, &out->minor, &out->inode) == 7 &&
         mode[2] == 'x' && out->inode != 0 && out->start < out->end;
}

static const char *next_mapping(const char *at, const char *end, struct mapping *out, bool *found) {
  *found = false;
  while (at < end && !*found) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((newline ? newline : end) - at);
    *found = parse_line(at, length, out);
    at = newline ? newline + 1 : end;
  }
  return at;
}

size_t prof_v8blob_copies(const char *maps, size_t length, const struct prof_v8blob_image *image,
                          struct prof_v8blob_copy *out, size_t capacity) {
  const char *end = maps + length;
  struct mapping pieces[PIECES], mapping, anchor = {0};
  size_t piece_count = 0, count = 0;
  bool found;
  for (const char *at = next_mapping(maps, end, &mapping, &found); found;
       at = next_mapping(at, end, &mapping, &found)) {
    bool is_inside = mapping.start >= image->start && mapping.end <= image->end;
    if (mapping.start <= image->anchor && image->anchor < mapping.end)
      anchor = mapping;
    if (is_inside && piece_count < PIECES)
      pieces[piece_count++] = mapping;
  }
  for (const char *at = next_mapping(maps, end, &mapping, &found); found && count < capacity;
       at = next_mapping(at, end, &mapping, &found)) {
    bool is_outside = mapping.end <= image->start || mapping.start >= image->end;
    bool is_same_file = anchor.inode && mapping.inode == anchor.inode &&
                        mapping.major == anchor.major && mapping.minor == anchor.minor;
    for (size_t i = 0; is_outside && is_same_file && i < piece_count; i++) {
      const struct mapping *piece = &pieces[i];
      if (piece->inode == anchor.inode && piece->offset <= mapping.offset &&
          mapping.offset - piece->offset < piece->end - piece->start) {
        uint64_t into = mapping.offset - piece->offset;
        uint64_t most = piece->end - piece->start - into, size = mapping.end - mapping.start;
        out[count++] = (struct prof_v8blob_copy){.start = mapping.start,
                                                 .end = mapping.start + (size < most ? size : most),
                                                 .image = piece->start + into};
        break;
      }
    }
  }
  return count;
}
