/*
 * arch_x86_64: the System V ABI's x86_64 for base/arch.h. DWARF numbers: ABI 1.0, figure 3.36;
 * perf's order: arch/x86/include/uapi/asm/perf_regs.h (kernel 6.18).
 */
#ifndef RSPACK_PROF_BASE_ARCH_X86_64_H
#define RSPACK_PROF_BASE_ARCH_X86_64_H

#include <stdint.h>

enum {
  PROF_REGS = 17, /* rax rdx rcx rbx rsi rdi rbp rsp r8 .. r15 rip */
  PROF_REG_FP = 6,
  PROF_REG_SP = 7,
  PROF_REG_PC = 16,
  PROF_REG_RETURN = 16, /* the column that CIEs give to the return address */
  /* As x86 has them, where only x86 is meant. */
  PROF_RBP = PROF_REG_FP,
  PROF_RSP = PROF_REG_SP,
  PROF_RIP = PROF_REG_PC,
};

/* What a callee must give back, in the order of a row's slots (stack/cfi.h), and rsp and rip. */
#define PROF_ARCH_SLOTS                                                                            \
  { 3, 6, 7, 12, 13, 14, 15, 16 }
enum { PROF_ARCH_SLOT_FP = 1, PROF_ARCH_SLOT_SP = 2, PROF_ARCH_SLOT_RA = 7, PROF_ARCH_SLOT_COUNT };

enum { PROF_ARCH_SYSCALL_BYTES = 2 }; /* of the instruction */
enum { PROF_ARCH_ADDRESS_BITS = 47 }; /* of user space, with four levels of pages */

/* perf_regs.h's numbers in DWARF's; -1: not kept (flags and segments). */
#define PROF_ARCH_PERF_REGS                                                                        \
  { 0, 3, 2, 1, 4, 5, 6, 7, 16, -1, -1, -1, -1, -1, -1, -1, 8, 9, 10, 11, 12, 13, 14, 15 }
/* Which of them are asked for: rbp, rsp, rip; and for unwinding a dump all general ones. */
#define PROF_ARCH_PERF_PLACE 0x1c0ull
#define PROF_ARCH_PERF_ALL 0xff01ffull

/* DWARF's numbers in the order of a ucontext's gregs (sys/ucontext.h, which the user includes). */
#define PROF_ARCH_GREGS                                                                            \
  {                                                                                                \
    REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9,        \
        REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP                              \
  }

static inline int prof_arch_slot(uint64_t number) {
  switch (number) {
  case 3:
    return 0;
  case 6:
    return 1;
  case 7:
    return 2;
  case 16:
    return 7;
  default:
    return number >= 12 && number <= 15 ? 3 + (int)(number - 12) : -1;
  }
}

/* A return address as it stood in memory -> where it leads. */
static inline uint64_t prof_arch_code(uint64_t address) {
  return address;
}

/* Where a frame's return address is from its caller's sp, if the saved frame pointer is fp_at
 * bytes from there: what `call` pushed last. */
static inline int64_t prof_arch_return_at(int32_t fp_at) {
  (void)fp_at;
  return -8;
}

#endif
