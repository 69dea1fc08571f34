/*
 * cfi_read: numbers and pointers out of .eh_frame bytes, and the sorted table of .eh_frame_hdr.
 *
 * For the readers of unwind sections. Async-signal-safe. Past the end, or a number too long: the
 * cursor is bad, 0 comes back, and nothing more is read.
 */
#ifndef RSPACK_PROF_STACK_CFI_READ_H
#define RSPACK_PROF_STACK_CFI_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "stack/cfi.h"

/* count (<= 8) bytes, little-endian. */
static inline uint64_t prof_cfi_fixed(struct prof_cursor *self, unsigned count) {
  const unsigned char *at = prof_cursor_take(self, count);
  uint64_t value = 0;
  for (unsigned i = 0; at && i < count; i++)
    value |= (uint64_t)at[i] << 8 * i;
  return value;
}

static inline uint64_t prof_cfi_leb(struct prof_cursor *self, bool is_signed) {
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

static inline uint64_t prof_cfi_uleb(struct prof_cursor *self) {
  return prof_cfi_leb(self, false);
}

static inline int64_t prof_cfi_sleb(struct prof_cursor *self) {
  return (int64_t)prof_cfi_leb(self, true);
}

/* A pointer in DW_EH_PE encoding (LSB 5.0, 10.5.1); base: what datarel counts from. */
uint64_t prof_cfi_pointer(struct prof_cursor *reader, uint8_t encoding,
                          const struct prof_cfi_section *section, uint64_t base);

/* Where in .eh_frame the last entry that starts at or before pc stands (not yet checked). */
enum prof_cfi_status prof_cfi_find(const struct prof_cfi_image *image, uint64_t pc, uint64_t *out);

#endif
