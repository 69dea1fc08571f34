#include "stack/code.h"

#include <string.h>

#include "stack/step.h"

/* FF /2 with its ModRM at code[at]: how long the instruction is from the FF on, 0: is none. */
static unsigned indirect_length(const uint8_t *code, unsigned at, unsigned end) {
  unsigned modrm, length;
  if (at >= end)
    return 0;
  modrm = code[at];
  if ((modrm >> 3 & 7) != 2)
    return 0;
  length = 2;
  if (modrm >> 6 != 3 && (modrm & 7) == 4)
    length += at + 1 < end && modrm >> 6 == 0 && (code[at + 1] & 7) == 5 ? 5 : 1; /* SIB */
  if (modrm >> 6 == 1)
    length += 1;
  else if (modrm >> 6 == 2 || (modrm >> 6 == 0 && (modrm & 7) == 5))
    length += 4;
  return length;
}

enum prof_call prof_code_call_before(struct prof_memory *memory, uint64_t address,
                                     const struct prof_regs *regs, uint64_t *target) {
  uint8_t code[8];
  int32_t displacement;
  uint64_t slot;
  if (address < 0x2000 || address >> 47 || !prof_memory_code(memory, address - 8, code, 8))
    return PROF_CALL_NONE;
  memcpy(&displacement, code + 4, sizeof displacement);
  if (code[1] == 0x41 && code[2] == 0xff && code[3] == 0x95 && regs && prof_regs_has(regs, 13)) {
    /* call [r13 + disp32]: r13 is V8's root register, where the table of builtins is */
    slot = regs->r[13] + (uint64_t)(int64_t)displacement;
    return prof_memory_code(memory, slot, (uint8_t *)target, 8) ? PROF_CALL_DIRECT
                                                                : PROF_CALL_INDIRECT;
  }
  if (code[3] == 0xe8) {
    *target = address + (uint64_t)(int64_t)displacement;
    return PROF_CALL_DIRECT;
  }
  for (unsigned at = 0; at < 7; at++)
    if (code[at] == 0xff && at + indirect_length(code, at + 1, 8) == 8)
      return PROF_CALL_INDIRECT;
  return PROF_CALL_NONE;
}

bool prof_code_frameless(struct prof_memory *memory, uint64_t pc, uint64_t *depth,
                         bool *has_pushed) {
  uint8_t code[4]; /* from pc - 1 on */
  *depth = 0;
  *has_pushed = false;
  if (!prof_memory_code(memory, pc - 1, code, 4))
    return false;
  if (code[0] == 0x55 && code[1] == 0x48 &&
      ((code[2] == 0x89 && code[3] == 0xe5) || (code[2] == 0x8b && code[3] == 0xec))) {
    *depth = 8; /* push rbp | mov rbp, rsp */
    *has_pushed = true;
    return true;
  }
  /* push rbp, ret, ret n; pop rcx behind pop rbp: V8 moves the return address over the arguments */
  return code[1] == 0x55 || code[1] == 0xc3 || code[1] == 0xc2 ||
         (code[0] == 0x5d && code[1] == 0x59);
}

bool prof_code_plt(struct prof_memory *memory, uint64_t pc, uint64_t *depth) {
  uint8_t around[22], *code = around + 6; /* from pc - 6 on */
  if (!prof_memory_code(memory, pc - 6, around, 6) || !prof_memory_code(memory, pc, code, 16))
    return false;
  *depth = 0;
  if (memcmp(code, "\xf3\x0f\x1e\xfa", 4) == 0) /* endbr64 */
    code += 4;
  if (code[0] == 0xff && code[1] == 0x35) { /* the first stub: push link_map, jmp resolver */
    *depth = 8;
    return true;
  }
  if (code[0] == 0xf2)
    code++;
  if (code[0] == 0xff && code[1] == 0x25) {
    *depth = around[0] == 0xff && around[1] == 0x35 ? 16 : 0;
    return true;
  }
  if (code[0] == 0x68 && (code[5] == 0xe9 || (code[5] == 0xf2 && code[6] == 0xe9)))
    return true; /* push index, jmp first stub */
  if (code[0] == 0xe9 && (around[1] == 0x68 || around[0] == 0x68)) {
    *depth = 8;
    return true;
  }
  return false;
}
