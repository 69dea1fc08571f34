/* Under ThreadSanitizer alone. Its run time hands SIGTRAP over at once, also where it holds its own
 * locks or does not know the thread yet: instrumented code in a handler then hangs or crashes in it
 * (gcc 12's and clang 14's run times). So this program's sigaction takes the interceptor's place:
 * SIGTRAP goes straight to the kernel, and a sample whose interrupted code is one of the libraries
 * that were there at the start (the run time, libc, the loader) is swallowed, but for what it did
 * to a system call (stack/restart.h, which is not instrumented). So is one of a thread whose state
 * the run time takes a bare clone for. All others run the real handler, instrumented, against the
 * recorder's thread. SIGRTMIN goes the same way: the run time would put
 * it off, and the call that it is to end would go on. */
#if defined(__SANITIZE_THREAD__)
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "stack/restart.h"
#include "stress.h"

enum { LIBRARIES_MAX = 64, TRAP_PERF_CODE = 6, RESTORER = 0x04000000 };

/* The kernel's own layout (asm/signal.h, x86_64). */
struct kernel_action {
  void (*handler)(int, siginfo_t *, void *);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

static struct { uintptr_t start, end; } libraries[LIBRARIES_MAX];
static int library_count;
static void (*_Atomic real_handler)(int, siginfo_t *, void *);
atomic_ulong stress_swallowed;

void stress_restore(void);
__asm__(".text\n.globl stress_restore\nstress_restore:\n\tmovq $15, %rax\n\tsyscall\n");

static NO_TSAN int add_library(struct dl_phdr_info *info, size_t size, void *user) {
  (void)size, (void)user;
  for (int i = 0; info->dlpi_name[0] && i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || library_count == LIBRARIES_MAX)
      continue;
    libraries[library_count].start = info->dlpi_addr + segment->p_vaddr;
    libraries[library_count++].end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
  }
  return 0;
}

static NO_TSAN bool is_in_library(uintptr_t pc) {
  for (int i = 0; i < library_count; i++) {
    if (pc >= libraries[i].start && pc < libraries[i].end)
      return true;
  }
  return false;
}

static NO_TSAN void filter(int number, siginfo_t *info, void *context) {
  uintptr_t pc = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  int saved_errno = errno;
  if (info->si_code == TRAP_PERF_CODE &&
      (is_in_library(pc) || (stress_maker && stress_maker == (int)syscall(SYS_gettid)))) {
    __atomic_fetch_add((unsigned long *)&stress_swallowed, 1, __ATOMIC_RELAXED);
    prof_restart_undo(context);
    errno = saved_errno;
    return;
  }
  (*(void (**)(int, siginfo_t *, void *)) & real_handler)(number, info, context);
}

static NO_TSAN int tell_kernel(int number, const struct sigaction *action,
                               void (*handler)(int, siginfo_t *, void *)) {
  struct kernel_action ours = {.handler = handler,
                               .flags = (unsigned long)action->sa_flags | RESTORER | SA_SIGINFO,
                               .restorer = stress_restore};
  memcpy(&ours.mask, &action->sa_mask, sizeof ours.mask);
  return (int)syscall(SYS_rt_sigaction, number, &ours, NULL, sizeof ours.mask);
}

static NO_TSAN int trap_action(const struct sigaction *action, struct sigaction *before) {
  static struct sigaction now; /* as the program sees it: one thread changes it */
  if (before)
    *before = now;
  if (!action)
    return 0;
  if (!library_count)
    dl_iterate_phdr(add_library, NULL);
  now = *action;
  real_handler = action->sa_sigaction;
  return tell_kernel(SIGTRAP, action, filter);
}

int sigaction(int number, const struct sigaction *action, struct sigaction *before) {
  int (*next)(int, const struct sigaction *, struct sigaction *);
  if (number == SIGTRAP)
    return trap_action(action, before);
  if (number == SIGRTMIN && action && !before)
    return tell_kernel(number, action, action->sa_sigaction);
  *(void **)&next = dlsym(RTLD_NEXT, "sigaction");
  return next(number, action, before);
}

/* Rust's library is not instrumented: how its threads hand memory over is not seen. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
  return "called_from_lib:rust.so\n";
}
#endif
