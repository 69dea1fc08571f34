#include "code/jitmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/object.h"
#include "code/maps.h"

enum { PADDING = 64, MISSING_BYTES_MAX = 4096 };

void prof_jitmap_init(struct prof_jitmap *self, uint64_t anchor) {
  struct prof_object image;
  *self = (struct prof_jitmap){.image = {.anchor = anchor}};
  if (prof_object_at(anchor, &image)) {
    self->image.start = image.start & ~(uint64_t)4095;
    self->image.end = (image.end + 4095) & ~(uint64_t)4095;
  }
}

bool prof_jitmap_read_copies(struct prof_jitmap *self) {
  int sys_errno;
  char *maps = prof_maps_text("/proc/self/maps", &sys_errno);
  if (!maps)
    return false;
  memset(self->copies, 0, sizeof self->copies);
  self->copy_count =
      (uint32_t)prof_v8blob_copies(maps, &self->image, self->copies, PROF_JIT_COPIES);
  free(maps);
  return true;
}

bool prof_jitmap_has_copy(const struct prof_jitmap *self, const struct prof_v8blob_copy *copy) {
  for (uint32_t i = 0; i < self->copy_count; i++) {
    const struct prof_v8blob_copy *known = &self->copies[i];
    if (known->start == copy->start && known->end == copy->end && known->image == copy->image)
      return true;
  }
  return false;
}

/* Takes the prefix off. */
static bool takes_off(struct prof_text *name, const char *prefix) {
  if (!prof_text_starts(*name, prefix))
    return false;
  *name = prof_text_skip(*name, strlen(prefix));
  return true;
}

static void grow(struct prof_v8_range *range, uint64_t start, uint64_t end) {
  if (range->end == 0)
    *range = (struct prof_v8_range){.start = start, .end = end};
  range->start = start < range->start ? start : range->start;
  range->end = end > range->end ? end : range->end;
}

static void remember(struct prof_v8_range *list, uint32_t *count, uint64_t start, uint64_t end) {
  for (uint32_t i = 0; i < *count; i++) {
    struct prof_v8_range *known = &list[i];
    if (known->start == start && known->end == end)
      return;
    /* neighbours are one range: their code is padded to 64 bytes */
    if (start <= known->end + PADDING && known->start <= end + PADDING) {
      grow(known, start, end);
      return;
    }
  }
  if (*count < PROF_JITMAP_ENTRIES)
    list[(*count)++] = (struct prof_v8_range){.start = start, .end = end};
}

void prof_jitmap_builtin(struct prof_jitmap *self, struct prof_text name, uint64_t start,
                         uint64_t size) {
  uint64_t end;
  bool is_inside, is_own;
  if (!name.at)
    return;
  if (takes_off(&name, "BytecodeHandler:"))
    name.length = 0;
  else if (!takes_off(&name, "Builtin:"))
    return;
  for (uint32_t i = 0; i < self->copy_count; i++) {
    const struct prof_v8blob_copy *copy = &self->copies[i];
    if (copy->start <= start && start < copy->end) {
      start = start - copy->start + copy->image;
      self->is_reported_in_copy = true;
      break;
    }
  }
  end = start + size;
  is_own = prof_text_starts(name, "I");
  is_inside = self->image.start <= start && end <= self->image.end;
  /* node 18 reports some stubs in its heap (CEntry) as builtins too: not a part of the blob */
  grow(is_inside ? &self->inside : &self->outside, start, end);
  if (takes_off(&name, "InterpreterEntryTrampoline"))
    remember(self->entries, &self->entry_count, start, end);
  else if (prof_text_is(name, "InterpreterPushArgsThenConstructWithFinalSpread"))
    self->before_resumes = end;
  else if (prof_text_is(name, "InterpreterOnStackReplacement"))
    self->behind_resumes = start;
  else if (takes_off(&name, "InterpreterEnterAt") ||
           takes_off(&name, "BaselineOrInterpreterEnterAt")) {
    self->has_resumes |= is_own;
    /* frames rebuilt after a deoptimisation return to the first byte, less one is before it */
    remember(self->resumes, &self->resume_count, start - 1, end);
  }
}

static void add_interpreter(struct prof_jit_map *out, uint64_t start, uint64_t end) {
  if (out->interpreter_count < sizeof out->interpreter / sizeof *out->interpreter)
    out->interpreter[out->interpreter_count++] = (struct prof_v8_range){.start = start, .end = end};
}

/* Each range where V8 reported it, then where else it stands: in the image, and in each copy. */
static void spread(const struct prof_jitmap *self, const struct prof_v8_range *list, uint32_t count,
                   struct prof_jit_map *out) {
  for (uint32_t i = 0; i < count && !self->is_reported_in_copy; i++)
    add_interpreter(out, list[i].start, list[i].end);
  for (uint32_t c = 0; c < self->copy_count; c++) {
    const struct prof_v8blob_copy *copy = &self->copies[c];
    for (uint32_t i = 0; i < count; i++) {
      uint64_t into = list[i].start - copy->image, size = list[i].end - list[i].start;
      if (list[i].start >= copy->image && into + size <= copy->end - copy->start)
        add_interpreter(out, copy->start + into, copy->start + into + size);
    }
  }
  for (uint32_t i = 0; i < count && self->is_reported_in_copy; i++)
    add_interpreter(out, list[i].start, list[i].end);
}

bool prof_jitmap_compose(const struct prof_jitmap *self, struct prof_jit_map *out) {
  *out = (struct prof_jit_map){.blob = self->inside.end ? self->inside : self->outside,
                               .copy_count = self->copy_count};
  memcpy(out->copies, self->copies, sizeof out->copies);
  spread(self, self->entries, self->entry_count, out);
  spread(self, self->resumes, self->resume_count, out);
  /* node 18 does not report InterpreterEnterAtBytecode and ...NextBytecode, which lie between these
   * two in the list of builtins */
  if (!self->has_resumes && self->before_resumes < self->behind_resumes &&
      self->behind_resumes - self->before_resumes < MISSING_BYTES_MAX) {
    const struct prof_v8_range missing = {self->before_resumes, self->behind_resumes - 1};
    spread(self, &missing, 1, out);
  }
  return out->blob.end != 0;
}
