#include <string.h>

#include "stack/cfi_read.h"

uint64_t prof_cfi_pointer(struct prof_cursor *reader, uint8_t encoding,
                          const struct prof_cfi_section *section, uint64_t base) {
  uint64_t place = section->address + (uint64_t)(reader->at - section->bytes);
  uint64_t value;
  switch (encoding & 0x0f) {
  case 0x00:
  case 0x04:
  case 0x0c:
    value = prof_cfi_fixed(reader, 8);
    break;
  case 0x01:
    value = prof_cfi_uleb(reader);
    break;
  case 0x02:
    value = prof_cfi_fixed(reader, 2);
    break;
  case 0x03:
    value = prof_cfi_fixed(reader, 4);
    break;
  case 0x09:
    value = (uint64_t)prof_cfi_sleb(reader);
    break;
  case 0x0a:
    value = (uint64_t)(int16_t)prof_cfi_fixed(reader, 2);
    break;
  case 0x0b:
    value = (uint64_t)(int32_t)prof_cfi_fixed(reader, 4);
    break;
  default:
    reader->bad = true;
    return 0;
  }
  switch (encoding & 0x70) {
  case 0x00:
    return value;
  case 0x10:
    return value + place;
  case 0x30:
    return value + base;
  default:
    reader->bad = true;
    return 0;
  }
}

struct table {
  const uint8_t *rows; /* pairs of i32, from the address of .eh_frame_hdr */
  uint32_t count;
};

static bool open_table(const struct prof_cfi_section *hdr, struct table *out) {
  struct prof_cursor reader = {hdr->bytes, hdr->bytes + hdr->size, false};
  uint64_t head, count;
  head = prof_cfi_fixed(&reader, 4); /* version, then three encodings */
  if (reader.bad || (head & 0xff) != 1 || head >> 24 != 0x3b)
    return false;
  prof_cfi_pointer(&reader, head >> 8 & 0xff, hdr, hdr->address);
  count = prof_cfi_pointer(&reader, head >> 16 & 0xff, hdr, hdr->address);
  if (reader.bad || count > (uint64_t)(reader.end - reader.at) / 8)
    return false;
  out->rows = reader.at;
  out->count = (uint32_t)count;
  return true;
}

static uint64_t table_value(const struct prof_cfi_section *hdr, const struct table *table,
                            uint32_t index, unsigned column) {
  int32_t value;
  memcpy(&value, table->rows + (uint64_t)index * 8 + 4 * column, sizeof value);
  return hdr->address + (uint64_t)(int64_t)value;
}

uint32_t prof_cfi_count(const struct prof_cfi_image *image) {
  struct table table;
  return open_table(&image->hdr, &table) ? table.count : 0;
}

uint64_t prof_cfi_first_pc(const struct prof_cfi_image *image, uint32_t index) {
  struct table table;
  return open_table(&image->hdr, &table) && index < table.count
             ? table_value(&image->hdr, &table, index, 0)
             : 0;
}

enum prof_cfi_status prof_cfi_find(const struct prof_cfi_image *image, uint64_t pc, uint64_t *out) {
  struct table table;
  uint32_t low = 0, high;
  if (!open_table(&image->hdr, &table))
    return PROF_CFI_BAD;
  for (high = table.count; low < high;) {
    uint32_t middle = low + (high - low) / 2;
    if (table_value(&image->hdr, &table, middle, 0) <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return PROF_CFI_NONE;
  *out = table_value(&image->hdr, &table, low - 1, 1) - image->frame.address;
  return PROF_CFI_OK;
}
