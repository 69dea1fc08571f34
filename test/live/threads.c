/* Threads that come and go, crowd and are no pthreads at all; Rust's, in calls.rs; and those that
 * allocate, in pieces.c. */
#include "stress.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SMALL_STACK = 64 << 10, CROWD = 4500 /* the sampler has 4,096 slots */ };

static void *short_life(void *argument) {
  stress_spin(argument ? 100 : 300);
  return NULL;
}

static int live_shortly(void *argument) {
  pthread_t threads[4];
  for (int i = 0; i < 4; i++)
    CHECK((errno = pthread_create(&threads[i], NULL, short_life, argument)) == 0);
  for (int i = 0; i < 4; i++)
    CHECK((errno = pthread_join(threads[i], NULL)) == 0);
  return 0;
}

static int churn(void) {
  return live_shortly(NULL);
}

static int brief(void) {
  return live_shortly((void *)1);
}

static atomic_int crowd_is_over;

static void *stand_in_crowd(void *argument) {
  stress_spin(1000);
  while (!crowd_is_over)
    syscall(SYS_futex, &crowd_is_over, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
  stress_spin(1000);
  return argument;
}

static int crowd(void) {
  static pthread_t threads[CROWD];
  pthread_attr_t attributes;
  int made = 0, number = 0;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, SMALL_STACK);
  crowd_is_over = 0;
  while (made < CROWD && !number) {
    number = pthread_create(&threads[made], &attributes, stand_in_crowd, NULL);
    made += !number;
  }
  usleep(300000);
  crowd_is_over = 1;
  syscall(SYS_futex, &crowd_is_over, FUTEX_WAKE_PRIVATE, CROWD, NULL, NULL, 0);
  for (int i = 0; i < made; i++)
    pthread_join(threads[i], NULL);
  errno = number;
  CHECK(made == CROWD);
  return 0;
}

/* Shares its maker's thread-local storage, errno and TSan's state of a thread: neither of them is
 * instrumented, and the maker's samples are swallowed under TSan as long as the other lives. */
__thread volatile int stress_maker;
int __clone(int (*)(void *), void *, int, void *, ...); /* clone(), past TSan's, which would fork */

static NO_TSAN int bare(void *argument) {
  (void)argument;
  for (volatile unsigned i = 0; i < 120000; i++)
    ;
  return 0;
}

static NO_TSAN int make_bare(int flags, unsigned char *stack, volatile int *tid) {
  int status, made;
  *tid = 1;
  stress_maker = (int)syscall(SYS_gettid);
  made = __clone(bare, stack + SMALL_STACK, flags, NULL, NULL, NULL, tid);
  if (made > 0 && flags & CLONE_THREAD) {
    for (int now; (now = *tid) != 0;) /* the kernel clears it, and wakes */
      syscall(SYS_futex, tid, FUTEX_WAIT, now, NULL, NULL, 0);
  } else if (made > 0 && waitpid(made, &status, __WALL) != made) {
    made = -1;
  }
  stress_maker = 0;
  return made;
}

static int made_by_clone(int flags, volatile int *tid) {
  unsigned char *stack = mmap(NULL, SMALL_STACK, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  CHECK(stack != MAP_FAILED);
  CHECK(make_bare(flags, stack, tid) > 0);
  CHECK(munmap(stack, SMALL_STACK) == 0);
  return 0;
}

/* A thread without thread-local storage of its own, a child that shares our memory, and both. */
static int clones(void) {
  static __thread volatile int tid;
  int shared = CLONE_VM | CLONE_FS | CLONE_FILES;
  int failed = made_by_clone(
      shared | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID, &tid);
  if (!failed)
    failed = made_by_clone(shared | SIGCHLD, &tid);
  return failed ? failed : made_by_clone(shared | CLONE_VFORK | SIGCHLD, &tid);
}

/* Rust's standard library, where there is a compiler for it; it is not instrumented. */
static int rust(void) {
  static int (*_Atomic found)(void);
  int (*round)(void) = found;
  if (!round) {
    void *library = dlopen("./rust.so", RTLD_NOW | RTLD_LOCAL);
    if (!library)
      return usleep(10000);
    found = round = (int (*)(void))(uintptr_t)dlsym(library, "stress_rust");
  }
  errno = 0;
  CHECK(round() == 0);
  return 0;
}

static int pieces(void) {
  static int (*_Atomic found)(unsigned *);
  static __thread unsigned seed;
  int (*round)(unsigned *) = found;
  if (!round) {
    void *library = dlopen("./pieces.so", RTLD_NOW | RTLD_LOCAL);
    CHECK(library);
    found = round = (int (*)(unsigned *))(uintptr_t)dlsym(library, "stress_pieces");
  }
  if (!seed)
    seed = (unsigned)syscall(SYS_gettid);
  errno = 0;
  CHECK(round(&seed) == 0);
  return 0;
}

const struct stress_job stress_threads[] = {{"churn", churn, false}, {"clones", clones, false},
                                            {"rust", rust, false},   {"pieces", pieces, false},
                                            {"brief", brief, true},  {"crowd", crowd, true},
                                            {NULL, NULL, false}};
