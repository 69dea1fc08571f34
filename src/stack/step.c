#include "stack/step.h"

#include <stddef.h>
#include <ucontext.h>

#define FRAME_LIMIT (16u << 20) /* bytes that one frame found by its pointer may have */

#define OP_BREG_RBP 0x76 /* DW_OP_breg6: rbp + an offset */

/* What the x86_64 ABI lets a callee change is unknown in its caller. */
#define KEPT ((1u << PROF_RBX) | (1u << PROF_RBP) | 0xf000u)

static void arrive(struct prof_regs *regs, uint64_t pc, uint64_t sp, uint64_t bp, bool has_bp) {
  regs->r[PROF_RIP] = pc;
  regs->r[PROF_RSP] = sp;
  regs->r[PROF_RBP] = bp;
  regs->valid = 1u << PROF_RIP | 1u << PROF_RSP | (has_bp ? 1u << PROF_RBP : 0);
}

/* A register's slot cannot be read, but lies below the stack pointer: an epilogue has popped it
 * (compilers leave the rule as it was), and the register holds its value. Live stacks go on below
 * the pointer, dumps do not. */
static bool is_popped(const struct prof_regs *regs, uint64_t slot, unsigned number) {
  return slot < regs->r[PROF_RSP] && prof_regs_has(regs, number);
}

enum prof_step prof_step_row(prof_row row, struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t bp = regs->r[PROF_RBP], sp = regs->r[PROF_RSP], cfa, pc;
  bool has_bp = prof_regs_has(regs, PROF_RBP);
  enum prof_row_kind kind = PROF_ROW_KIND(row);
  if (kind == PROF_ROW_PLT) {
    cfa = sp + 8 + ((regs->r[PROF_RIP] & 15) >= (uint64_t)PROF_ROW_CFA(row) ? 8 : 0);
  } else if (kind == PROF_ROW_INDIRECT || row & PROF_ROW_FROM_RBP) {
    if (!has_bp)
      return PROF_STEP_BAD_ROW;
    cfa = bp + (uint64_t)PROF_ROW_CFA(row);
  } else {
    cfa = sp + (uint64_t)PROF_ROW_CFA(row);
  }
  if (kind == PROF_ROW_INDIRECT) {
    if (!prof_memory_read(memory, cfa, &cfa) || !prof_memory_read(memory, bp, &bp))
      return PROF_STEP_BAD_READ;
  } else if (row & PROF_ROW_RBP_SAVED) {
    uint64_t slot = cfa + (uint64_t)PROF_ROW_RBP(row);
    if (!prof_memory_read(memory, slot, &bp) && !is_popped(regs, slot, PROF_RBP))
      return PROF_STEP_BAD_READ;
    has_bp = true;
  } else if (row & PROF_ROW_RBP_LOST) {
    has_bp = false;
  }
  if (!prof_memory_read(memory, cfa - 8, &pc))
    return PROF_STEP_BAD_READ;
  arrive(regs, pc, cfa, bp, has_bp);
  return PROF_STEP_OK;
}

/* Where DWARF's registers 0 to 16 stand in a ucontext's gregs. */
static const uint8_t greg_of[17] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                    REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                    REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};

enum prof_step prof_step_signal(struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t gregs = regs->r[PROF_RSP] + offsetof(ucontext_t, uc_mcontext.gregs), value;
  struct prof_regs found;
  for (unsigned i = 0; i < 17; i++) {
    if (!prof_memory_read(memory, gregs + 8u * greg_of[i], &value))
      return PROF_STEP_BAD_READ;
    found.r[i] = value;
  }
  found.valid = 0x1ffff;
  *regs = found;
  return PROF_STEP_OK;
}

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
  uint64_t bp = self->regs->r[PROF_RBP], sp = self->regs->r[PROF_RSP];
  return bytes && length && bytes[0] == OP_BREG_RBP && prof_regs_has(self->regs, PROF_RBP) &&
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
    return prof_memory_read(self->memory, slot_at, out) || is_popped(self->regs, slot_at, number);
  case PROF_CFI_VAL_OFFSET:
    *out = self->cfa + (uint64_t)(int64_t)value;
    return true;
  case PROF_CFI_REGISTER:
    if (value < 0 || value > 16)
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
  default: /* same; for rsp that means the CFA */
    *known = slot == PROF_CFI_RSP || prof_regs_has(self->regs, number);
    *out = slot == PROF_CFI_RSP ? self->cfa : self->regs->r[number];
    return true;
  }
}

enum prof_step prof_step_full(struct prof_rows *rows, uint64_t pc, struct prof_memory *memory,
                              struct prof_regs *regs) {
  static const uint8_t number_of[PROF_CFI_SLOTS] = {3, 6, 7, 12, 13, 14, 15, 16};
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
  caller.valid &= KEPT;
  for (unsigned slot = 0; slot < PROF_CFI_SLOTS; slot++) {
    unsigned number = number_of[slot];
    bool known;
    if (!recover(&full, &row, slot, number, &caller.r[number], &known))
      return PROF_STEP_BAD_READ;
    caller.valid = (caller.valid & ~(1u << number)) | (uint32_t)known << number;
  }
  if (!prof_regs_has(&caller, PROF_RIP) || row.rule[PROF_CFI_RA] == PROF_CFI_SAME)
    return PROF_STEP_BAD_ROW;
  *regs = caller;
  return PROF_STEP_OK;
}

enum prof_step prof_step_frame_pointer(struct prof_memory *memory, struct prof_regs *regs) {
  uint64_t frame = regs->r[PROF_RBP], bp, pc;
  if (!prof_regs_has(regs, PROF_RBP) || frame & 7 || frame - regs->r[PROF_RSP] > FRAME_LIMIT)
    return PROF_STEP_REFUSED;
  if (!prof_memory_read(memory, frame, &bp) || !prof_memory_read(memory, frame + 8, &pc))
    return PROF_STEP_BAD_READ;
  arrive(regs, pc, frame + 16, bp, true);
  return PROF_STEP_OK;
}

enum prof_step prof_step_frameless(struct prof_memory *memory, struct prof_regs *regs,
                                   uint64_t depth) {
  uint64_t sp = regs->r[PROF_RSP] + depth, pc;
  if (!prof_memory_read(memory, sp, &pc))
    return PROF_STEP_BAD_READ;
  arrive(regs, pc, sp + 8, regs->r[PROF_RBP], prof_regs_has(regs, PROF_RBP));
  return PROF_STEP_OK;
}
