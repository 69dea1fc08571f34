/* System calls that block, wait and time out: none may ever see EINTR, since nobody sends signals
 * but the profiler. No call is repeated, nothing is restarted by hand. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <netinet/in.h>

enum { WAIT_NS = 300000 };
static const struct timespec wait_time = {.tv_nsec = WAIT_NS};

static int files(void) {
  char path[] = "/tmp/rspack-prof-stress-XXXXXX", bytes[8192];
  int fd = mkstemp(path);
  CHECK(fd >= 0);
  CHECK(unlink(path) == 0);
  memset(bytes, 7, sizeof bytes);
  for (int i = 0; i < 8; i++)
    CHECK(write(fd, bytes, sizeof bytes) == sizeof bytes);
  CHECK(fsync(fd) == 0);
  CHECK(pread(fd, bytes, sizeof bytes, 4096) == sizeof bytes);
  CHECK(flock(fd, LOCK_EX) == 0);
  CHECK(ftruncate(fd, 0) == 0);
  CHECK(close(fd) == 0);
  return 0;
}

static int pipes(void) {
  int fd[2];
  char bytes[4096] = {0};
  CHECK(pipe2(fd, O_CLOEXEC) == 0);
  for (int i = 0; i < 8; i++)
    CHECK(write(fd[1], bytes, sizeof bytes) == sizeof bytes);
  for (int i = 0; i < 8; i++)
    CHECK(read(fd[0], bytes, sizeof bytes) == sizeof bytes);
  CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
  return 0;
}

/* The calls that signal(7) says are never restarted: after a signal they must fail with EINTR. */
static int sockets(void) {
  int fd[2];
  char bytes[512];
  struct timeval timeout = {.tv_usec = WAIT_NS / 1000};
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
  CHECK(setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
  CHECK(recv(fd[0], bytes, sizeof bytes, 0) == -1 && errno == EAGAIN);
  CHECK(send(fd[1], bytes, sizeof bytes, 0) == sizeof bytes);
  CHECK(recv(fd[0], bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes);
  CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
  return 0;
}

static int tcp(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  char bytes[100] = {0};
  int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(server >= 0 && client >= 0);
  CHECK(bind(server, (void *)&address, size) == 0 && listen(server, 4) == 0);
  CHECK(getsockname(server, (void *)&address, &size) == 0);
  CHECK(connect(client, (void *)&address, size) == 0);
  int peer = accept4(server, NULL, NULL, SOCK_CLOEXEC);
  CHECK(peer >= 0);
  /* Reset, not TIME_WAIT: thousands of these are made. */
  struct linger linger = {.l_onoff = 1};
  CHECK(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
  CHECK(send(client, bytes, sizeof bytes, 0) == sizeof bytes);
  CHECK(recv(peer, bytes, sizeof bytes, MSG_WAITALL) == sizeof bytes);
  CHECK(close(client) == 0 && close(peer) == 0 && close(server) == 0);
  return 0;
}

static int sleeps(void) {
  CHECK(nanosleep(&wait_time, NULL) == 0);
  CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &wait_time, NULL) == 0);
  CHECK(usleep(WAIT_NS / 1000) == 0);
  return 0;
}

static int polls(void) {
  struct pollfd poll_fd = {.fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN};
  struct timeval time = {.tv_usec = WAIT_NS / 1000};
  fd_set set;
  CHECK(poll_fd.fd >= 0);
  CHECK(poll(&poll_fd, 1, 1) == 0);
  CHECK(ppoll(&poll_fd, 1, &wait_time, NULL) == 0);
  FD_ZERO(&set);
  FD_SET(poll_fd.fd, &set);
  CHECK(select(poll_fd.fd + 1, &set, NULL, NULL, &time) == 0);
  CHECK(close(poll_fd.fd) == 0);
  return 0;
}

static int epolls(void) {
  struct epoll_event event = {.events = EPOLLIN};
  struct itimerspec when = {.it_value = wait_time};
  uint64_t count;
  int epoll = epoll_create1(EPOLL_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  CHECK(epoll >= 0 && timer >= 0);
  CHECK(epoll_wait(epoll, &event, 1, 1) == 0);
  CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event) == 0);
  CHECK(timerfd_settime(timer, 0, &when, NULL) == 0);
  CHECK(epoll_wait(epoll, &event, 1, 60000) == 1);
  CHECK(read(timer, &count, sizeof count) == sizeof count);
  CHECK(timerfd_settime(timer, 0, &when, NULL) == 0);
  CHECK(read(timer, &count, sizeof count) == sizeof count);
  CHECK(close(epoll) == 0 && close(timer) == 0);
  return 0;
}

