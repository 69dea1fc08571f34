/*
 * arch: what the machine whose stacks are walked is like: registers by DWARF's numbers, in which
 * order perf and the kernel hand them out, how wide addresses are, what a return address carries.
 * Constants and a few inline functions: the walk pays nothing for there being two machines.
 *
 * The caller may define PROF_ARCH_ARM64 to get that machine's walker on another one, for stacks
 * that are replayed from bytes (test/c). Else it is the machine that is compiled for.
 * Refuses: any but x86_64 and aarch64, little-endian, 64 bits.
 */
#ifndef RSPACK_PROF_BASE_ARCH_H
#define RSPACK_PROF_BASE_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if !defined(PROF_ARCH_ARM64) && defined(__aarch64__)
#define PROF_ARCH_ARM64 1
#endif

#if defined(PROF_ARCH_ARM64)
#include "base/arch_arm64.h"
#elif defined(__x86_64__)
#define PROF_ARCH_X86_64 1
#include "base/arch_x86_64.h"
#else
#error "rspack-prof knows the stacks of x86_64 and aarch64 only"
#endif

/* General registers, with their values where bit n of valid says that n is known. */
struct prof_regs {
  uint64_t r[PROF_REGS];
  uint64_t valid;
};

#define PROF_REG(number) (1ull << (number))

static inline bool prof_regs_has(const struct prof_regs *regs, unsigned number) {
  return regs->valid >> number & 1;
}

/* The caller's registers but for its pc, which the rule for the return address has put into
 * PROF_REG_RETURN, are complete: sets pc. is_same: there was no such rule. false: nobody knows. */
static inline bool prof_arch_return(struct prof_regs *regs, bool is_same) {
#if defined(PROF_ARCH_ARM64)
  (void)is_same; /* a leaf's is in x30 still; in a caller x30 is not known */
  if (!prof_regs_has(regs, PROF_REG_LR))
    return false;
  regs->r[PROF_REG_PC] = prof_arch_code(regs->r[PROF_REG_LR]);
  regs->valid = (regs->valid & ~PROF_REG(PROF_REG_LR)) | PROF_REG(PROF_REG_PC);
  return true;
#else
  return !is_same && prof_regs_has(regs, PROF_REG_PC);
#endif
}

/* After a step by a rule that follows three registers alone. */
static inline void prof_regs_arrive(struct prof_regs *regs, uint64_t pc, uint64_t sp, uint64_t fp,
                                    bool has_fp) {
  regs->r[PROF_REG_PC] = pc;
  regs->r[PROF_REG_SP] = sp;
  regs->r[PROF_REG_FP] = fp;
  regs->valid =
      PROF_REG(PROF_REG_PC) | PROF_REG(PROF_REG_SP) | (has_fp ? PROF_REG(PROF_REG_FP) : 0);
}

#endif
