/* Runs a command and writes what it took to descriptor 3 as one line of JSON: wall time, CPU time
 * and peak memory as the kernel counted them, which neither sampling of /proc (the last peak is at
 * the end) nor node (no RUSAGE_CHILDREN) can tell. bench/measure.js builds and runs it.
 * CPU time is that of the command and of every descendant that was waited for; peak memory that of
 * the largest one of them. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

enum { OUT = 3, NO_COMMAND = 127 };

static double now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double ms_of(struct timeval time) {
  return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

int main(int argc, char **argv) {
  struct rusage usage;
  pid_t child;
  int status, failed;
  double start = now_ms(), wall;
  if (argc < 2 || fcntl(OUT, F_SETFD, FD_CLOEXEC))
    return NO_COMMAND;
  failed = posix_spawnp(&child, argv[1], NULL, NULL, argv + 1, environ);
  if (failed) {
    dprintf(OUT, "{\"errno\":%d}\n", failed);
    return NO_COMMAND;
  }
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR)
      return NO_COMMAND;
  wall = now_ms() - start;
  dprintf(OUT, "{\"code\":%d,\"wallMs\":%.3f,\"cpuMs\":%.3f,\"peakBytes\":%ld}\n",
          WIFEXITED(status) ? WEXITSTATUS(status) : -1, wall,
          ms_of(usage.ru_utime) + ms_of(usage.ru_stime), usage.ru_maxrss * 1024);
  return 0;
}
