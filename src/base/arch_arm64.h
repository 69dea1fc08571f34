/*
 * arch_arm64: aarch64 for base/arch.h. DWARF numbers: "DWARF for the Arm 64-bit Architecture"
 * (2023Q3), 4.1; perf's order, which is the same: arch/arm64/include/uapi/asm/perf_regs.h (6.18).
 *
 * The return address is in x30 until the callee saves it, by the convention next to the frame
 * pointer: x29 points at {caller's x29, x30}, the frame record (AAPCS64 2023Q3, 6.4.6).
 */
#ifndef RSPACK_PROF_BASE_ARCH_ARM64_H
#define RSPACK_PROF_BASE_ARCH_ARM64_H

#include <stdint.h>

enum {
  PROF_REGS = 33, /* x0 .. x30, sp, pc */
  PROF_REG_FP = 29,
  PROF_REG_LR = 30,
  PROF_REG_SP = 31,
  PROF_REG_PC = 32,
  PROF_REG_RETURN = 30,
};

/* x19 .. x28, x29, sp, x30. */
#define PROF_ARCH_SLOTS                                                                            \
  { 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31, 30 }
enum {
  PROF_ARCH_SLOT_FP = 10,
  PROF_ARCH_SLOT_SP = 11,
  PROF_ARCH_SLOT_RA = 12,
  PROF_ARCH_SLOT_COUNT
};

enum { PROF_ARCH_SYSCALL_BYTES = 4 }; /* of the instruction */

/* 48 bits of user space; those with 52 are only given to who asks for an address above. */
enum { PROF_ARCH_ADDRESS_BITS = 48 };

#define PROF_ARCH_PERF_REGS                                                                        \
  {                                                                                                \
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,  \
        26, 27, 28, 29, 30, 31, 32                                                                 \
  }
/* x29, x30, sp, pc: a leaf has its return address in x30. */
#define PROF_ARCH_PERF_PLACE 0x1e0000000ull
#define PROF_ARCH_PERF_ALL 0x1ffffffffull

static inline int prof_arch_slot(uint64_t number) {
  if (number >= 19 && number <= 29)
    return (int)(number - 19);
  return number == 31 ? PROF_ARCH_SLOT_SP : number == 30 ? PROF_ARCH_SLOT_RA : -1;
}

/* Signed return addresses (FEAT_PAuth: paciasp, DW_CFA_AARCH64_negate_ra_state) carry their
 * signature above the address, and a tag may be in the highest byte: both go, signed or not, as the
 * kernel's own ptrauth_strip_user_insn_pac does it. */
static inline uint64_t prof_arch_code(uint64_t address) {
  return address & ((1ull << PROF_ARCH_ADDRESS_BITS) - 1);
}

/* x30 is saved behind x29. */
static inline int64_t prof_arch_return_at(int32_t fp_at) {
  return (int64_t)fp_at + 8;
}

#endif
