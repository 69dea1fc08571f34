/*
 * expr: a DWARF expression out of .eh_frame, evaluated (DWARF 5, 2.5). Rare: full-register mode
 * only.
 *
 * The caller provides the registers of the frame and the stack's memory. Async-signal-safe, at most
 * PROF_EXPR_STEPS operations and PROF_EXPR_DEPTH values. Refuses (false) every operation that makes
 * no sense for a frame, invalid registers, unreadable memory, and what leaves the bytes.
 */
#ifndef RSPACK_PROF_STACK_EXPR_H
#define RSPACK_PROF_STACK_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arch.h"
#include "stack/memory.h"

#define PROF_EXPR_STEPS 256
#define PROF_EXPR_DEPTH 16

/* initial: the value pushed first (the CFA, for register rules), NULL for none. */
bool prof_expr_evaluate(const uint8_t *bytes, uint32_t length, const struct prof_regs *regs,
                        struct prof_memory *memory, const uint64_t *initial, uint64_t *out);

#endif
