#include "stack/code_arm64.h"

#if defined(PROF_ARCH_ARM64)

#include <string.h>

#include "stack/probe.h"
#include "stack/step.h"

#define PAGE_BYTES 4096ull

enum {
  STP_RECORD = 0xa9807bfd, /* stp x29, x30, [sp, #-n]!: n in bits 15 to 21, in words */
  LDP_RECORD = 0xa8c07bfd, /* ldp x29, x30, [sp], #n */
  RECORD_MASK = 0xffc07fff,
  MOV_FP_SP = 0x910003fd, /* mov x29, sp, and add x29, sp, #n */
  MOV_FP_MASK = 0xff8003ff,
  MOV_SP_FP = 0x910003bf,
  LDP_RECORD_16 = 0xa8c17bfd,
  RET = 0xd65f03c0,
  RETAA = 0xd65f0bff, /* and retab, by the bit below */
  RETAB = 0xd65f0fff,
  MOV_X8_SIGRETURN = 0xd2801168, /* mov x8, #139 */
  SVC = 0xd4000001,
  BTI_C = 0xd503245f,
  HINT = 0xd503201f,
  HINT_MASK = 0xfffff01f,
};
enum { CODE_BACK = 1024, PIECE = 128 }; /* bytes */
enum { AHEAD = 4 };                     /* instructions */

static bool read_code(struct prof_memory *memory, uint64_t at, uint32_t *out, unsigned count) {
  return prof_memory_code(memory, at, (uint8_t *)out, 4 * count);
}

static bool is_call(uint32_t code) {
  /* blr, and with authentication blraaz, blrabz, blraa, blrab */
  return (code & 0xfefff000u) == 0xd63f0000u;
}

enum prof_call prof_code_call_before(struct prof_memory *memory, uint64_t address,
                                     const struct prof_regs *regs, uint64_t *target) {
  uint32_t code;
  (void)regs;
  if (address < 0x2000 || address >> PROF_ARCH_ADDRESS_BITS || address & 3 ||
      !read_code(memory, address - 4, &code, 1))
    return PROF_CALL_NONE;
  if (code >> 26 == 0x25) { /* bl: 26 bits, in instructions */
    *target = address - 4 + ((uint64_t)((int64_t)((uint64_t)code << 38) >> 38) << 2);
    return PROF_CALL_DIRECT;
  }
  return is_call(code) ? PROF_CALL_INDIRECT : PROF_CALL_NONE;
}

static bool is_return(uint32_t code) {
  return code == RET || code == RETAA || code == RETAB;
}

/* Control does not go on behind it: ret, b, br and its kin with authentication. */
static bool ends_flow(uint32_t code) {
  return is_return(code) || code >> 26 == 0x05 || (code & 0xfefff000u) == 0xd61f0000u;
}

/* One instruction further back. has_ended: behind one that the control does not pass. */
static enum prof_code_link look(uint32_t code, bool has_ended, uint64_t *depth) {
  if ((code & RECORD_MASK) == LDP_RECORD && !has_ended)
    return PROF_LINK_HELD;
  if ((code & MOV_FP_MASK) == MOV_FP_SP)
    return PROF_LINK_FRAMED;
  if ((code & RECORD_MASK) == STP_RECORD) {
    *depth = (uint64_t)(-((int32_t)(code << 10) >> 25) * 8);
    return has_ended ? PROF_LINK_FRAMED : PROF_LINK_PUSHED;
  }
  return PROF_LINK_UNKNOWN;
}

/* Nothing but hints (nop, bti, paciasp) from pc to where a record is pushed. */
static bool is_entry(struct prof_memory *memory, uint64_t pc) {
  uint32_t code[AHEAD];
  if (!read_code(memory, pc, code, AHEAD))
    return false;
  for (unsigned i = 0; i < AHEAD; i++) {
    if ((code[i] & RECORD_MASK) == STP_RECORD)
      return true;
    if ((code[i] & HINT_MASK) != HINT)
      return false;
  }
  return false;
}