static int futexes(void) {
  uint32_t word = 1;
  sem_t semaphore;
  struct timespec until;
  CHECK(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, &wait_time, NULL, 0) == -1 &&
        errno == ETIMEDOUT);
  CHECK(sem_init(&semaphore, 0, 0) == 0);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += WAIT_NS;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  CHECK(sem_timedwait(&semaphore, &until) == -1 && errno == ETIMEDOUT);
  CHECK(sem_destroy(&semaphore) == 0);
  return 0;
}

static int system_five(void) {
  struct sembuf take = {.sem_op = -1};
  struct {
    long type;
    char text[32];
  } message = {.type = 1};
  int semaphores = semget(IPC_PRIVATE, 1, 0600), queue = msgget(IPC_PRIVATE, 0600);
  int got = semtimedop(semaphores, &take, 1, &wait_time), number = errno;
  int sent = msgsnd(queue, &message, sizeof message.text, 0);
  ssize_t taken = msgrcv(queue, &message, sizeof message.text, 0, 0);
  semctl(semaphores, 0, IPC_RMID);
  msgctl(queue, IPC_RMID, NULL);
  errno = number;
  CHECK(got == -1 && number == EAGAIN);
  CHECK(sent == 0 && taken == sizeof message.text);
  return 0;
}

static int signals_waited_for(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  CHECK(sigtimedwait(&set, NULL, &wait_time) == -1 && errno == EAGAIN);
  return 0;
}

static int ended_well(pid_t child) {
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  errno = 0;
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return 0;
}

static int children(void) {
  extern char **environ;
  char *arguments[] = {"true", NULL, false};
  pid_t child;
  CHECK((errno = posix_spawn(&child, "/bin/true", NULL, NULL, arguments, environ)) == 0);
#if defined(__SANITIZE_THREAD__)
  /* Its fork (vfork too) takes its registry's lock before the loader's; threads in dlopen the other
   * way round. */
  return ended_well(child);
#endif
  if (ended_well(child))
    return 1;
  child = vfork();
  if (child == 0) {
    execve("/bin/true", arguments, environ);
    _exit(1);
  }
  CHECK(child > 0);
  if (ended_well(child))
    return 1;
  child = fork();
  if (child == 0) {
    stress_spin(300);
    _exit(0);
  }
  CHECK(child > 0);
  return ended_well(child);
}

/* A signal of the program's own, without SA_RESTART, is to end a wait. If ours, delivered first,
 * has put the call back, the handler sees it about to be made again (x86_64: rcx is what `syscall`
 * left there). The timer goes on, so that it ends nevertheless. */
static __thread volatile bool is_put_back;

/* Under ThreadSanitizer it comes straight from the kernel (sanitized.c). */
static __attribute__((no_sanitize("thread"))) void on_timer(int number, siginfo_t *info,
                                                            void *context) {
  (void)number, (void)info;
#if defined(__x86_64__)
  const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  if (registers[REG_RCX] == registers[REG_RIP] + 2 && registers[REG_RAX] == SYS_read)
    is_put_back = true;
#endif
}

static int interrupted(void) {
  const struct sigaction action = {.sa_sigaction = on_timer, .sa_flags = SA_SIGINFO};
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
  const struct itimerspec when = {.it_value = wait_time, .it_interval.tv_nsec = 20000000};
  timer_t timer;
  int fd[2];
  char byte;
  event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
  is_put_back = false;
  CHECK(sigaction(SIGRTMIN, &action, NULL) == 0);
  CHECK(pipe2(fd, O_CLOEXEC) == 0 && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
  CHECK(timer_settime(timer, 0, &when, NULL) == 0);
  CHECK(read(fd[0], &byte, 1) == -1 && errno == EINTR);
  CHECK(timer_delete(timer) == 0);
  CHECK(close(fd[0]) == 0 && close(fd[1]) == 0);
  errno = 0;
  CHECK(!is_put_back);
  return 0;
}

const struct stress_job stress_calls[] = {{"files", files, false},
                                          {"pipes", pipes, false},
                                          {"sockets", sockets, false},
                                          {"tcp", tcp, false},
                                          {"sleeps", sleeps, false},
                                          {"polls", polls, false},
                                          {"epolls", epolls, false},
                                          {"futexes", futexes, false},
                                          {"system five", system_five, false},
                                          {"signals waited for", signals_waited_for, false},
                                          {"interrupted", interrupted, false},
                                          {"children", children, false},
                                          {NULL, NULL, false}};
