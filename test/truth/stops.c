#include "stops.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "stack/context.h"
#include "stack/memory.h"

enum { DEPTH = 4096, STACK_BYTES = 1 << 18, LINE_BYTES = DEPTH * 18 };

static struct {
  struct prof_unwind *unwind;
  struct prof_memory memory;
  uint64_t words[DEPTH];
  char line[LINE_BYTES];
  volatile sig_atomic_t left;
} self;

/* One shot, from the end of the last stop on: real time goes by while a debugger looks. */
static int next_stop(void) {
  struct itimerval timer = {.it_value.tv_usec = self.left > 0 ? 50 + (self.left * 7919) % 1500 : 0};
  return setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_timer(int number, siginfo_t *info, void *user) {
  struct prof_walk walk = {.words = self.words, .capacity = DEPTH};
  struct prof_regs regs;
  (void)number, (void)info;
  if (self.left <= 0)
    return;
  prof_context_registers(user, &regs);
  prof_unwind_walk(self.unwind, &self.memory, &regs, &walk);
  /* write(2) and no stdio: the signal may fall into malloc. */
  int used = snprintf(self.line, sizeof self.line, "stop");
  for (uint32_t i = 0; i < walk.count && used < LINE_BYTES - 64; i++) {
    enum prof_word kind = PROF_WORD_KIND(walk.words[i]);
    if (kind == PROF_WORD_PC || kind == PROF_WORD_RETURN)
      used +=
          snprintf(self.line + used, 32, " %lx",
                   (unsigned long)(PROF_WORD_VALUE(walk.words[i]) + (kind == PROF_WORD_RETURN)));
  }
  used += snprintf(self.line + used, 32, " %s\n", prof_walk_end_name(walk.end));
  if (write(STDOUT_FILENO, self.line, (size_t)used) != used)
    return;
  self.left--;
  next_stop();
}

int stops_begin(int wanted, struct prof_unwind *unwind) {
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
  stack_t stack = {.ss_size = STACK_BYTES};
  stack.ss_sp = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  action.sa_sigaction = on_timer;
  self.unwind = unwind;
  self.left = wanted;
  prof_memory_live(&self.memory);
  return stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) ||
                 sigaction(SIGALRM, &action, NULL) || next_stop()
             ? -1
             : 0;
}

bool stops_end(void) {
  return self.left <= 0;
}