enum prof_code_link prof_code_link(struct prof_memory *memory, uint64_t start, uint64_t pc,
                                   uint64_t *depth) {
  uint32_t code[PIECE / 4];
  bool has_ended = false;
  *depth = 0;
  if (!read_code(memory, pc, code, 1))
    return PROF_LINK_UNKNOWN;
  if (is_return(code[0]) || is_entry(memory, pc))
    return PROF_LINK_HELD;
  for (uint64_t back = PIECE; back <= CODE_BACK; back += PIECE) {
    if (!read_code(memory, pc - back, code, PIECE / 4))
      break;
    for (unsigned at = PIECE / 4; at-- > 0;) {
      if (pc - back + 4 * at < start)
        return PROF_LINK_HELD;
      enum prof_code_link found = look(code[at], has_ended, depth);
      if (found != PROF_LINK_UNKNOWN)
        return found;
      has_ended = has_ended || ends_flow(code[at]);
    }
  }
  return PROF_LINK_UNKNOWN;
}

/* What a signal handler returns to. The vdso's has had no row since 5.8, so that nobody takes the
 * instruction before it for the caller: it is known by what it does. */
static bool is_sigreturn(const uint32_t *code) {
  return code[0] == MOV_X8_SIGRETURN && code[1] == SVC;
}

/* The return from a stack that was switched to (mov sp, x29; ldp x29, x30, [sp], #16; ret), as the
 * stacker crate's assembly has it. */
static bool is_switch(const uint32_t *code) {
  return code[0] == MOV_SP_FP && code[1] == LDP_RECORD_16 && code[2] == RET;
}

prof_row prof_code_row(uint64_t pc) {
  uint64_t at = (pc + 3) & ~3ull; /* a return address less one, or where it was interrupted */
  uint32_t code[4];
  if (!prof_probe_fetch(at - 4, (uint8_t *)code, sizeof code))
    return PROF_ROW_NO_ROW;
  if (is_sigreturn(code + 1) || (at == pc && is_sigreturn(code)))
    return prof_row_bits(PROF_ROW_SIGNAL, 0, 0, 0);
  if (is_call(code[0]) && is_switch(code + 1))
    return prof_row_bits(PROF_ROW_NORMAL, PROF_ROW_FROM_FP | PROF_ROW_FP_SAVED, 16, -16);
  return PROF_ROW_NO_ROW;
}

bool prof_code_page_is_plain(uint64_t page) {
  uint32_t code[64 + 2];
  for (uint64_t at = page - 4; at < page + PAGE_BYTES; at += 4 * 64) {
    if (!prof_probe_fetch(at, (uint8_t *)code, sizeof code))
      return false;
    for (unsigned i = 0; i < 64; i++)
      if (is_sigreturn(code + i) || is_switch(code + i))
        return false;
  }
  return true;
}

/* The linker's stubs: adrp x16; ldr x17, [x16, #n]; add x16, x16, #n; br x17, and before the first
 * of them a push of x16 and x30. x30 is the caller's in all of them. They have no rows. */
bool prof_code_plt(struct prof_memory *memory, uint64_t pc, uint64_t *depth) {
  uint32_t around[9], *code; /* from pc - 16 on */
  if (!read_code(memory, pc - 16, around, 9))
    return false;
  for (code = around; code <= around + 4; code++) {
    const uint32_t *at = code;
    if ((at[0] & 0x9f00001f) != 0x90000010 || (at[1] & 0xffc003ff) != 0xf9400211 ||
        (at[2] & 0xffc003ff) != 0x91000210 || at[3] != 0xd61f0220)
      continue;
    *depth = code > around && code[-1] == 0xa9bf7bf0 ? 16 : 0; /* stp x16, x30, [sp, #-16]! */
    return true;
  }
  *depth = 0;
  return (around[4] == BTI_C && (around[5] & 0x9f00001f) == 0x90000010) ||
         (around[4] == 0xa9bf7bf0 && (around[5] & 0x9f00001f) == 0x90000010);
}

#endif
