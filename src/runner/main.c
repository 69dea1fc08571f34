/*
 * rspack_prof_run PARENT COMMAND [ARGUMENT...]: runs a command and tells what it took, as one line
 * of JSON on descriptor 3. `rspack-prof compare` starts one for each run.
 *
 * A program of its own, and small, for two reasons. What was the most memory of a process is kept
 * over exec (Linux 6.18, fs/exec.c, exec_mmap: setmax_mm_hiwater_rss), so a command that node
 * starts has never used less than node. And node cannot ask for what a child used (wait4), nor
 * adopt what its children leave behind.
 *
 * CPU time is that of the command and of everything below it that was waited for, by its own parent
 * or, after that is gone, by us (PR_SET_CHILD_SUBREAPER); not counted are children of a process
 * that ignores SIGCHLD. Wall time is from before exec to the command's own end. Peak memory is that
 * of the largest process. What still runs half a second later is ended and counted (`left`).
 *
 * SIGTERM, SIGINT, SIGHUP and the end of PARENT end everything below it: SIGTERM, a second later
 * SIGKILL. The caller gives us a session of our own and descriptors 0 to 3.
 * Refuses to run without a command: exit 2. A command that cannot be executed: { "errno": N }.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runner/counter.h"
#include "runner/tree.h"

enum { REPORT_FD = 3, BAD_USAGE = 2 };

static const int64_t LINGER_NS = 500000000, PATIENCE_NS = 1000000000, STEP_NS = 20000000;

struct took {
  int64_t wall_ns, user_us, sys_us, peak_kb, major_faults;
  int status; /* of wait4 */
  int left;   /* processes that outlived the command and were ended */
  bool ended, aborted;
};

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int64_t us_of(struct timeval time) {
  return time.tv_sec * 1000000ll + time.tv_usec;
}

static void add_usage(struct took *took, const struct rusage *usage) {
  took->user_us += us_of(usage->ru_utime);
  took->sys_us += us_of(usage->ru_stime);
  took->major_faults += usage->ru_majflt;
  if (usage->ru_maxrss > took->peak_kb)
    took->peak_kb = usage->ru_maxrss;
}

/* Takes leave of all that have ended; whether any is still there. */
static bool reap(struct took *took, pid_t command, int64_t start_ns) {
  struct rusage usage;
  int status;
  pid_t pid;
  while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
    add_usage(took, &usage);
    if (pid != command)
      continue;
    took->wall_ns = now_ns() - start_ns;
    took->status = status;
    took->ended = true;
  }
  return pid == 0;
}

/* Until a signal that is ours arrives, or ns are over (0 then). */
static int wait_signal(const sigset_t *ours, int64_t ns) {
  struct timespec timeout = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  int signal = sigtimedwait(ours, NULL, &timeout);
  return signal > 0 ? signal : 0;
}

/* Nobody stays: asked first, forced a second later, for as long as somebody is there. */
static void end_all(struct took *took, pid_t command, int64_t start_ns, const sigset_t *ours) {
  int64_t patience_ns = now_ns() + PATIENCE_NS;
  prof_tree_signal(getpid(), SIGTERM);
  while (reap(took, command, start_ns)) {
    if (now_ns() >= patience_ns)
      prof_tree_signal(getpid(), SIGKILL);
    wait_signal(ours, STEP_NS);
  }
}

static void follow(struct took *took, pid_t command, int64_t start_ns, const sigset_t *ours) {
  while (reap(took, command, start_ns) && !took->ended) {
    int signal = wait_signal(ours, 3600ll * 1000000000);
    if (signal && signal != SIGCHLD) {
      took->aborted = true;
      end_all(took, command, start_ns, ours);
      return;
    }
  }
  int64_t linger_ns = now_ns() + LINGER_NS;
  while (reap(took, command, start_ns) && now_ns() < linger_ns) {
    int signal = wait_signal(ours, STEP_NS);
    took->aborted |= signal && signal != SIGCHLD;
    if (took->aborted)
      break;
  }
  if (!reap(took, command, start_ns))
    return;
  took->left = prof_tree_signal(getpid(), 0);
  end_all(took, command, start_ns, ours);
}

/* The command's process: waits for the word, then becomes the command. */
static _Noreturn void become(char **command, int go, int failed, const sigset_t *before) {
  char word;
  int error;
  /* Where we are killed outright, the command does not go on alone. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigprocmask(SIG_SETMASK, before, NULL);
  if (read(go, &word, 1) == 1) {
    execvp(command[0], command);
    error = errno;
    if (write(failed, &error, sizeof error) < 0)
      _exit(127);
  }
  _exit(127);
}

static void report(const struct took *took, const struct prof_count *count, int counter_errno) {
  int signal = WIFSIGNALED(took->status) ? WTERMSIG(took->status) : 0;
  dprintf(REPORT_FD,
          "{\"code\":%d,\"signal\":%d,\"wallMs\":%.6f,\"userMs\":%.3f,\"sysMs\":%.3f,"
          "\"peakBytes\":%" PRId64 ",\"majorFaults\":%" PRId64
          ",\"left\":%d,\"aborted\":%s,\"counterErrno\":%d,",
          WIFEXITED(took->status) ? WEXITSTATUS(took->status) : -1, signal,
          (double)took->wall_ns / 1e6, (double)took->user_us / 1e3, (double)took->sys_us / 1e3,
          took->peak_kb * 1024, took->major_faults, took->left, took->aborted ? "true" : "false",
          counter_errno);
  if (counter_errno)
    dprintf(REPORT_FD, "\"instructions\":null}\n");
  else
    dprintf(REPORT_FD, "\"instructions\":%" PRIu64 ",\"countedShare\":%.4f}\n", count->value,
            count->time_share);
}

static int run(char **command, const sigset_t *ours, const sigset_t *before) {
  int go[2], failed[2], error = 0;
  struct prof_counter counter = {.count = 0};
  struct prof_count count = {0};
  struct took took = {0};
  if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
    return errno;
  pid_t child = fork();
  if (child < 0)
    return errno;
  if (child == 0) {
    close(go[1]);
    become(command, go[0], failed[1], before);
  }
  close(go[0]);
  close(failed[1]);
  int counter_errno = -prof_counter_open(&counter, child);
  int64_t start_ns = now_ns();
  if (write(go[1], "g", 1) != 1)
    return errno;
  follow(&took, child, start_ns, ours);
  if (read(failed[0], &error, sizeof error) == (ssize_t)sizeof error)
    return error;
  if (!counter_errno && prof_counter_take(&counter, &count))
    counter_errno = ENODATA;
  report(&took, &count, counter_errno);
  return 0;
}

int main(int argc, char **argv) {
  sigset_t ours, before;
  if (argc < 3 || fcntl(REPORT_FD, F_SETFD, FD_CLOEXEC))
    return BAD_USAGE;
  sigemptyset(&ours);
  sigaddset(&ours, SIGCHLD);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGHUP);
  sigprocmask(SIG_BLOCK, &ours, &before);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != atoi(argv[1])) /* it ended before we could ask to be told */
    return 1;
  int error = run(argv + 2, &ours, &before);
  if (error)
    dprintf(REPORT_FD, "{\"errno\":%d}\n", error);
  return 0;
}
