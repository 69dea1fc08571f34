/*
 * xray_code: what is written over a sled, as bytes: a call of a trampoline with the function's
 * number, and back. Pure.
 *
 * 11 bytes, the first two stored last and at once (a sled is aligned to 2):
 *   entry, tail  `jmp +9; nop`   <-> `mov $id, %r10d; call trampoline`
 *   exit         `ret; nop`      <-> `mov $id, %r10d; jmp trampoline`
 * (compiler-rt's format for x86-64, LLVM 14 to 20.) Refuses: trampolines beyond 2 GB, sleds whose
 * bytes are not a sled's.
 */
#ifndef RSPACK_PROF_TRACE_XRAY_CODE_H
#define RSPACK_PROF_TRACE_XRAY_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROF_XRAY_X86_BYTES = 11, PROF_XRAY_X86_FIRST = 2 };

/* bytes[PROF_XRAY_X86_BYTES] for a sled at address; kind: enum prof_sled_kind. */
bool prof_xray_x86_patched(uint8_t kind, uint64_t address, uint64_t trampoline, uint32_t id,
                           unsigned char *bytes);
/* The first two bytes of an unpatched one. */
void prof_xray_x86_unpatched(uint8_t kind, unsigned char first[PROF_XRAY_X86_FIRST]);
/* Whether these bytes are a sled of that kind, patched by us or not. */
bool prof_xray_x86_is_sled(uint8_t kind, const unsigned char *bytes);

#endif
