/* Who gets SIGTRAP: each scenario in a child, for some of them end the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/sampler.h"
#include "stack/trap.h"

#ifndef TRAP_PERF
#define TRAP_PERF 6
#endif

enum { OURS = 1 };

static volatile sig_atomic_t former_calls, our_calls;
static siginfo_t *former_info;
static void *former_context;

/* Ours is told by user data; everything else goes on. */
static void on_trap(int number, siginfo_t *info, void *context) {
  if (info->si_code == SI_QUEUE && info->si_value.sival_int == OURS)
    our_calls++;
  else
    prof_trap_pass_on(number, info, context);
}

static void former(int number) {
  former_calls += number == SIGTRAP;
}

static void former_with_info(int number, siginfo_t *info, void *context) {
  former_calls += number == SIGTRAP && info == former_info && context == former_context;
}

static void on_trap_with_note(int number, siginfo_t *info, void *context) {
  former_info = info;
  former_context = context;
  prof_trap_pass_on(number, info, context);
}

static void put_before(void (*handler)(int), prof_trap_handler *with_info) {
  struct sigaction action = {.sa_handler = handler};
  if (with_info) {
    action.sa_sigaction = with_info;
    action.sa_flags = SA_SIGINFO;
  }
  sigaction(SIGTRAP, &action, NULL);
}

static void send(int value) {
  sigqueue(getpid(), SIGTRAP, (union sigval){.sival_int = value});
}

static void instruction(void) {
  __asm__ volatile("int3");
}

/* The status of a child that ran it; its own exit code is what it returns. */
static int in_child(int (*scenario)(void)) {
  int status;
  pid_t child = fork();
  if (child == 0)
    _exit(scenario());
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

static void assert_returns(int (*scenario)(void), int code) {
  int status = in_child(scenario);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), code);
}

static void assert_ends_by_trap(int (*scenario)(void)) {
  int status = in_child(scenario);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGTRAP);
}

static int ours_only(void) {
  put_before(former, NULL);
  if (prof_trap_install(on_trap, NULL) || prof_trap_install(on_trap, NULL))
    return 100; /* twice: it must not become its own former handler */
  send(OURS);
  return our_calls * 10 + former_calls + (int)prof_trap_passed_on();
}

static int by_default_a_sent_one(void) {
  put_before(SIG_DFL, NULL);
  prof_trap_install(on_trap, NULL);
  send(0);
  return 0;
}

static int by_default_an_instruction(void) {
  put_before(SIG_DFL, NULL);
  prof_trap_install(on_trap, NULL);
  instruction();
  return 0;
}

static int ignored_a_sent_one(void) {
  put_before(SIG_IGN, NULL);
  prof_trap_install(on_trap, NULL);
  send(0);
  return 20 + (int)prof_trap_passed_on() + prof_trap_is_installed(on_trap);
}

static int ignored_an_instruction(void) {
  put_before(SIG_IGN, NULL);
  prof_trap_install(on_trap, NULL);
  instruction();
  return 0;
}

static int a_handler_of_one_argument(void) {
  put_before(former, NULL);
  prof_trap_install(on_trap, NULL);
  send(0);
  instruction(); /* a handler that is not libuv's goes on behind it */
  return former_calls * 10 + (int)prof_trap_passed_on();
}

static int a_handler_with_info(void) {
  put_before(NULL, former_with_info);
  prof_trap_install(on_trap_with_note, NULL);
  send(0);
  instruction();
  return former_calls * 10 + (int)prof_trap_passed_on();
}

/* As the kernel sends a sample's: the code is TRAP_PERF, the cookie is in user data. */
static void send_perf(uint64_t data) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  info.si_signo = SIGTRAP;
  info.si_code = TRAP_PERF;
  memcpy((char *)&info + 24, &data, sizeof data);
  /* si_code above 0 may be sent to oneself only */
  syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGTRAP, &info);
}

