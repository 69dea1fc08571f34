#include "stack/context.h"

#if defined(PROF_ARCH_X86_64)
/* The ucontext's order into DWARF's (System V ABI AMD64, figure 3.36). */
void prof_context_registers(const ucontext_t *context, struct prof_regs *regs) {
  static const uint8_t from[PROF_REGS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                          REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                          REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (int i = 0; i < PROF_REGS; i++)
    regs->r[i] = (uint64_t)context->uc_mcontext.gregs[from[i]];
  regs->valid = PROF_REG(PROF_REGS) - 1;
}
#elif defined(__aarch64__)
void prof_context_registers(const ucontext_t *context, struct prof_regs *regs) {
  for (int i = 0; i < 31; i++)
    regs->r[i] = context->uc_mcontext.regs[i];
  regs->r[PROF_REG_SP] = context->uc_mcontext.sp;
  regs->r[PROF_REG_PC] = context->uc_mcontext.pc;
  regs->valid = PROF_REG(PROF_REGS) - 1;
}
#endif
