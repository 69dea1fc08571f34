#include "replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/probe.h"

#define PAGE 4096u

enum { CODES = 2048, IMAGES = 8 };

struct piece {
  uint64_t address, size;
  const uint8_t *bytes;
};

static struct piece codes[CODES];
static unsigned code_count;
static uint8_t *frames[IMAGES];
static unsigned frame_count;
static uint8_t *file;
static bool has_no_code;

static const struct piece *code_at(uint64_t address) {
  for (unsigned i = 0; i < code_count && !has_no_code; i++)
    if (address - codes[i].address < codes[i].size)
      return &codes[i];
  return NULL;
}

/* A page of code is there where any of it was recorded; the rest of it is 0, no instruction. */
bool prof_probe_word(uint64_t address) {
  for (unsigned i = 0; i < code_count && !has_no_code; i++)
    if (address / PAGE >= codes[i].address / PAGE &&
        address / PAGE <= (codes[i].address + codes[i].size - 1) / PAGE)
      return true;
  return false;
}

void prof_probe_copy(uint64_t address, uint8_t *out, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    const struct piece *code = code_at(address + i);
    out[i] = code ? code->bytes[address + i - code->address] : 0;
  }
}

bool prof_probe_fetch(uint64_t address, uint8_t *out, unsigned count) {
  if (!prof_probe_word(address) && !prof_probe_word(address + count - 1))
    return false;
  prof_probe_copy(address, out, count);
  return true;
}

static uint64_t leb(struct replay *self) {
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    uint8_t byte;
    assert_true(self->at < self->end && shift < 64);
    byte = *self->at++;
    value |= (uint64_t)(byte & 127) << shift;
    if (!(byte & 128))
      return value;
  }
}

static const uint8_t *take(struct replay *self, uint64_t count) {
  const uint8_t *at = self->at;
  assert_true((uint64_t)(self->end - at) >= count);
  self->at += count;
  return at;
}

static void add_code(uint64_t address, const uint8_t *bytes, uint64_t size) {
  assert_true(code_count < CODES);
  codes[code_count++] = (struct piece){address, size, bytes};
}

void replay_code(uint64_t address, const void *bytes, uint64_t size) {
  for (unsigned i = 0; i < code_count; i++)
    if (codes[i].address == address)
      codes[i--] = codes[--code_count];
  add_code(address, bytes, size);
}

static void read_image(struct replay *self) {
  uint64_t start = leb(self), end = leb(self);
  bool is_libc = *take(self, 1);
  struct prof_cfi_image image = {0};
  image.hdr.address = leb(self);
  image.hdr.size = leb(self);
  image.hdr.bytes = take(self, image.hdr.size);
  image.frame.address = leb(self);
  image.frame.size = leb(self);
  uint8_t *frame = calloc(1, image.frame.size);
  assert_non_null(frame);
  assert_true(frame_count < IMAGES);
  frames[frame_count++] = frame;
  for (uint64_t left = leb(self); left; left--) {
    uint64_t at = leb(self), size = leb(self);
    assert_true(at + size <= image.frame.size);
    memcpy(frame + at, take(self, size), size);
  }
  image.frame.bytes = frame;
  for (uint64_t left = leb(self); left; left--) {
    uint64_t address = leb(self), size = leb(self);
    add_code(address, take(self, size), size);
  }
  assert_int_equal(prof_rows_add(self->rows, start, end - 4, &image, NULL), PROF_OK);
  if (!self->program_end) { /* it comes first: it has the lowest addresses */
    self->program_start = start;
    self->program_end = end;
  }
  if (is_libc)
    prof_rows_set_libc(self->rows, start, end);
}

/* The page that signal handlers return to: qemu's in place of the kernel's vdso, an image without
 * rows too. There, but not here, an instruction stands before it: images end that much earlier. */
static void read_trampoline(struct replay *self) {
  const struct prof_cfi_image image = {0};
  uint64_t address = leb(self);
  add_code(address, take(self, 16), 16);
  assert_int_equal(prof_rows_add(self->rows, address - 4, address + PAGE, &image, NULL), PROF_OK);
}

static void load_file(struct replay *self, const char *name) {
  char path[4096];
  const char *folder = getenv("ARM64_FIXTURES");
  long size;
  snprintf(path, sizeof path, "%s/%s", folder ? folder : "../fixtures/arm64", name);
  FILE *stream = fopen(path, "rb");
  if (!stream)
    fail_msg("%s cannot be opened", path);
  fseek(stream, 0, SEEK_END);
  size = ftell(stream);
  rewind(stream);
  file = malloc((size_t)size);
  assert_non_null(file);
  assert_int_equal(fread(file, 1, (size_t)size, stream), size);
  fclose(stream);
  self->at = file;
  self->end = file + size;
}

void replay_open(struct replay *self, const char *name) {
  memset(self, 0, sizeof *self);
  code_count = frame_count = 0;
  has_no_code = false;
  self->rows = prof_rows_create(NULL);
  assert_non_null(self->rows);
  prof_rows_foreign(self->rows);
  load_file(self, name);
  assert_memory_equal(take(self, 6), "PARM1\n", 6);
  for (uint64_t left = leb(self); left; left--)
    read_image(self);
  for (uint64_t left = leb(self); left; left--)
    read_trampoline(self);
  self->top = leb(self);
  self->count = leb(self);
  self->regs.valid = PROF_REG(PROF_REGS) - 1;
}

void replay_close(struct replay *self) {
  prof_rows_free(self->rows);
  while (frame_count)
    free(frames[--frame_count]);
  free(file);
}

bool replay_next(struct replay *self) {
  if (self->index == self->count)
    return false;
  self->index++;
  for (unsigned left = *take(self, 1); left; left--) {
    unsigned number = *take(self, 1);
    assert_true(number < PROF_REGS);
    self->regs.r[number] = leb(self);
  }
  for (uint64_t left = leb(self); left; left--) {
    uint64_t below = leb(self);
    assert_true(below - 1 < REPLAY_ROOM / 8);
    self->stack[REPLAY_ROOM / 8 - below] = leb(self);
  }
  unsigned popped = *take(self, 1);
  assert_true(popped <= self->depth);
  self->depth -= popped;
  for (unsigned left = *take(self, 1); left; left--) {
    assert_true(self->depth < REPLAY_DEPTH);
    enum replay_kind kind = *take(self, 1);
    self->truth[self->depth++] = (struct replay_frame){leb(self), kind};
  }
  return true;
}

void replay_memory(struct replay *self, struct prof_memory *out) {
  uint64_t size = self->top - self->regs.r[PROF_REG_SP];
  assert_true(size <= REPLAY_ROOM);
  prof_memory_bytes(out, self->regs.r[PROF_REG_SP],
                    (const uint8_t *)self->stack + REPLAY_ROOM - size, size);
  out->has_code = true;
}

void replay_forget_code(bool forgets) {
  has_no_code = forgets;
}
