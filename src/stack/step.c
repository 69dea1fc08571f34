#include "stack/step.h"

#include "stack/expr.h"

#define OP_BREG_FP (0x70 + PROF_REG_FP) /* DW_OP_bregN: the frame pointer + an offset */

/* What the ABI lets a callee change is unknown in its caller. */
static const uint8_t number_of[PROF_CFI_SLOTS] = PROF_ARCH_SLOTS;

struct full {
  const struct prof_cfi_image *image;
  struct prof_memory *memory;
  const struct prof_regs *regs;
  uint64_t cfa;
};

static bool evaluate(const struct full *self, int32_t at, const uint64_t *initial, uint64_t *out) {
  uint32_t length;
  const uint8_t *bytes = prof_cfi_expression(self->image, at, &length);
  return bytes && prof_expr_evaluate(bytes, length, self->regs, self->memory, initial, out);
}

/* gcc says where a realigned frame saved its registers by expressions on rbp, and goes on saying so
 * in the epilogue once rbp is the caller's again (gcc 12: `leave; lea -8(%r10), %rsp; ret`). This
 * frame's own rbp lies within the frame; with any other the registers have been restored. */
static bool is_restored(const struct full *self, int32_t at) {
  uint32_t length;
  const uint8_t *bytes = prof_cfi_expression(self->image, at, &length);
  uint64_t bp = self->regs->r[PROF_REG_FP], sp = self->regs->r[PROF_REG_SP];
  return bytes && length && bytes[0] == OP_BREG_FP && prof_regs_has(self->regs, PROF_REG_FP) &&
         (bp < sp || bp >= self->cfa) && sp < self->cfa;
}

/* One register of the caller. false: something that the rule needs is missing. *known: it has a
 * value at all. */
static bool recover(const struct full *self, const struct prof_cfi_row *row, unsigned slot,
                    unsigned number, uint64_t *out, bool *known) {
  int32_t value = row->value[slot];
  uint64_t slot_at;
  *known = true;
  if (row->rule[slot] == PROF_CFI_EXPRESSION && is_restored(self, value)) {
    *known = prof_regs_has(self->regs, number);
    *out = self->regs->r[number];
    return true;
  }
  switch (row->rule[slot]) {
  case PROF_CFI_OFFSET:
    slot_at = self->cfa + (uint64_t)(int64_t)value;
    *out = self->regs->r[number];
    return prof_memory_read(self->memory, slot_at, out) ||
           prof_step_is_popped(self->regs, slot_at, number);
  case PROF_CFI_VAL_OFFSET:
    *out = self->cfa + (uint64_t)(int64_t)value;
    return true;
  case PROF_CFI_REGISTER:
    if (value < 0 || value >= PROF_REGS)
      return false;
    *known = prof_regs_has(self->regs, (unsigned)value);
    *out = self->regs->r[value];
    return true;
  case PROF_CFI_EXPRESSION:
    return evaluate(self, value, &self->cfa, out) && prof_memory_read(self->memory, *out, out);
  case PROF_CFI_VAL_EXPRESSION:
    return evaluate(self, value, &self->cfa, out);
  case PROF_CFI_UNDEFINED:
    *known = false;
    return true;
  default: /* same; for the stack pointer that means the CFA */
    *known = slot == PROF_CFI_SP || prof_regs_has(self->regs, number);
    *out = slot == PROF_CFI_SP ? self->cfa : self->regs->r[number];
    return true;
  }
}

enum prof_step prof_step_full(struct prof_rows *rows, uint64_t pc, struct prof_memory *memory,
                              struct prof_regs *regs) {
  struct prof_cfi_image image;
  struct prof_cfi_row row;
  struct prof_regs caller;
  struct full full = {&image, memory, regs, 0};
  if (!prof_rows_image(rows, pc, &image) || prof_cfi_compile(&image, pc, &row) != PROF_CFI_OK)
    return PROF_STEP_BAD_ROW;
  if (row.cfa_is_expression) {
    if (!evaluate(&full, row.cfa_value, NULL, &full.cfa))
      return PROF_STEP_BAD_ROW;
  } else {
    if (!prof_regs_has(regs, row.cfa_register))
      return PROF_STEP_BAD_ROW;
    full.cfa = regs->r[row.cfa_register] + (uint64_t)(int64_t)row.cfa_value;
  }
  caller = *regs;
  caller.valid = 0;
  for (unsigned slot = 0; slot < PROF_CFI_SLOTS; slot++) {
    unsigned number = number_of[slot];
    bool known;
    if (!recover(&full, &row, slot, number, &caller.r[number], &known))
      return PROF_STEP_BAD_READ;
    caller.valid |= (uint64_t)known << number;
  }
  if (!prof_arch_return(&caller, row.rule[PROF_CFI_RA] == PROF_CFI_SAME))
    return PROF_STEP_BAD_ROW;
  *regs = caller;
  return PROF_STEP_OK;
}
