#include "stack/cfi_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/search.h"
#include "stack/cfi_read.h"

#define ID_CIE 0xffffffffull /* of .debug_frame; .eh_frame has 0 */
#define PCREL_I32 0x1b       /* DW_EH_PE_pcrel | DW_EH_PE_sdata4 */
#define TABLE_HEAD 12        /* version, three encodings, where .eh_frame is, the count */

/* A CIE, by where it stands in .debug_frame, and where it was written. */
struct moved {
  uint64_t from, to; /* from first: prof_search */
};

struct writer {
  uint8_t *bytes;
  uint64_t size, capacity;
  uint64_t address; /* of bytes[0] */
  struct moved *cies;
  size_t cie_count, cie_capacity;
  bool failed;
};

static void put(struct writer *self, const void *bytes, uint64_t size) {
  if (self->failed || size > self->capacity - self->size) {
    self->failed = true;
    return;
  }
  if (size)
    memcpy(self->bytes + self->size, bytes, size);
  self->size += size;
}

static void put_number(struct writer *self, uint64_t value, unsigned bytes) {
  put(self, &value, bytes); /* little-endian, as all that is read here */
}

/* The length goes in once it is known; returns where it stands. */
static uint64_t begin_entry(struct writer *self) {
  uint64_t at = self->size;
  put_number(self, 0, 4);
  return at;
}

static void end_entry(struct writer *self, uint64_t at) {
  uint32_t length = (uint32_t)(self->size - at - 4);
  if (!self->failed)
    memcpy(self->bytes + at, &length, sizeof length);
}

static void put_cie(struct writer *self, struct prof_cursor *reader, uint64_t from) {
  uint64_t version = prof_cfi_fixed(reader, 1), letters = prof_cfi_fixed(reader, 1);
  uint64_t at, return_register;
  const uint8_t *aligns;
  if (version == 4) /* sizes of an address and of a segment's selector */
    version = prof_cfi_fixed(reader, 2) == 8 ? 4 : 0;
  aligns = reader->at;
  prof_cfi_uleb(reader);
  prof_cfi_sleb(reader);
  const uint8_t *end = reader->at;
  return_register = version == 1 ? prof_cfi_fixed(reader, 1) : prof_cfi_uleb(reader);
  if (reader->bad || letters || (version != 1 && version != 3 && version != 4) ||
      return_register >= 0x80)
    return;
  if (prof_array_reserve((void **)&self->cies, &self->cie_capacity, self->cie_count + 1,
                         sizeof *self->cies)) {
    self->failed = true;
    return;
  }
  self->cies[self->cie_count++] = (struct moved){from, self->size};
  at = begin_entry(self);
  put_number(self, 0, 4);
  put_number(self, 3, 1);
  put(self, "zR", 3);
  put(self, aligns, (uint64_t)(end - aligns));
  put_number(self, return_register, 1);
  put_number(self, 1, 1); /* the augmentation's bytes */
  put_number(self, PCREL_I32, 1);
  put(self, reader->at, (uint64_t)(reader->end - reader->at));
  end_entry(self, at);
}

static void put_fde(struct writer *self, struct prof_cursor *reader, uint64_t cie) {
  uint64_t first = prof_cfi_fixed(reader, 8), size = prof_cfi_fixed(reader, 8);
  size_t up_to = prof_search(self->cies, self->cie_count, sizeof *self->cies, cie);
  uint64_t at, place = self->address + self->size + 8;
  int64_t distance = (int64_t)(first - place);
  /* first 0: a function that the linker dropped */
  if (reader->bad || !first || size > INT32_MAX || distance != (int32_t)distance || !up_to ||
      self->cies[up_to - 1].from != cie)
    return;
  at = begin_entry(self);
  put_number(self, self->size - self->cies[up_to - 1].to, 4);
  put_number(self, (uint64_t)distance, 4);
  put_number(self, size, 4);
  put_number(self, 0, 1); /* the augmentation's bytes */
  put(self, reader->at, (uint64_t)(reader->end - reader->at));
  end_entry(self, at);
}

