/*
 * trap: who gets SIGTRAP: our handler first, and through it whoever had the signal before.
 *
 * A SIGTRAP that is not ours has the effect it would have without us: the handler that was there is
 * called; where there was none, the process ends. libuv's handler (node listens by it) only takes
 * notes: a trap instruction (int3) passed on to it would run on, and ends the process instead.
 *
 * Our handler runs on the thread's alternate signal stack where it has one: swc leaves as little as
 * 4 KB of a switched stack (stacker's red zone), and a signal's frame alone takes 3.4 KB with
 * AVX-512. prof_trap_offer_stack gives an alternate stack to a thread that has none.
 * Refuses: an own sa_mask or SA_RESETHAND of the handler before; it runs with all signals blocked.
 */
#ifndef RSPACK_PROF_STACK_TRAP_H
#define RSPACK_PROF_STACK_TRAP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#include "base/status.h"

typedef void prof_trap_handler(int number, siginfo_t *info, void *context);

/* Puts the handler in front where it is not. Signals are restarted (SA_RESTART). */
int prof_trap_install(prof_trap_handler *handler, struct prof_error *error);
bool prof_trap_is_installed(prof_trap_handler *handler);

/* From the handler. Async-signal-safe as far as the handler before is. */
void prof_trap_pass_on(int number, siginfo_t *info, void *context);
uint64_t prof_trap_passed_on(void);

/* From the handler: from its return on the thread has this alternate stack, if it has none. */
void prof_trap_offer_stack(ucontext_t *context, void *stack, size_t bytes);

/* From the handler: whether a walk fits onto the alternate stack, if that is where we are. */
bool prof_trap_has_room(const ucontext_t *context);

#endif
