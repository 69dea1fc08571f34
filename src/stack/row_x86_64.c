#include "stack/row.h"

#if defined(PROF_ARCH_X86_64)

#include <string.h>

static bool is_expression(const struct prof_cfi_image *image, int32_t at, const uint8_t *wanted,
                          uint32_t wanted_length) {
  uint32_t length;
  const uint8_t *bytes = prof_cfi_expression(image, at, &length);
  return bytes && length == wanted_length && memcmp(bytes, wanted, length) == 0;
}

/* The expression that GNU ld and lld write for .plt: rsp + 8, and 8 more once the stub (16 bytes
 * each) has pushed its index. The literal is where that is: 11, 10 or 9 by kind of PLT. */
static prof_row pack_plt(const struct prof_cfi_image *image, const struct prof_cfi_row *row) {
  static const uint8_t wanted[] = {0x77, 8, 0x80, 0, 0x3f, 0x1a, 0, 0x2a, 0x33, 0x24, 0x22};
  uint32_t length;
  const uint8_t *bytes = prof_cfi_expression(image, row->cfa_value, &length);
  if (!bytes || length != sizeof wanted || bytes[6] < 0x30 || bytes[6] > 0x3f)
    return PROF_ROW_UNKNOWN;
  for (unsigned i = 0; i < sizeof wanted; i++)
    if (i != 6 && bytes[i] != wanted[i])
      return PROF_ROW_UNKNOWN;
  return prof_row_bits(PROF_ROW_PLT, 0, bytes[6] - 0x30, 0);
}

/* CFA = [rbp + n], rbp saved at [rbp]: what gcc writes where it aligned the stack. */
static prof_row pack_indirect(const struct prof_cfi_image *image, const struct prof_cfi_row *row) {
  static const uint8_t at_rbp[] = {0x76, 0};
  uint32_t length;
  const uint8_t *bytes = prof_cfi_expression(image, row->cfa_value, &length);
  if (!bytes || length != 3 || bytes[0] != 0x76 || bytes[1] & 0x80 || bytes[2] != 0x06 ||
      row->rule[PROF_CFI_FP] != PROF_CFI_EXPRESSION ||
      !is_expression(image, row->value[PROF_CFI_FP], at_rbp, sizeof at_rbp))
    return PROF_ROW_SLOW;
  return prof_row_bits(PROF_ROW_INDIRECT, 0, (int8_t)(bytes[1] << 1) >> 1, 0);
}

prof_row prof_row_pack(const struct prof_cfi_image *image, const struct prof_cfi_row *row) {
  static const uint8_t ucontext_rsp[] = {0x77, 0xa0, 0x01, 0x06}; /* [rsp + 160]: glibc's */
  uint8_t rbp_rule = row->rule[PROF_CFI_FP];
  int32_t rbp = row->value[PROF_CFI_FP];
  uint64_t flags = row->cfa_register == 6 ? PROF_ROW_FROM_FP : 0;
  prof_row plt;
  if (row->rule[PROF_CFI_RA] == PROF_CFI_UNDEFINED)
    return PROF_ROW_START;
  if (row->is_signal_frame)
    return row->cfa_is_expression && is_expression(image, row->cfa_value, ucontext_rsp, 4)
               ? PROF_ROW_SIGNAL
               : PROF_ROW_SLOW;
  if (row->rule[PROF_CFI_RA] != PROF_CFI_OFFSET || row->value[PROF_CFI_RA] != -8 ||
      row->rule[PROF_CFI_SP] != PROF_CFI_SAME)
    return PROF_ROW_SLOW;
  if (row->cfa_is_expression) {
    plt = pack_plt(image, row);
    return plt == PROF_ROW_UNKNOWN ? pack_indirect(image, row) : plt;
  }
  if ((row->cfa_register != 6 && row->cfa_register != 7) || row->cfa_value < 8 ||
      row->cfa_value >= 1 << 28)
    return PROF_ROW_SLOW;
  if (rbp_rule == PROF_CFI_OFFSET && rbp % 8 == 0 && rbp >= -(8 << 23) && rbp < 8 << 23)
    return prof_row_bits(PROF_ROW_NORMAL, flags | PROF_ROW_FP_SAVED, row->cfa_value, rbp);
  if (rbp_rule == PROF_CFI_UNDEFINED)
    flags |= PROF_ROW_FP_LOST;
  else if (rbp_rule != PROF_CFI_SAME)
    return PROF_ROW_SLOW;
  return prof_row_bits(PROF_ROW_NORMAL, flags, row->cfa_value, 0);
}

#endif
