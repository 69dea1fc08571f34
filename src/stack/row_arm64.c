#include "stack/row.h"

#if defined(PROF_ARCH_ARM64)

static bool is_near(int32_t bytes) {
  return bytes % 8 == 0 && bytes >= -(8 << 23) && bytes < 8 << 23;
}

/* gcc and clang save x29 and x30 as a pair; a function that has no need of x29 saves x30 alone. */
prof_row prof_row_pack(const struct prof_cfi_image *image, const struct prof_cfi_row *row) {
  uint64_t flags = row->cfa_register == PROF_REG_FP ? PROF_ROW_FROM_FP : 0, how;
  uint8_t fp_rule = row->rule[PROF_CFI_FP], ra_rule = row->rule[PROF_CFI_RA];
  int32_t at = row->value[PROF_CFI_FP], ra = row->value[PROF_CFI_RA];
  (void)image;
  if (ra_rule == PROF_CFI_UNDEFINED)
    return PROF_ROW_START;
  if (row->is_signal_frame)
    return PROF_ROW_SIGNAL; /* the vdso's, in kernels before 5.8: prof_code_row */
  if (row->cfa_is_expression || row->rule[PROF_CFI_SP] != PROF_CFI_SAME ||
      (row->cfa_register != PROF_REG_FP && row->cfa_register != PROF_REG_SP) ||
      row->cfa_value < 0 || row->cfa_value >= 1 << 28)
    return PROF_ROW_SLOW;
  if (fp_rule == PROF_CFI_OFFSET && is_near(at))
    flags |= PROF_ROW_FP_SAVED;
  else if (fp_rule == PROF_CFI_UNDEFINED)
    flags |= PROF_ROW_FP_LOST;
  else if (fp_rule != PROF_CFI_SAME)
    return PROF_ROW_SLOW;
  if (ra_rule == PROF_CFI_SAME) {
    how = PROF_ROW_RETURN_IN_LINK;
  } else if (ra_rule != PROF_CFI_OFFSET) {
    return PROF_ROW_SLOW;
  } else if (flags & PROF_ROW_FP_SAVED) {
    if (ra != at + 8)
      return PROF_ROW_SLOW;
    how = PROF_ROW_RETURN_BY_FP;
  } else {
    if (!is_near(ra))
      return PROF_ROW_SLOW;
    at = ra;
    how = PROF_ROW_RETURN_ALONE;
  }
  return prof_row_bits(PROF_ROW_NORMAL, flags, row->cfa_value, at) | how << 62;
}

#endif
