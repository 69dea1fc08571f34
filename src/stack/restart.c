#include "stack/restart.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arch.h"
#include "stack/probe.h"

#if defined(__x86_64__)
enum { SIGNALS = 64, SET_BYTES = 8 /* sizeof(sigset_t) in the kernel */ };

/* The kernel's (asm/signal.h, x86_64). */
struct kernel_action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

/* Those of signal(7), "Interruption of system calls", that are started again with SA_RESTART and
 * fail with EINTR without it. The others end with EINTR whatever the flags say, or never. */
static bool ends_by_signal(long number) {
  switch (number) {
  case SYS_read:
  case SYS_readv:
  case SYS_pread64:
  case SYS_preadv:
  case SYS_write:
  case SYS_writev:
  case SYS_pwrite64:
  case SYS_pwritev:
  case SYS_ioctl:
  case SYS_open:
  case SYS_openat:
  case SYS_wait4:
  case SYS_waitid:
  case SYS_accept:
  case SYS_accept4:
  case SYS_connect:
  case SYS_recvfrom:
  case SYS_recvmsg:
  case SYS_recvmmsg:
  case SYS_sendto:
  case SYS_sendmsg:
  case SYS_sendmmsg:
  case SYS_fcntl: /* F_SETLKW */
  case SYS_flock:
  case SYS_mq_timedreceive:
  case SYS_mq_timedsend:
  case SYS_futex:
  case SYS_getrandom:
    return true;
  default:
    return false;
  }
}

static bool is_ignored(int number, void (*handler)(int)) {
  return handler == SIG_IGN || (handler == SIG_DFL && (number == SIGCHLD || number == SIGCONT ||
                                                       number == SIGURG || number == SIGWINCH));
}

/* The first waiting signal with a handler decides, as in the kernel's handle_signal. */
static bool ends_the_call(uint64_t waiting) {
  struct kernel_action action;
  for (int number = 1; number <= SIGNALS; number++) {
    if (!(waiting >> (number - 1) & 1) || number == SIGTRAP ||
        syscall(SYS_rt_sigaction, number, NULL, &action, SET_BYTES) ||
        is_ignored(number, action.handler))
      continue;
    return action.handler != SIG_DFL && !(action.flags & SA_RESTART);
  }
  return false;
}

void prof_restart_undo(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  uint64_t pc = (uint64_t)registers[REG_RIP], waiting, blocked;
  uint8_t code[PROF_ARCH_SYSCALL_BYTES];
  /* `syscall` leaves its return address in rcx; put back, the call's number is in rax again. */
  if ((uint64_t)registers[REG_RCX] != pc + PROF_ARCH_SYSCALL_BYTES ||
      !ends_by_signal(registers[REG_RAX]) || !prof_probe_word(pc) || !prof_probe_word(pc + 1))
    return;
  prof_probe_copy(pc, code, sizeof code);
  if (code[0] != 0x0f || code[1] != 0x05 || syscall(SYS_rt_sigpending, &waiting, SET_BYTES))
    return;
  memcpy(&blocked, &context->uc_sigmask, sizeof blocked);
  if (!ends_the_call(waiting & ~blocked))
    return;
  registers[REG_RIP] = (greg_t)(pc + PROF_ARCH_SYSCALL_BYTES);
  registers[REG_RAX] = -EINTR;
}
#else
void prof_restart_undo(ucontext_t *context) {
  (void)context;
}
#endif