static struct prof_unwind unwind;

static atomic_bool stays, may_go;

/* A handler whose thread finds no CPU: called in it where a shard is a quarter full. */
static void stay(void *user) {
  (void)user;
  for (stays = true; !may_go;)
    usleep(1000);
}

static int arm(void) {
  struct prof_sampler_options options = {
      .unwind = &unwind, .max_words = 512, .buffer_bytes = 1 << 20, .wake = stay};
  unwind.rows = prof_rows_create(NULL);
  return !unwind.rows || prof_sampler_arm(&options, NULL);
}

static int samples_by_their_cookie(void) {
  struct prof_sampler_counters counters;
  put_before(former, NULL);
  if (arm())
    return 100;
  send_perf(prof_sampler_cookie() | 7);
  send_perf(prof_sampler_cookie() ^ 1ull << 40); /* another profiler's */
  prof_sampler_counters(&counters);
  if (counters.signals != 1 || counters.passed_on != 1 || former_calls != 1)
    return 101;
  prof_sampler_disarm();
  send_perf(prof_sampler_cookie()); /* late: swallowed */
  return former_calls;
}

static void *sample_until_it_stays(void *unused) {
  while (!stays)
    send_perf(prof_sampler_cookie());
  return unused;
}

static int disarmed_with_a_thread_inside(void) {
  pthread_t thread;
  if (arm() || pthread_create(&thread, NULL, sample_until_it_stays, NULL))
    return 100;
  while (!stays)
    usleep(1000);
  if (prof_sampler_disarm())
    return 101; /* what the walk reads would be freed under it */
  may_go = true;
  pthread_join(thread, NULL);
  if (arm())
    return 102;
  send_perf(prof_sampler_cookie());
  return prof_sampler_disarm() ? 0 : 103;
}

/* The handler's own stack: paint the alternate one, take samples of a deep stack, look how far the
 * paint is gone. */
enum { STACK_BYTES = 64 << 10, PAINT = 0xa5, DEPTH = 300, LIMIT = 2816 };
static unsigned char *stack_bytes;
static uint64_t frame_bytes; /* of the kernel's signal frame, with what it leaves to align */

static void measure_frame(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  frame_bytes = (uint64_t)(uintptr_t)(stack_bytes + STACK_BYTES) - (uint64_t)(uintptr_t)context + 8;
}

static uint64_t painted_over(void) {
  uint64_t clean = 0;
  while (stack_bytes[clean] == PAINT)
    clean++;
  return STACK_BYTES - clean;
}

__attribute__((noinline)) static int deep(int depth) {
  volatile int here = depth;
  if (depth == 0)
    send_perf(prof_sampler_cookie());
  else
    here += deep(depth - 1);
  return here;
}

/* The deepest way: frames without rows are scanned over, and each candidate's callers looked up. */
static void withhold_deep(void) {
  unwind.scan = true;
  prof_rows_withhold(unwind.rows, (uint64_t)(uintptr_t)deep, (uint64_t)(uintptr_t)deep + 64);
}