static void put_debug_frame(struct writer *self, const struct prof_cfi_section *section) {
  struct prof_cursor all = {section->bytes, section->bytes + section->size, false};
  while (!self->failed) {
    uint64_t from = (uint64_t)(all.at - section->bytes), length = prof_cfi_fixed(&all, 4);
    const uint8_t *body = prof_cursor_take(&all, length); /* 64-bit DWARF: too long */
    if (!body)
      return;
    struct prof_cursor entry = {body, body + length, false};
    uint64_t id = prof_cfi_fixed(&entry, 4);
    if (id == ID_CIE)
      put_cie(self, &entry, from);
    else
      put_fde(self, &entry, id);
  }
}

/* A row of the table. */
struct listed {
  int32_t first, entry; /* from the address of .eh_frame */
};

static int by_first(const void *a, const void *b) {
  const struct listed *one = a, *other = b;
  return (one->first > other->first) - (one->first < other->first);
}

/* The table stands nowhere in memory: it says that it is where .eh_frame is, since that is near. */
static bool list(struct prof_cfi_image *image, uint64_t most) {
  uint8_t *bytes = malloc(TABLE_HEAD + most * sizeof(struct listed));
  struct listed *rows = malloc((most ? most : 1) * sizeof *rows);
  uint64_t offset = 0, entry = 0, first, size;
  uint32_t count = 0;
  while (bytes && rows && count < most && prof_cfi_next(image, &offset, &first, &size)) {
    int64_t distance = (int64_t)(first - image->frame.address);
    if (size && distance == (int32_t)distance)
      rows[count++] = (struct listed){(int32_t)distance, (int32_t)entry};
    entry = offset;
  }
  if (count) {
    static const uint8_t head[8] = {1, PCREL_I32, 0x03, 0x3b}; /* 0x03: u32; 0x3b: datarel, i32 */
    qsort(rows, count, sizeof *rows, by_first);
    memcpy(bytes, head, sizeof head);
    memcpy(bytes + 8, &count, sizeof count);
    memcpy(bytes + TABLE_HEAD, rows, count * sizeof *rows);
    image->hdr =
        (struct prof_cfi_section){bytes, TABLE_HEAD + count * sizeof *rows, image->frame.address};
  } else {
    free(bytes);
  }
  free(rows);
  return count > 0;
}

/* The bytes up to the entry of length 0, which ends .eh_frame. */
static uint64_t used_bytes(const struct prof_cfi_section *eh_frame) {
  const struct prof_cfi_image image = {.frame = *eh_frame};
  uint64_t offset = 0, first, size;
  while (prof_cfi_next(&image, &offset, &first, &size))
    ;
  return offset;
}

bool prof_cfi_index(const struct prof_cfi_section *eh_frame,
                    const struct prof_cfi_section *debug_frame, struct prof_cfi_image *out) {
  /* A CIE has 13 bytes or more and grows by two, an FDE has 24 and shrinks. */
  uint64_t capacity = eh_frame->size + debug_frame->size + debug_frame->size / 4 + 1;
  struct writer writer = {
      .bytes = malloc(capacity), .capacity = capacity, .address = eh_frame->address};
  memset(out, 0, sizeof *out);
  writer.failed = !writer.bytes || capacity > INT32_MAX;
  if (eh_frame->size)
    put(&writer, eh_frame->bytes, used_bytes(eh_frame));
  put_debug_frame(&writer, debug_frame);
  free(writer.cies);
  out->frame = (struct prof_cfi_section){writer.bytes, writer.size, writer.address};
  /* 13: what an entry has at least, length included */
  if (!writer.failed && list(out, writer.size / 13 + 1))
    return true;
  free(writer.bytes);
  memset(out, 0, sizeof *out);
  return false;
}
