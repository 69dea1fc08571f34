/*
 * without THING[,THING..] COMMAND..: runs a command on a machine that lacks something, by a seccomp
 * filter that the command and its children inherit and cannot lift. Needs no privilege.
 *
 *   perf      perf_event_open is refused as container runtimes refuse it (EPERM)
 *   perf-new  the same as an old kernel or gVisor does (ENOSYS)
 *   perf-kill it ends the process, as systemd's SystemCallFilter= has it
 *   perf-trap it is answered by SIGSYS
 *   paranoid  as kernel.perf_event_paranoid does at Debian's and Ubuntu's levels (EACCES)
 *   timers    timer_create is refused too
 *   rings     mmap of a shared file to write to, as where the limit of locked memory is used up
 * (EPERM)
 *
 * Exit code 77: seccomp filters are refused here.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(unsigned number, unsigned answer) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, answer),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int refuse_rings(void) {
  const size_t arguments = offsetof(struct seccomp_data, args); /* low halves: little-endian */
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 7),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(arguments + 2 * 8)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_READ | PROT_WRITE, 0, 5),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(arguments + 3 * 8)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAP_SHARED, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(arguments + 4 * 8)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xffffffffu, 1, 0), /* no file */
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    unsigned number, answer;
  } things[] = {
      {"perf", SYS_perf_event_open, SECCOMP_RET_ERRNO | EPERM},
      {"perf-new", SYS_perf_event_open, SECCOMP_RET_ERRNO | ENOSYS},
      {"perf-kill", SYS_perf_event_open, SECCOMP_RET_KILL_PROCESS},
      {"perf-trap", SYS_perf_event_open, SECCOMP_RET_TRAP},
      {"paranoid", SYS_perf_event_open, SECCOMP_RET_ERRNO | EACCES},
      {"timers", SYS_timer_create, SECCOMP_RET_ERRNO | EPERM},
  };
  if (argc < 3) {
    fprintf(stderr, "usage: without THING[,THING..] COMMAND..\n");
    return 2;
  }
  int failed = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (char *name = strtok(argv[1], ","); name && !failed; name = strtok(NULL, ",")) {
    if (strcmp(name, "rings") == 0) {
      failed = refuse_rings();
      continue;
    }
    size_t at = 0;
    while (at < sizeof things / sizeof things[0] && strcmp(things[at].name, name) != 0)
      at++;
    if (at == sizeof things / sizeof things[0])
      return 2;
    failed = refuse(things[at].number, things[at].answer);
  }
  if (failed) {
    perror("seccomp");
    return 77;
  }
  execvp(argv[2], argv + 2);
  perror(argv[2]);
  return 127;
}
