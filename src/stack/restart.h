/*
 * restart: system calls that the program's own signal is to end, and our signal would start again.
 *
 * A signal of the program's (alarm, pthread_kill) whose handler has no SA_RESTART ends read, wait4,
 * futex and their like with EINTR; timeouts are built on that. The wait is over, and a kernel-mode
 * sample falls in before the thread is back in user mode: then our SIGTRAP, being synchronous, is
 * delivered first, its handler's SA_RESTART puts the call back, the program's handler runs after
 * ours, and the call waits on for ever.
 *
 * The caller is our handler, with its context. Async-signal-safe, errno untouched. Refuses: calls
 * that no signal ends (fork and its like are always started again), machines that are not x86_64.
 */
#ifndef RSPACK_PROF_STACK_RESTART_H
#define RSPACK_PROF_STACK_RESTART_H

#include <ucontext.h>

/* Where the interrupted code is to make its system call again, and a handler that ends it is about
 * to run: lets the call return EINTR instead, as it would without us. */
void prof_restart_undo(ucontext_t *context);

#endif
