/* What an unwinder and a signal handler meet in somebody else's process: stacks that are switched,
 * tiny, overflowing or no stacks at all; code that is unmapped; other people's signals. */
#include "stress.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))
#define NO_ASAN __attribute__((no_sanitize("address", "thread")))
enum { PAGE = 4096, SMALL_STACK = 16 << 10, RED_ZONE = 4 << 10 };

/* A stack with a page below and above that nobody can touch. */
static unsigned char *guarded_stack(size_t bytes) {
  unsigned char *all = mmap(NULL, bytes + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED || mprotect(all + PAGE, bytes, PROT_READ | PROT_WRITE))
    abort();
  return all + PAGE;
}

static void free_stack(unsigned char *stack, size_t bytes) {
  munmap(stack - PAGE, bytes + 2 * PAGE);
}

/* The profiler gives each sampled thread a signal stack: wait until we have been sampled. */
static bool has_signal_stack(void) {
  stack_t stack;
  for (int i = 0; i < 100 && !stress_is_over; i++) {
    if (sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE))
      return true;
    stress_spin(200);
  }
  return false;
}

/* ---- stacks */

#if defined(__x86_64__)
/* Counts down with any stack pointer at all: nothing is pushed. */
static NO_ASAN NOINLINE void spin_at(uint64_t stack_pointer, uint64_t rounds) {
  __asm__ volatile("movq %%rsp, %%r12\n\t"
                   "movq %0, %%rsp\n\t"
                   "1: decq %1\n\t"
                   "jnz 1b\n\t"
                   "movq %%r12, %%rsp"
                   : "+r"(stack_pointer), "+r"(rounds)
                   :
                   : "r12", "cc", "memory");
}
#endif

static int any_stack_pointer(void) {
  unsigned char *stack = guarded_stack(SMALL_STACK);
  uint64_t low = (uintptr_t)stack;
  const uint64_t pointers[] = {0,
                               8,
                               1,
                               low + 8,
                               low + 3,
                               low,
                               low - 8,
                               low - PAGE,
                               ~0ull,
                               ~7ull,
                               1 << 12,
                               1 << 16,
                               1ull << 47,
                               1ull << 63,
                               0x7ffffffff000,
                               low + SMALL_STACK,
                               low + SMALL_STACK - 8,
                               (uintptr_t)&stack};
  if (has_signal_stack()) {
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++)
      spin_at(pointers[i], 100000);
  }
  free_stack(stack, SMALL_STACK);
  return 0;
}

/* As swc does it: 16 KB, of which a function may find 4 KB left. */
static int switched_with_little_left(void) {
  unsigned char *stack = guarded_stack(SMALL_STACK);
  if (has_signal_stack()) {
    for (uint64_t left = 64; left <= RED_ZONE; left *= 2)
      spin_at((uintptr_t)stack + left, 100000);
  }
  free_stack(stack, SMALL_STACK);
  return 0;
}

static __thread ucontext_t home, away;
static __thread int visits;

static void visitor(void) {
  for (;;) {
    visits++;
    stress_spin(30);
    swapcontext(&away, &home);
  }
}

static NO_ASAN int contexts(void) {
  unsigned char *stack = guarded_stack(64 << 10);
  CHECK(getcontext(&away) == 0);
  away.uc_stack = (stack_t){.ss_sp = stack, .ss_size = 64 << 10};
  away.uc_link = &home;
  makecontext(&away, visitor, 0);
  visits = 0;
  for (int i = 0; i < 20; i++)
    CHECK(swapcontext(&home, &away) == 0);
  errno = 0;
  CHECK(visits == 20);
  free_stack(stack, 64 << 10);
  return 0;
}

static NOINLINE unsigned recurse(unsigned depth) {
  volatile unsigned char room[200];
  room[depth % sizeof room] = (unsigned char)depth;
  if (depth == 0)
    return room[0];
  return recurse(depth - 1) + room[depth % sizeof room];
}

static int deep(void) {
  static __thread unsigned depth;
  depth = (depth * 7 + 13) % 400;
  recurse(depth);
  return 0;
}

/* ---- other people's signals */

static __thread sigjmp_buf escape;

static void on_overflow(int number) {
  (void)number;
  siglongjmp(escape, 1);
}

static NO_ASAN NOINLINE unsigned for_ever(unsigned depth) {
  volatile unsigned char room[500];
  room[0] = (unsigned char)depth;
  return depth == 1u << 30 ? 0 : for_ever(depth + 1) + room[0];
}

