/*
 * cfi_read: numbers and pointers out of .eh_frame bytes, and the sorted table of .eh_frame_hdr.
 * For cfi.c alone. Past the end, or a number too long: bad is set, 0 comes
 * back, and nothing more is read.
 */
#ifndef RSPACK_PROF_STACK_CFI_READ_H
#define RSPACK_PROF_STACK_CFI_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/cfi.h"

struct prof_cfi_reader {
  const uint8_t *at, *end;
  bool bad;
};

static inline uint64_t prof_cfi_fixed(struct prof_cfi_reader *self, unsigned count) {
  uint64_t value = 0;
  if ((uint64_t)(self->end - self->at) < count) {
    self->bad = true;
    self->at = self->end;
    return 0;
  }
  for (unsigned i = 0; i < count; i++)
    value |= (uint64_t)*self->at++ << 8 * i;
  return value;
}

static inline uint64_t prof_cfi_leb(struct prof_cfi_reader *self, bool is_signed) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    uint64_t byte = prof_cfi_fixed(self, 1);
    if (shift < 64)
      value |= (byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      if (is_signed && (byte & 0x40) && shift + 7 < 64)
        value |= ~0ull << (shift + 7);
      return value;
    }
  }
  self->bad = true;
  return 0;
}

static inline uint64_t prof_cfi_uleb(struct prof_cfi_reader *self) {
  return prof_cfi_leb(self, false);
}

static inline int64_t prof_cfi_sleb(struct prof_cfi_reader *self) {
  return (int64_t)prof_cfi_leb(self, true);
}

/* A pointer in DW_EH_PE encoding (LSB 5.0, 10.5.1); base: what datarel counts from. */
uint64_t prof_cfi_pointer(struct prof_cfi_reader *reader, uint8_t encoding,
                          const struct prof_cfi_section *section, uint64_t base);

/* Where in .eh_frame the last entry that starts at or before pc stands (not yet checked). */
enum prof_cfi_status prof_cfi_find(const struct prof_cfi_image *image, uint64_t pc, uint64_t *out);

#endif
