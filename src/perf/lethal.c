#include "perf/lethal.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/perf_event.h>
#include <linux/seccomp.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_known, is_lethal;

/* In the child, of which only this thread is there: system calls alone. */
static void call_and_exit(void) {
  struct perf_event_attr attr = {.size = 0}; /* no event: refused by a kernel that is asked */
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);        /* no core file of it */
  syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
  syscall(SYS_exit_group, 0);
}

/* The child has memory of its own: before 5.16 a kernel that dumps a core kills all processes that
 * share its memory (coredump.c, zap_threads). Without an exit signal it is none of the program's
 * children: no SIGCHLD, and only a wait with __WCLONE sees it. */
static void try_in_child(void) {
  sigset_t all, before;
  int status = 0;
  pid_t child, waited;
  is_known = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER;
  if (is_known)
    return;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  child = (pid_t)syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
  if (child == 0)
    call_and_exit();
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  do
    waited = child > 0 ? waitpid(child, &status, __WCLONE) : -1;
  while (waited < 0 && child > 0 && errno == EINTR);
  is_known = child > 0; /* where there is no room for a process now, there may be later */
  is_lethal = waited != child || !WIFEXITED(status);
}

bool prof_lethal_perf_event_open(void) {
  pthread_mutex_lock(&lock);
  if (!is_known)
    try_in_child();
  bool answer = is_lethal;
  pthread_mutex_unlock(&lock);
  return answer;
}
