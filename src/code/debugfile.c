#include "code/debugfile.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32.h"
#include "code/image.h"

#define DEBUG_ROOT "/usr/lib/debug"
enum { LINK_MAX_BYTES = 4096, CHUNK_BYTES = 65536 };

/* Runs only for a file that has no build id. */
static bool has_crc(const struct prof_image *image, uint32_t wanted) {
  unsigned char chunk[CHUNK_BYTES];
  uint32_t crc = 0;
  for (uint64_t at = 0; at < image->size_bytes; at += CHUNK_BYTES) {
    uint64_t left = image->size_bytes - at;
    size_t count = left < CHUNK_BYTES ? left : CHUNK_BYTES;
    if (prof_image_read(image, at, chunk, count))
      return false;
    crc = prof_crc32(crc, chunk, count);
  }
  return crc == wanted;
}

bool prof_debugfile_is_distribution(const char *path) {
  return strncmp(path, DEBUG_ROOT "/", sizeof DEBUG_ROOT) == 0;
}

static bool fits(const char *path, const char *build_id, const uint32_t *crc) {
  struct prof_image candidate;
  char id[PROF_BUILD_ID_TEXT];
  bool same = false;
  if (prof_image_open_file(&candidate, path))
    return false;
  if (build_id[0])
    same = prof_image_build_id(&candidate, id) && strcmp(id, build_id) == 0;
  else if (crc)
    same = has_crc(&candidate, *crc);
  prof_image_close(&candidate);
  return same;
}

bool prof_debugfile_find(struct prof_image *image, const char *path, const char *build_id,
                         char *out, size_t capacity) {
  const Elf64_Shdr *section = prof_image_section(image, ".gnu_debuglink");
  const char *slash = strrchr(path, '/');
  int folder = slash ? (int)(slash - path) : 0;
  char link[LINK_MAX_BYTES];
  uint32_t crc = 0;
  size_t name;
  if (strlen(build_id) > 2) {
    int written =
        snprintf(out, capacity, DEBUG_ROOT "/.build-id/%.2s/%s.debug", build_id, build_id + 2);
    if (written > 0 && (size_t)written < capacity && fits(out, build_id, NULL))
      return true;
  }
  if (!section || section->sh_size < 8 || section->sh_size > sizeof link ||
      prof_image_read(image, section->sh_offset, link, section->sh_size))
    return false;
  name = strnlen(link, section->sh_size);
  if (name == 0 || ((name + 4) & ~(size_t)3) + 4 > section->sh_size || strchr(link, '/'))
    return false;
  memcpy(&crc, link + ((name + 4) & ~(size_t)3), 4);
  for (int i = 0; i < 3; i++) {
    static const char *const forms[] = {"%s%.*s/%s", "%s%.*s/.debug/%s", "%s%.*s/%s"};
    int written = snprintf(out, capacity, forms[i], i == 2 ? DEBUG_ROOT : "", folder, path, link);
    if (written > 0 && (size_t)written < capacity && strcmp(out, path) != 0 &&
        fits(out, build_id, &crc))
      return true;
  }
  return false;
}
