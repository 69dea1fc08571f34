#include "code/starts.h"

#include <stdlib.h>
#include <string.h>

#include "code/image.h"

/* LSB 5.0, 10.6.2: the header of .eh_frame_hdr, and the encodings of pointers (DW_EH_PE_*). */
enum {
  HEADER_BYTES = 12,
  TABLE_MAX = 64 << 20,
  ENCODED_PCREL_SDATA4 = 0x1b,
  ENCODED_UDATA4 = 0x03,
  ENCODED_DATAREL_SDATA4 = 0x3b,
  ENTRY_BYTES = 64, /* of a CIE or FDE: what is read of it, more than its head needs */
};

struct pair {
  int32_t start, entry; /* from the section's address */
};

struct prof_starts {
  struct prof_image image;
  struct pair *pairs;
  size_t count;
  uint64_t base; /* virtual address of .eh_frame_hdr */
};

/* Bytes at a virtual address, zeros where the file ends; false: no segment holds it. */
static bool read_at(const struct prof_starts *self, uint64_t address,
                    unsigned char out[ENTRY_BYTES]) {
  uint64_t offset, left = prof_image_at(&self->image, address, 0, &offset);
  memset(out, 0, ENTRY_BYTES);
  return left &&
         prof_image_read(&self->image, offset, out, left < ENTRY_BYTES ? left : ENTRY_BYTES) == 0;
}

static size_t skip_leb(const unsigned char *bytes, size_t at) {
  while (at < ENTRY_BYTES && bytes[at] & 0x80)
    at++;
  return at + 1;
}

/* Bytes that a pointer takes; 0: none that we read. */
static size_t pointer_bytes(unsigned char encoding) {
  switch (encoding & 0x0f) {
  case 0x00: /* absptr */
  case 0x04: /* udata8 */
  case 0x0c: /* sdata8 */
    return 8;
  case 0x03: /* udata4 */
  case 0x0b: /* sdata4 */
    return 4;
  default:
    return 0;
  }
}

/* How the addresses in the FDEs of a CIE are written: its augmentation's 'R', absptr without. */
static size_t pointer_bytes_of(const struct prof_starts *self, uint64_t cie) {
  unsigned char bytes[ENTRY_BYTES];
  size_t at, text = 9;
  if (!read_at(self, cie, bytes) || memcmp(bytes + 4, "\0\0\0\0", 4) != 0)
    return 0;
  at = text + strnlen((char *)bytes + text, ENTRY_BYTES - text) + 1;
  if (bytes[text] != 'z')
    return bytes[text] == '\0' ? 8 : 0;
  at = skip_leb(bytes, skip_leb(bytes, at));         /* alignment of code and data */
  at = bytes[8] == 1 ? at + 1 : skip_leb(bytes, at); /* return address register */
  at = skip_leb(bytes, at);                          /* length of what follows */
  for (size_t i = text + 1; at < ENTRY_BYTES && bytes[i]; i++) {
    if (bytes[i] == 'R')
      return pointer_bytes(bytes[at]);
    if (bytes[i] == 'P')
      at += 1 + pointer_bytes(bytes[at]);
    else if (bytes[i] == 'L')
      at++;
  }
  return 8;
}

/* Bytes that the function of an FDE covers; 0: unknown. */
static uint64_t length_of(const struct prof_starts *self, uint64_t entry) {
  unsigned char bytes[ENTRY_BYTES];
  uint32_t size, back, short_length;
  uint64_t length = 0;
  size_t width;
  if (!read_at(self, entry, bytes))
    return 0;
  memcpy(&size, bytes, 4);
  memcpy(&back, bytes + 4, 4);
  if (size == 0 || size == UINT32_MAX || back == 0) /* the end, 64-bit DWARF, a CIE */
    return 0;
  width = pointer_bytes_of(self, entry + 4 - back);
  if (width == 8) {
    memcpy(&length, bytes + 16, 8);
  } else if (width == 4) {
    memcpy(&short_length, bytes + 12, 4);
    length = short_length;
  }
  return length;
}

static int load(struct prof_starts *self) {
  const Elf64_Shdr *section = prof_image_section(&self->image, ".eh_frame_hdr");
  unsigned char *bytes;
  uint32_t count;
  size_t size;
  int status = -1;
  if (!section)
    return -1;
  bytes = prof_image_read_section(&self->image, section, TABLE_MAX, &size);
  if (!bytes || size < HEADER_BYTES || bytes[0] != 1 || bytes[1] != ENCODED_PCREL_SDATA4 ||
      bytes[2] != ENCODED_UDATA4 || bytes[3] != ENCODED_DATAREL_SDATA4)
    goto out;
  memcpy(&count, bytes + 8, 4);
  if (count == 0 || count > (size - HEADER_BYTES) / sizeof(struct pair))
    goto out;
  memmove(bytes, bytes + HEADER_BYTES, count * sizeof(struct pair));
  self->pairs = (struct pair *)bytes;
  self->count = count;
  self->base = section->sh_addr;
  bytes = NULL;
  status = 0;
out:
  free(bytes);
  return status;
}

struct prof_starts *prof_starts_open(struct prof_image *image) {
  struct prof_starts *self = calloc(1, sizeof *self);
  if (!self) {
    prof_image_close(image);
    return NULL;
  }
  self->image = *image;
  *image = (struct prof_image){.fd = -1};
  if (load(self)) {
    prof_starts_close(self);
    return NULL;
  }
  return self;
}

void prof_starts_close(struct prof_starts *self) {
  if (!self)
    return;
  prof_image_close(&self->image);
  free(self->pairs);
  free(self);
}

bool prof_starts_find(const struct prof_starts *self, uint64_t address, uint64_t *start) {
  int64_t at = (int64_t)(address - self->base);
  size_t low = 0, high = self->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (self->pairs[middle].start <= at)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return false;
  *start = self->base + (uint64_t)(int64_t)self->pairs[low - 1].start;
  /* A table that is not sorted, or whose base is near the end of all addresses, may lead anywhere.
   */
  return *start <= address &&
         address - *start <
             length_of(self, self->base + (uint64_t)(int64_t)self->pairs[low - 1].entry);
}