static int used_beyond_the_frame(void) {
  struct sigaction action = {.sa_sigaction = measure_frame, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  stack_t stack = {.ss_size = STACK_BYTES};
  uint64_t plain;
  stack_bytes = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(stack_bytes, PAINT, STACK_BYTES);
  stack.ss_sp = stack_bytes;
  if (sigaltstack(&stack, NULL) || sigaction(SIGTRAP, &action, NULL))
    return 100;
  send(0);
  if (arm())
    return 101;
  deep(DEPTH); /* binds libc's functions, which takes a stack of its own: the addon is bound at once
                */
  memset(stack_bytes, PAINT, STACK_BYTES);
  prof_rows_forget(unwind.rows, 0, 1);
  deep(DEPTH); /* rows are compiled anew */
  plain = painted_over();
  withhold_deep();
  deep(DEPTH); /* binds some more */
  memset(stack_bytes, PAINT, STACK_BYTES);
  prof_rows_forget(unwind.rows, 0, 1);
  deep(DEPTH);
  if (prof_rows_find(unwind.rows, (uint64_t)(uintptr_t)deep) != PROF_ROW_NO_ROW)
    return 102;
  prof_sampler_disarm();
  uint64_t bytes = painted_over();
  print_message("handler: %lu bytes beyond the signal's frame of %lu, %lu with a scan\n",
                (unsigned long)(plain - frame_bytes), (unsigned long)frame_bytes,
                (unsigned long)(bytes - frame_bytes));
  return !frame_bytes || bytes - frame_bytes > LIMIT || bytes - frame_bytes < 256;
}

static void what_is_ours_stays_with_us(void **state) {
  (void)state;
  assert_returns(ours_only, 10);
}

static void without_a_handler_before_the_process_ends(void **state) {
  (void)state;
  assert_ends_by_trap(by_default_a_sent_one);
  assert_ends_by_trap(by_default_an_instruction);
}

static void what_was_ignored_is_but_an_instruction_ends_the_process(void **state) {
  (void)state;
  assert_returns(ignored_a_sent_one, 22);
  assert_ends_by_trap(ignored_an_instruction);
}

static void the_handler_before_is_called_as_it_expects(void **state) {
  (void)state;
  assert_returns(a_handler_of_one_argument, 22);
  assert_returns(a_handler_with_info, 22);
}

static void samples_are_told_by_code_and_cookie(void **state) {
  (void)state;
  assert_returns(samples_by_their_cookie, 1);
}

static void who_stays_in_the_handler_is_told_of(void **state) {
  (void)state;
  assert_returns(disarmed_with_a_thread_inside, 0);
}

static void a_sample_needs_little_of_the_signal_stack(void **state) {
  (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  skip(); /* their frames are larger */
#endif
  assert_returns(used_beyond_the_frame, 0);
}

/* room is what is left below the context, where that is on the alternate stack at all. */
static void room_is_what_the_alternate_stack_has_left(void **state) {
  static unsigned char bytes[16384];
  ucontext_t *context = (void *)(bytes + 8192);
  (void)state;
  context->uc_stack = (stack_t){.ss_sp = bytes, .ss_size = sizeof bytes};
  assert_true(prof_trap_has_room(context));
  context->uc_stack.ss_sp = bytes + 8192 - 1024;
  assert_false(prof_trap_has_room(context));
  context->uc_stack = (stack_t){.ss_sp = bytes, .ss_size = 1024}; /* we are elsewhere */
  assert_true(prof_trap_has_room(context));
}

static void a_stack_is_offered_to_who_has_none(void **state) {
  ucontext_t context = {.uc_stack = {.ss_flags = SS_DISABLE}};
  char mine[8], theirs[8];
  (void)state;
  prof_trap_offer_stack(&context, mine, sizeof mine);
  assert_ptr_equal(context.uc_stack.ss_sp, mine);
  assert_int_equal(context.uc_stack.ss_flags, 0);
  context.uc_stack.ss_sp = theirs;
  prof_trap_offer_stack(&context, mine, sizeof mine);
  assert_ptr_equal(context.uc_stack.ss_sp, theirs);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_ours_stays_with_us),
      cmocka_unit_test(without_a_handler_before_the_process_ends),
      cmocka_unit_test(what_was_ignored_is_but_an_instruction_ends_the_process),
      cmocka_unit_test(the_handler_before_is_called_as_it_expects),
      cmocka_unit_test(samples_are_told_by_code_and_cookie),
      cmocka_unit_test(who_stays_in_the_handler_is_told_of),
      cmocka_unit_test(a_sample_needs_little_of_the_signal_stack),
      cmocka_unit_test(room_is_what_the_alternate_stack_has_left),
      cmocka_unit_test(a_stack_is_offered_to_who_has_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
