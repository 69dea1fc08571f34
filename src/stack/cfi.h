/*
 * cfi: .eh_frame and .eh_frame_hdr (LSB 5.0, DWARF 5 section 6.4) -> the row for one pc.
 *
 * The caller provides the two sections as bytes with the addresses they stand for; nothing else is
 * read. Pure, async-signal-safe, no allocation, about 500 bytes of stack, time bounded by the size
 * of one entry. Wrong bytes give PROF_CFI_BAD, never a read outside the sections or a loop.
 * Refuses: images without a sorted table in .eh_frame_hdr (encoding 0x3b, which every linker
 * writes that writes one; stack/cfi_index.h makes it), indirect or 64-bit-DWARF-length pointers,
 * more than PROF_CFI_DEPTH remembered states.
 */
#ifndef RSPACK_PROF_STACK_CFI_H
#define RSPACK_PROF_STACK_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arch.h"

#define PROF_CFI_DEPTH 3

enum prof_cfi_status { PROF_CFI_OK, PROF_CFI_NONE, PROF_CFI_BAD };

struct prof_cfi_section {
  const uint8_t *bytes;
  uint64_t size;    /* bytes */
  uint64_t address; /* of bytes[0], in the process that is unwound */
};

struct prof_cfi_image {
  struct prof_cfi_section hdr, frame; /* .eh_frame_hdr; .eh_frame */
};

/* The registers that a caller needs back, in the order of struct prof_cfi_row (base/arch.h). */
enum {
  PROF_CFI_FP = PROF_ARCH_SLOT_FP,
  PROF_CFI_SP = PROF_ARCH_SLOT_SP,
  PROF_CFI_RA = PROF_ARCH_SLOT_RA,
  PROF_CFI_SLOTS = PROF_ARCH_SLOT_COUNT
};

enum prof_cfi_rule {
  PROF_CFI_SAME, /* also: no rule was given */
  PROF_CFI_UNDEFINED,
  PROF_CFI_OFFSET,         /* saved at CFA + value */
  PROF_CFI_VAL_OFFSET,     /* is CFA + value */
  PROF_CFI_REGISTER,       /* is in register number value */
  PROF_CFI_EXPRESSION,     /* saved where the expression at frame.bytes[value] says */
  PROF_CFI_VAL_EXPRESSION, /* is what the expression at frame.bytes[value] says */
};

struct prof_cfi_row {
  uint64_t start, end; /* pcs for which it holds: [start, end) */
  uint64_t function_start, function_end;
  int32_t cfa_value;    /* bytes from the register, or an expression's offset in frame.bytes */
  uint8_t cfa_register; /* DWARF number */
  bool cfa_is_expression;
  bool is_signal_frame; /* augmentation 'S': the caller's pc is no return address */
  uint8_t rule[PROF_CFI_SLOTS];
  int32_t value[PROF_CFI_SLOTS];
};

/* The row for pc. An expression's value points at its ULEB128 length. */
enum prof_cfi_status prof_cfi_compile(const struct prof_cfi_image *image, uint64_t pc,
                                      struct prof_cfi_row *out);

/* The expression at frame.bytes[offset]: its bytes and length; NULL when it leaves the section. */
const uint8_t *prof_cfi_expression(const struct prof_cfi_image *image, int32_t offset,
                                   uint32_t *length);

/* What the entry at *offset of .eh_frame is about; *offset goes on to the next one. *size 0: about
 * no function (a CIE), or not to be read. False at the end. */
bool prof_cfi_next(const struct prof_cfi_image *image, uint64_t *offset, uint64_t *first,
                   uint64_t *size);

/* How many entries the sorted table has, and the first pc of the one at index. */
uint32_t prof_cfi_count(const struct prof_cfi_image *image);
uint64_t prof_cfi_first_pc(const struct prof_cfi_image *image, uint32_t index);

#endif