/* Runs into the guard page and comes back by longjmp, on the program's own signal stack. */
static NO_ASAN void *overflow(void *argument) {
  static struct sigaction action = {.sa_handler = on_overflow, .sa_flags = SA_ONSTACK};
  unsigned char *bytes = guarded_stack(SMALL_STACK);
  stack_t own = {.ss_sp = bytes, .ss_size = SMALL_STACK}, before;
  *(bool *)argument = sigaltstack(&own, &before) == 0 && sigaction(SIGSEGV, &action, NULL) == 0;
  for (int i = 0; i < 3; i++) {
    if (sigsetjmp(escape, 1) == 0)
      for_ever(0);
  }
  sigaltstack(&before, NULL);
  free_stack(bytes, SMALL_STACK);
  return NULL;
}

static int overflows(void) {
  bool ok = false;
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 10);
  CHECK((errno = pthread_create(&thread, &attributes, overflow, &ok)) == 0);
  pthread_join(thread, NULL);
  CHECK(ok);
  return 0;
}

static __thread volatile int nesting;

static void on_nested(int number) {
  if (++nesting < 3)
    raise(number);
  stress_spin(20);
}

static void on_jump(int number) {
  (void)number;
  stress_spin(20);
  siglongjmp(escape, 1);
}

static int nested(void) {
  struct sigaction action = {.sa_handler = on_nested, .sa_flags = SA_NODEFER};
  sigaction(SIGUSR1, &action, NULL);
  nesting = 0;
  raise(SIGUSR1);
  errno = 0;
  CHECK(nesting == 3);
  return 0;
}

static int jumped(void) {
  struct sigaction action = {.sa_handler = on_jump};
  sigaction(SIGUSR2, &action, NULL);
  for (volatile int i = 0; i < 20; i++) {
    if (sigsetjmp(escape, 1) == 0)
      raise(SIGUSR2);
  }
  return 0;
}

static int blocked(void) {
  sigset_t trap, before;
  sigemptyset(&trap);
  sigaddset(&trap, SIGTRAP);
  CHECK(pthread_sigmask(SIG_BLOCK, &trap, &before) == 0);
  stress_spin(500);
  CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
  stress_spin(100);
  return 0;
}

atomic_ulong stress_traps, stress_traps_wanted;

static void on_trap(int number) {
  (void)number;
  atomic_fetch_add(&stress_traps, 1);
}

void stress_take_traps(void) {
  struct sigaction action = {.sa_handler = on_trap};
  sigaction(SIGTRAP, &action, NULL);
}

static int traps(void) {
  atomic_fetch_add(&stress_traps_wanted, 3);
  raise(SIGTRAP);
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGTRAP);
#if defined(__x86_64__)
  __asm__ volatile("int3");
#endif
  stress_spin(100);
  return 0;
}

static int number_kept(void) {
  errno = 4711;
  stress_spin(500);
  CHECK(errno == 4711);
  return 0;
}

/* ---- code that comes and goes */

#if defined(__SANITIZE_THREAD__)
static int unloaded(void) {
  /* The loader is not instrumented: dlclose's free() looks like a race, and the run time reports it
   * (suppressed or not) under its lock of threads, inside the loader's; others take them the other
   * way round. */
  usleep(10000);
  return 0;
}
#else
static int unloaded(void) {
  unsigned (*work)(unsigned);
  void *library = dlopen("./plug.so", RTLD_NOW | RTLD_LOCAL);
  CHECK(library);
  *(void **)&work = dlsym(library, "stress_plug");
  CHECK(work);
  work(20000);
  CHECK(dlclose(library) == 0);
  return 0;
}
#endif

static int unmapped(void) {
  /* mov $50000, %eax; 1: dec %eax; jnz 1b; ret */
  static const unsigned char code[] = {0xb8, 0x50, 0xc3, 0, 0, 0xff, 0xc8, 0x75, 0xfc, 0xc3};
  void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  memcpy(page, code, sizeof code);
  CHECK(mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0);
  ((void (*)(void))page)();
  CHECK(munmap(page, PAGE) == 0);
  return 0;
}

const struct stress_job stress_stacks[] = {{"any stack pointer", any_stack_pointer, false},
                                           {"little left", switched_with_little_left, false},
                                           {"contexts", contexts, false},
                                           {"deep", deep, false},
                                           {"overflows", overflows, false},
                                           {"nested", nested, false},
                                           {"jumped", jumped, false},
                                           {"blocked", blocked, false},
                                           {"traps", traps, false},
                                           {"errno", number_kept, false},
                                           {"unloaded", unloaded, false},
                                           {"unmapped", unmapped, false},
                                           {NULL, NULL, false}};
