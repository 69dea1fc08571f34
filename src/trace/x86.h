/*
 * x86: how long an x86-64 instruction is, and whether it leaves its place: enough to find where a
 * function returns. Pure.
 *
 * After the opcode maps of Intel's manual (vol. 2, appendix A) for 64-bit mode, VEX and EVEX
 * included. The caller provides the bytes and how many may be read.
 * Refuses (PROF_X86_BAD): what 64-bit mode does not have, far jumps, AMD's XOP and SSE4a forms,
 * instructions that do not end within the bytes.
 */
#ifndef RSPACK_PROF_TRACE_X86_H
#define RSPACK_PROF_TRACE_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum prof_x86_kind {
  PROF_X86_BAD,
  PROF_X86_OTHER,
  PROF_X86_RETURN,
  PROF_X86_JUMP,     /* to target, always */
  PROF_X86_JUMP_IF,  /* to target, or on */
  PROF_X86_JUMP_OUT, /* through a word beside the code: a call in the tail position by the GOT */
  PROF_X86_JUMP_INDIRECT, /* a switch, or a call in the tail position */
};

#define PROF_X86_NO_BASE 255

struct prof_x86 {
  enum prof_x86_kind kind;
  unsigned length;
  int64_t target; /* of a jump, from the instruction's first byte */
  /* Of JUMP_INDIRECT: the register (0 rax, 1 rcx, 2 rdx, 3 rbx, 4 rsp, 5 rbp, 6 rsi, 7 rdi, 8 r8
   * ..) that holds where to, or, in memory, where that is read; NO_BASE: by an index too, or
   * segment. */
  uint8_t base;
  bool in_memory;
  int32_t displacement;
  /* The kernel does the instruction's work itself instead of stepping through a copy of it
   * (arch/x86/kernel/uprobes.c of 6.18: push, nop, near jumps and calls): a probe there costs a
   * tenth of one elsewhere. */
  bool is_emulated;
};

struct prof_x86 prof_x86_decode(const unsigned char *bytes, size_t size);

#endif
