#include "stack/context.h"

#include <string.h>

#if defined(__x86_64__)
/* The ucontext's order into DWARF's (System V ABI AMD64, figure 3.36). */
void prof_context_registers(const ucontext_t *context, struct prof_regs *regs) {
  static const uint8_t from[17] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                   REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (int i = 0; i < 17; i++)
    regs->r[i] = (uint64_t)context->uc_mcontext.gregs[from[i]];
  regs->valid = (1u << 17) - 1;
}
#else
void prof_context_registers(const ucontext_t *context, struct prof_regs *regs) {
  (void)context;
  memset(regs, 0, sizeof *regs);
}
#endif
