#include "stack/context.h"

#if defined(PROF_ARCH_X86_64)
void prof_context_registers(const ucontext_t *context, struct prof_regs *regs) {
  static const uint8_t greg_of[PROF_REGS] = PROF_ARCH_GREGS;
  for (int i = 0; i < PROF_REGS; i++)
    regs->r[i] = (uint64_t)context->uc_mcontext.gregs[greg_of[i]];
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
