/*
 * context: the registers of interrupted code, as DWARF numbers them, out of what the kernel hands
 * to a signal handler.
 *
 * The caller is the handler. Async-signal-safe. Refuses: nothing.
 */
#ifndef RSPACK_PROF_STACK_CONTEXT_H
#define RSPACK_PROF_STACK_CONTEXT_H

#include <ucontext.h>

#include "base/arch.h"

void prof_context_registers(const ucontext_t *context, struct prof_regs *regs);

#endif
