#include "stack/code.h"

#if defined(PROF_ARCH_X86_64)

#include <string.h>

#include "stack/probe.h"
#include "stack/step.h"

#define PAGE_BYTES 4096ull

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
  if (code[2] == 0xff && code[3] == 0x15) { /* call [rip + disp32]: through the GOT */
    slot = address + (uint64_t)(int64_t)displacement;
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

/* push rbp; mov rbp, rsp, in either encoding. */
static bool is_prologue(const uint8_t *code) {
  return code[0] == 0x55 && code[1] == 0x48 &&
         ((code[2] == 0x89 && code[3] == 0xe5) || (code[2] == 0x8b && code[3] == 0xec));
}

bool prof_code_frameless(struct prof_memory *memory, uint64_t pc, uint64_t *depth,
                         bool *has_pushed) {
  uint8_t code[4]; /* from pc - 1 on */
  *depth = 0;
  *has_pushed = false;
  if (!prof_memory_code(memory, pc - 1, code, 4))
    return false;
  if (is_prologue(code)) {
    *depth = 8; /* push rbp | mov rbp, rsp */
    *has_pushed = true;
    return true;
  }
  /* push rbp, ret, ret n; pop rcx behind pop rbp: V8 moves the return address over the arguments */
  return code[1] == 0x55 || code[1] == 0xc3 || code[1] == 0xc2 ||
         (code[0] == 0x5d && code[1] == 0x59);
}

enum {
  CODE_BACK = 512,
  CODE_LEFT = 40,
  CODE_AHEAD = 48,
  CODE_HELD = 64,
  PIECE = 128,
  START_ALIGN = 32
};

/* Control does not go on behind it: ret, jmp through a register, jmp rel32. */
static bool ends_flow(const uint8_t *code, unsigned left) {
  return code[0] == 0xc3 || (left >= 2 && code[0] == 0xff && code[1] >> 3 == 0xe0 >> 3) ||
         (left >= 5 && code[0] == 0xe9 && (code[4] == 0 || code[4] == 0xff));
}

static const uint8_t rbp_back[4] = {0x48, 0x8b, 0x6d, 0}; /* mov rbp, [rbp] */

/* What happened in the last bytes before pc, with nothing that ends the flow behind it. */
static enum prof_code_frame just_before(const uint8_t *code, unsigned size) {
  enum prof_code_frame found = PROF_FRAME_UNKNOWN;
  for (unsigned left = 1; left <= size; left++) {
    const uint8_t *at = code + size - left;
    if (ends_flow(at, left) || (left >= 4 && is_prologue(at)))
      break;
    if (left >= 4 && memcmp(at, rbp_back, sizeof rbp_back) == 0)
      return PROF_FRAME_RBP_BACK;
    if (*at == 0xc9 || (left >= 4 && memcmp(at, "\x48\x8b\xe5\x5d", 4) == 0))
      found = PROF_FRAME_LEFT;
  }
  return found;
}

enum prof_code_frame prof_code_frame(struct prof_memory *memory, uint64_t pc) {
  uint8_t code[PIECE + 4] = {0}; /* a piece, and the first bytes of the one behind it */
  enum prof_code_frame found = PROF_FRAME_UNKNOWN;
  for (unsigned back = PIECE; back <= CODE_BACK; back += PIECE) {
    memcpy(code + PIECE, code, 4);
    if (!prof_memory_code(memory, pc - back, code, PIECE))
      break;
    if (back == PIECE) {
      memset(code + PIECE, 0, 4);
      found = just_before(code + PIECE - CODE_LEFT, CODE_LEFT);
      if (found == PROF_FRAME_RBP_BACK)
        break;
    }
    for (unsigned at = PIECE; at-- > 0;) {
      if (code[at] == 0x55 && back - at >= 4 && is_prologue(code + at))
        return found;
      if (code[at] == 0xcc && code[at + 1] != 0xcc && (pc - back + at + 1) % START_ALIGN == 0)
        return PROF_FRAME_NOT_YET;
    }
  }
  return found;
}

uint32_t prof_code_released(struct prof_memory *memory, uint64_t pc) {
  uint8_t code[CODE_AHEAD];
  int32_t wide;
  if (!prof_memory_code(memory, pc, code, CODE_AHEAD))
    return 0;
  for (unsigned at = 0; at + 7 <= CODE_AHEAD && !ends_flow(code + at, 5); at++) {
    if (code[at] != 0x48 || code[at + 2] != 0xc4)
      continue;
    if (code[at + 1] == 0x83)
      return code[at + 3];
    memcpy(&wide, code + at + 3, sizeof wide);
    if (code[at + 1] == 0x81 && wide > 0 && wide < 1 << 16)
      return (uint32_t)wide;
  }
  return 0;
}

static const uint8_t dwarf_of[16] = {0, 2, 1, 3, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};

/* push and ret, with the number of the register that is pushed; 0 bytes long: they are not here. */
static unsigned push_ret(const uint8_t *code, int *number) {
  bool is_high = code[0] == 0x41;
  code += is_high;
  if (code[0] >> 3 != 0x50 >> 3 || code[1] != 0xc3)
    return 0;
  *number = is_high ? 8 + (code[0] & 7) : dwarf_of[code[0] & 7];
  return 2u + is_high;
}

int prof_code_popped(struct prof_memory *memory, uint64_t pc) {
  uint8_t code[16]; /* from pc - 2 on */
  int number = -1;
  if (!prof_memory_code(memory, pc - 2, code, 16))
    return -1;
  if (push_ret(code + 2, &number))
    return number;
  /* behind the pop of the same register: lea rsp, [...] (4 to 8 bytes), then push and ret */
  for (unsigned at = 6; at <= 11; at++) {
    if (!push_ret(code + at, &number))
      continue;
    bool is_lea = (code[2] == 0x48 || code[2] == 0x49 || code[2] == 0x4a || code[2] == 0x4b) &&
                  code[3] == 0x8d && (code[4] >> 3 & 7) == 4;
    bool is_popped = code[1] == code[at] - 0x50 + 0x58 ||
                     (code[0] == 0x41 && code[at] == 0x41 && code[1] == code[at + 1] + 8);
    if (is_lea && is_popped)
      return number;
  }
  return -1;
}

int prof_code_held(struct prof_memory *memory, const struct prof_regs *regs) {
  uint8_t code[CODE_HELD];
  uint64_t target, top;
  uint32_t pushed = 1u << 4 | 1u << 5; /* rsp and rbp hold other things */
  if (!prof_memory_code(memory, regs->r[PROF_RIP] - CODE_HELD, code, CODE_HELD) ||
      !prof_memory_read(memory, regs->r[PROF_RSP], &top))
    return -1;
  for (unsigned at = CODE_HELD; at-- > 1 && (code[at] != 0xcc || code[at - 1] != 0xcc);) {
    unsigned number = (code[at] & 7u) + (code[at - 1] == 0x41 ? 8 : 0);
    if (code[at] >> 4 != 5 || pushed & 1u << number)
      continue;
    if ((code[at] & 8) && prof_regs_has(regs, dwarf_of[number]) &&
        regs->r[dwarf_of[number]] != top &&
        prof_code_call_before(memory, regs->r[dwarf_of[number]], regs, &target) &&
        prof_code_frame(memory, regs->r[PROF_RIP] - CODE_HELD + at) == PROF_FRAME_NOT_YET)
      return dwarf_of[number];
    pushed |= 1u << number;
  }
  return -1;
}

/* From 5 bytes before: mov rsp, r64 (3), call r64 (2); mov rsp, rbp (3), pop, ret. */
static bool is_switch(const uint8_t *code) {
  return code[3] == 0xff && code[4] >> 3 == 0xd0 >> 3 && (code[0] & 0xf8) == 0x48 &&
         code[1] == 0x89 && (code[2] & 0xc7) == 0xc4 && code[5] == 0x48 && code[6] == 0x89 &&
         code[7] == 0xec && code[8] == 0x5d && code[9] == 0xc3;
}

bool prof_code_switch(struct prof_memory *memory, uint64_t address) {
  uint8_t code[10];
  return address >= 0x2000 && !(address >> 47) &&
         prof_memory_code(memory, address - 5, code, sizeof code) && is_switch(code);
}

/* From 2 bytes before: call r64 (2); add rsp, n (4), pop rbp, ret. What runs when the call returns
 * says where the caller's frame is. V8's PushAllRegistersAndIterateStack ends so, which stands in
 * the stack of each garbage collection (node 22, 24) and has no row, being assembly: */
static bool is_epilogue(const uint8_t *code) {
  return code[0] == 0xff && code[1] >> 3 == 0xd0 >> 3 && code[2] == 0x48 && code[3] == 0x83 &&
         code[4] == 0xc4 && !(code[5] & 0x87) && code[6] == 0x5d && code[7] == 0xc3;
}

/* Where they begin before the pc of a look-up, which is the last byte of the call. */
enum { BEFORE_SWITCH = 4, BEFORE_EPILOGUE = 1, ROW_CODE = 11 };
#define IS_EPILOGUE(code) is_epilogue((code) + BEFORE_SWITCH - BEFORE_EPILOGUE)

prof_row prof_code_row(uint64_t pc) {
  uint8_t code[ROW_CODE];
  if (!prof_probe_fetch(pc - BEFORE_SWITCH, code, sizeof code))
    return PROF_ROW_NO_ROW;
  if (is_switch(code)) /* the return from a stack that was switched to */
    return prof_row_bits(PROF_ROW_NORMAL, PROF_ROW_FROM_FP | PROF_ROW_FP_SAVED, 16, -16);
  if (IS_EPILOGUE(code)) /* rbp and the return address are above the n bytes */
    return prof_row_bits(PROF_ROW_NORMAL, PROF_ROW_FP_SAVED, code[8] + 16, -16);
  return PROF_ROW_NO_ROW;
}

bool prof_code_page_is_plain(uint64_t page) {
  enum { PIECE = 256 };
  uint8_t code[PIECE + ROW_CODE];
  uint64_t at = page - BEFORE_SWITCH, end = at + PAGE_BYTES; /* where one may begin */
  for (; at < end; at += PIECE) {
    if (!prof_probe_fetch(at, code, sizeof code))
      return false;
    for (unsigned i = 0; i < PIECE; i++)
      if ((code[i + 9] == 0xc3 && is_switch(code + i)) ||
          (code[i + 10] == 0xc3 && IS_EPILOGUE(code + i)))
        return false;
  }
  return true;
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

#endif
