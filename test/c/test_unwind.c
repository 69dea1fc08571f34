/* stack/unwind on real stacks: this process's own, compared with glibc's backtrace() and with a
 * known truth at every single instruction. V8's rules and guesses: test_frames.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "stack/context.h"
#include "stack/unwind.h"

#ifdef __has_feature
#if __has_feature(thread_sanitizer) && !defined(__SANITIZE_THREAD__)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define SKIP_UNDER_TSAN()                                                                          \
  do {                                                                                             \
    print_message("skipped: TSan delivers signals late, from its own frames\n");                   \
    skip();                                                                                        \
  } while (0)
#else
#define SKIP_UNDER_TSAN()
#endif

enum { ROOM = 4096, PAGE = 4096 };

static struct prof_unwind unwind;
static struct prof_memory memory;
static uint64_t words[ROOM];
static struct prof_walk walk;
static void *truth[ROOM];
static int truth_count;
static volatile unsigned long sample_count, bad_count;
static void (*in_handler)(const struct prof_regs *);

static void walk_from(const struct prof_regs *regs, uint32_t capacity) {
  memset(words, 0, sizeof words);
  walk = (struct prof_walk){.words = words, .capacity = capacity};
  prof_unwind_walk(&unwind, &memory, regs, &walk);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  struct prof_regs regs;
  int saved = errno;
  (void)signal;
  (void)info;
  prof_context_registers(context, &regs);
  in_handler(&regs);
  errno = saved;
}

static void handle(int signal, void (*handler)(const struct prof_regs *)) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};
  in_handler = handler;
  sigaction(signal, &action, NULL);
}

/* raise() is declared a leaf: the compiler believes that it leaves our variables alone. */
static void interrupt(int signal) {
  raise(signal);
  __asm__ volatile("" ::: "memory");
}

/* backtrace() from here, less the frames up to the interrupted pc. */
static void take_truth(uint64_t pc) {
  void *all[ROOM];
  int count = backtrace(all, ROOM), at = 0;
  while (at < count && (uint64_t)(uintptr_t)all[at] != pc)
    at++;
  truth_count = count - at;
  memcpy(truth, all + at, (size_t)truth_count * sizeof *all);
}

static uint64_t word_address(uint32_t at) {
  return PROF_WORD_VALUE(words[at]) + (PROF_WORD_KIND(words[at]) == PROF_WORD_RETURN);
}

/* backtrace() ends where it cannot go on; glibc's may add a last frame that is no code. */
static bool is_as_truth(void) {
  if (walk.end != PROF_WALK_COMPLETE || (int)walk.count < truth_count - 1 || truth_count < 2)
    return false;
  for (int i = 0; i < truth_count && i < (int)walk.count; i++)
    if (word_address((uint32_t)i) != (uint64_t)(uintptr_t)truth[i])
      return false;
  return true;
}

static void explain(void) {
  print_message("ended: %s at 0x%lx after %u, flags %u; backtrace has %d\n",
                prof_walk_end_name(walk.end), (unsigned long)walk.end_pc, walk.count, walk.flags,
                truth_count);
  for (uint32_t i = 0; i < walk.count && i < 12; i++)
    print_message("  %u: 0x%lx %p\n", i, (unsigned long)word_address(i),
                  (int)i < truth_count ? truth[i] : NULL);
}

static void compare_here(const struct prof_regs *regs) {
  walk_from(regs, ROOM);
  take_truth(regs->r[PROF_RIP]);
  sample_count++;
  if (!is_as_truth() && bad_count++ < 3)
    explain();
}

static void compare_now(void) {
  sample_count = bad_count = 0;
  handle(SIGUSR1, compare_here);
  interrupt(SIGUSR1);
  assert_int_equal(sample_count, 1);
  assert_int_equal(bad_count, 0);
}

typedef void action_fn(void);

/* Frames of very different sizes; volatile so that none is optimised away. */
__attribute__((noinline)) static int recurse(int depth, action_fn *action) {
  volatile char pad[64];
  volatile int below;
  pad[0] = 1;
  if (depth == 0) {
    action();
    return pad[0];
  }
  if (depth % 5 == 0) {
    volatile char *more = __builtin_alloca((size_t)(depth % 100) * 64 + 16);
    more[0] = 2;
    below = recurse(depth - 1, action);
    return below + more[0];
  }
  below = recurse(depth - 1, action);
  return below + pad[0];
}

static void recursion_is_as_backtrace_sees_it(void **state) {
  (void)state;
  assert_true(recurse(60, compare_now) > 0);
  assert_int_equal(walk.flags & ~(uint32_t)PROF_WALK_SWITCHED, 0);
  assert_true(walk.count > 60);
}

static void without_find_object_it_is_the_same(void **state) {
  struct prof_rows *before = unwind.rows;
  (void)state;
  unwind.rows = prof_rows_create(NULL);
  prof_rows_without_find_object(unwind.rows);
  assert_true(recurse(20, compare_now) > 0);
  prof_rows_free(unwind.rows);
  unwind.rows = before;
}

static void walk_only(const struct prof_regs *regs) {
  walk_from(regs, ROOM);
  sample_count++;
}

static void walk_some(const struct prof_regs *regs) {
  walk_from(regs, 100);
}

static void do_walk(void) {
  handle(SIGUSR1, walk_only);
  interrupt(SIGUSR1);
}

static void do_walk_some(void) {
  handle(SIGUSR1, walk_some);
  interrupt(SIGUSR1);
}

static void deep_stacks_are_whole_and_the_limit_shows(void **state) {
  uint64_t last;
  (void)state;
  recurse(2500, do_walk);
  assert_int_equal(walk.end, PROF_WALK_COMPLETE);
  assert_true(walk.count > 2500);
  last = words[walk.count - 1];
  recurse(2500, do_walk_some);
  assert_int_equal(walk.end, PROF_WALK_TRUNCATED);
  assert_int_equal(walk.count, 100);
  assert_true(words[99] != last);
}

static void *thread_body(void *unused) {
  (void)unused;
  prof_memory_live(&memory);
  recurse(10, compare_now);
  recurse(30, compare_now);
  return NULL;
}

static void threads_end_where_they_began(void **state) {
  pthread_t thread;
  (void)state;
  assert_int_equal(pthread_create(&thread, NULL, thread_body, NULL), 0);
  pthread_join(thread, NULL);
  assert_int_equal(walk.end, PROF_WALK_COMPLETE);
  assert_true(prof_rows_in_libc(unwind.rows, PROF_WORD_VALUE(words[walk.count - 1])));
  prof_memory_live(&memory);
}

static void compare_quietly(void) {
  interrupt(SIGUSR1);
}

static void nested(int signal) {
  (void)signal;
  recurse(3, compare_quietly);
}

static void check_nested(void) {
  sample_count = bad_count = 0;
  interrupt(SIGUSR2);
  assert_int_equal(sample_count, 1);
  assert_int_equal(bad_count, 0);
  assert_true(walk.flags & PROF_WALK_SIGNALLED);
}

static void signal_frames_are_passed(void **state) {
  struct sigaction action = {.sa_handler = nested};
  stack_t alternate = {.ss_size = 128 << 10}, before;
  (void)state;
  SKIP_UNDER_TSAN();
  handle(SIGUSR1, compare_here);
  sigaction(SIGUSR2, &action, NULL);
  check_nested();
  alternate.ss_sp = malloc(alternate.ss_size);
  sigaltstack(&alternate, &before);
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR2, &action, NULL);
  check_nested();
  before.ss_flags = SS_DISABLE;
  sigaltstack(&before, NULL);
  free(alternate.ss_sp);
}

/* Runs action(argument) on another stack, rbp-based as rust_psm_on_stack does it. */
void test_on_stack(void *top, void (*action)(void *), void *argument);
__asm__(".text\n.globl test_on_stack\n.type test_on_stack, @function\ntest_on_stack:\n"
        ".cfi_startproc\npush %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n"
        "mov %rsp, %rbp\n.cfi_def_cfa_register rbp\nmov %rdi, %rsp\nmov %rdx, %rdi\n"
        "call *%rsi\nmov %rbp, %rsp\npop %rbp\n.cfi_def_cfa rsp, 8\nret\n"
        ".cfi_endproc\n.size test_on_stack, .-test_on_stack\n");

struct segment {
  unsigned char *map; /* with a guard page at both ends */
  size_t bytes;
};

static struct segment segment_new(size_t pages) {
  struct segment segment = {NULL, (pages + 2) * PAGE};
  segment.map =
      mmap(NULL, segment.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(segment.map != MAP_FAILED);
  mprotect(segment.map, PAGE, PROT_NONE);
  mprotect(segment.map + segment.bytes - PAGE, PAGE, PROT_NONE);
  return segment;
}

static void *segment_top(const struct segment *segment) {
  return segment->map + segment->bytes - PAGE;
}

struct switching {
  struct segment low, high;
};

static void on_second(void *unused) {
  (void)unused;
  recurse(15, compare_now);
}

static void on_first(void *user) {
  struct switching *self = user;
  recurse(7, compare_now);
  test_on_stack(segment_top(&self->low), on_second, NULL);
}

/* Both ways: the caller's stack stands above, then below. */
static void switched_stacks_are_crossed(void **state) {
  struct switching self = {segment_new(64), segment_new(64)};
  (void)state;
  if (self.low.map > self.high.map) {
    struct segment swapped = self.low;
    self.low = self.high;
    self.high = swapped;
  }
  test_on_stack(segment_top(&self.high), on_first, &self);
  assert_true(walk.flags & PROF_WALK_SWITCHED);
  assert_true(walk.count > 20);
  {
    struct segment swapped = self.low;
    self.low = self.high;
    self.high = swapped;
  }
  test_on_stack(segment_top(&self.high), on_first, &self);
  assert_true(walk.flags & PROF_WALK_SWITCHED);
  munmap(self.low.map, self.low.bytes);
  munmap(self.high.map, self.high.bytes);
}

static ucontext_t main_context, other_context;

static void context_body(void) {
  recurse(9, do_walk);
}

static void made_contexts_are_complete_at_their_start(void **state) {
  struct segment segment = segment_new(64);
  (void)state;
  getcontext(&other_context);
  other_context.uc_stack.ss_sp = segment.map + PAGE;
  other_context.uc_stack.ss_size = segment.bytes - 2 * PAGE;
  other_context.uc_link = &main_context;
  makecontext(&other_context, context_body, 0);
  swapcontext(&main_context, &other_context);
  assert_int_equal(walk.end, PROF_WALK_COMPLETE);
  assert_true(walk.count > 9);
  munmap(segment.map, segment.bytes);
}

/* A dump of the stack, replayed, gives the words of the live walk; a short one says it is short. */
static uint64_t live_words[ROOM];
static unsigned char dump[256 << 10];

static void capture(const struct prof_regs *regs) {
  uint64_t sp = regs->r[PROF_RSP], word;
  size_t size = 0;
  uint32_t count;
  walk_from(regs, ROOM);
  count = walk.count;
  memcpy(live_words, words, sizeof words);
  prof_memory_live(&memory);
  prof_memory_begin(&memory, sp);
  for (; size < sizeof dump && prof_memory_read(&memory, sp + size, &word); size += 8)
    memcpy(dump + size, &word, 8);
  prof_memory_bytes(&memory, sp, dump, size);
  walk_from(regs, ROOM);
  bad_count += walk.end != PROF_WALK_COMPLETE || walk.count != count ||
               memcmp(words, live_words, count * sizeof *words) != 0;
  prof_memory_bytes(&memory, sp, dump, 2048);
  walk_from(regs, ROOM);
  bad_count += walk.end != PROF_WALK_BAD_READ || walk.count >= count || walk.count < 2 ||
               memcmp(words, live_words, walk.count * sizeof *words) != 0;
  prof_memory_bytes(&memory, sp, dump, 0);
  walk_from(regs, ROOM);
  bad_count += walk.end != PROF_WALK_BAD_READ || walk.count != 1;
  prof_memory_live(&memory);
  sample_count++;
}

static void do_capture(void) {
  handle(SIGUSR1, capture);
  interrupt(SIGUSR1);
}

static void a_dump_replays_to_the_same_words(void **state) {
  (void)state;
  sample_count = bad_count = 0;
  recurse(40, do_capture);
  assert_int_equal(sample_count, 1);
  assert_int_equal(bad_count, 0);
}

/* Registers that make no sense, on a live stack next to a guard page: any end, but no fault. */
static void nonsense_registers_never_fault(void **state) {
  struct segment segment = segment_new(4);
  uint32_t seed = 99;
  unsigned long ends[PROF_WALK_BAD_ROW + 1] = {0};
  (void)state;
  unwind.scan = true;
  for (int i = 0; i < 20000; i++) {
    struct prof_regs regs = {.valid = 0x1ffff};
    uint64_t *stack = (uint64_t *)(segment.map + PAGE);
    for (int word = 0; word < 64; word++) {
      seed = seed * 1664525 + 1013904223;
      stack[(seed >> 8) % (4 * PAGE / 8)] =
          (seed & 1)   ? (uint64_t)(uintptr_t)stack + (seed >> 12) % (5 * PAGE)
          : (seed & 2) ? (uint64_t)(uintptr_t)qsort + (seed >> 12) % 0x20000
                       : (uint64_t)seed << (seed >> 27);
    }
    for (int reg = 0; reg < 17; reg++) {
      seed = seed * 1664525 + 1013904223;
      regs.r[reg] = (uint64_t)(uintptr_t)stack + (seed >> 12) % (4 * PAGE);
      if (seed % 11 == 0)
        regs.r[reg] = (uint64_t)seed << (seed >> 27);
      if (seed % 13 == 0)
        regs.r[reg] = (uint64_t)(uintptr_t)segment_top(&segment) - (seed >> 8) % 24;
    }
    seed = seed * 1664525 + 1013904223;
    regs.r[PROF_RIP] = (uint64_t)(uintptr_t)qsort + (seed >> 10) % 0x40000;
    walk_from(&regs, 200);
    ends[walk.end]++;
  }
  unwind.scan = false;
  assert_true(ends[PROF_WALK_BAD_READ] > 0);
  assert_true(ends[PROF_WALK_NO_MODULE] + ends[PROF_WALK_NO_ROW] > 0);
  munmap(segment.map, segment.bytes);
}

/* A function without rows whose frame is large and mostly as older calls left it: a whole chain of
 * calls that are over lies in it, with a torn end. The walk must not rest on that. */
enum { LARGE = 32 << 10, TORN = 2 << 10 };
typedef void descend_fn(int depth);

__attribute__((noinline, no_sanitize_address)) static void descend(int depth) {
  descend_fn *volatile again = descend; /* an indirect call may have led to code without rows */
  volatile char pad[48];
  pad[0] = (char)depth;
  if (depth)
    again(depth - 1);
  pad[1] = pad[0];
}

__attribute__((noinline, no_sanitize_address)) static void hold_large_frame(void) {
  char large[LARGE];
  __asm__ volatile("" ::"r"(large) : "memory");
  for (int i = LARGE - TORN; i < LARGE; i++)
    ((volatile char *)large)[i] = 0x5a;
  interrupt(SIGUSR1);
  __asm__ volatile("" ::"r"(large) : "memory");
}

__attribute__((noinline, no_sanitize_address)) static void leave_and_hold(void) {
  descend(100);
  hold_large_frame();
  __asm__ volatile("");
}

static bool is_inside(uint64_t pc, void *function) {
  return pc - (uint64_t)(uintptr_t)function < 128;
}

/* By a scan, or under a sanitizer by the frame pointer. */
static void check_stale(const struct prof_regs *regs) {
  bool has_caller = false, has_stale = false;
  walk_from(regs, ROOM);
  for (uint32_t i = 0; i < walk.count; i++) {
    has_caller |= is_inside(PROF_WORD_VALUE(words[i]), (void *)leave_and_hold);
    has_stale |= is_inside(PROF_WORD_VALUE(words[i]), (void *)descend);
  }
  sample_count++;
  bad_count += walk.end != PROF_WALK_COMPLETE || !has_caller || has_stale;
}

static void what_older_calls_left_is_scanned_over(void **state) {
  (void)state;
  SKIP_UNDER_TSAN();
  sample_count = bad_count = 0;
  handle(SIGUSR1, check_stale);
  unwind.scan = true;
  /* Its end is not known: up to the function behind it. */
  prof_rows_withhold(unwind.rows, (uint64_t)(uintptr_t)hold_large_frame,
                     (uint64_t)(uintptr_t)leave_and_hold);
  prof_rows_forget(unwind.rows, 0, 1);
  leave_and_hold();
  unwind.scan = false;
  prof_rows_withhold(unwind.rows, 0, 0);
  prof_rows_forget(unwind.rows, 0, 1);
  assert_int_equal(sample_count, 1);
  assert_int_equal(bad_count, 0);
}

/* Returns to itself with a frame that never shrinks. */
static void a_stack_that_turns_in_a_circle_ends(void **state) {
  uint64_t ring[4];
  struct prof_regs regs = {.valid = 0x1ffff};
  (void)state;
  ring[0] =
      (uint64_t)(uintptr_t)ring; /* rbp, then the return address: behind test_on_stack's call */
  ring[1] = (uint64_t)(uintptr_t)test_on_stack + 12;
  regs.r[PROF_RBP] = regs.r[PROF_RSP] = (uint64_t)(uintptr_t)ring;
  regs.r[PROF_RIP] = ring[1] - 2;
  walk_from(&regs, ROOM);
  assert_int_equal(walk.end, PROF_WALK_LOOP);
  assert_true(walk.count < 64);
}

static void errno_is_kept(void **state) {
  (void)state;
  errno = 4711;
  recurse(5, do_walk);
  assert_int_equal(errno, 4711);
}

/* Every instruction of a workload, by the trap flag: prologues, epilogues, PLT stubs, the dynamic
 * linker's resolver, libc's assembly. The outer frames must be the same ones each time. */
static uint64_t anchor[8];
static bool has_anchor;

static void check_step(const struct prof_regs *regs) {
  bool same = true;
  if (regs->r[PROF_RSP] >= anchor[0])
    return; /* back out of the workload */
  walk_from(regs, ROOM);
  sample_count++;
  if (walk.end != PROF_WALK_COMPLETE || walk.count < 8)
    same = false;
  for (uint32_t i = 0; same && i < 6; i++) {
    uint64_t word = words[walk.count - 1 - i];
    if (!has_anchor)
      anchor[i + 1] = word;
    else
      same = anchor[i + 1] == word;
  }
  has_anchor = true;
  if (!same && bad_count++ < 5)
    explain();
}

static int compare_ints(const void *left, const void *right) {
  return *(const int *)left - *(const int *)right;
}

__attribute__((noinline)) static void workload(void) {
  int numbers[32];
  char text[256], copy[256];
  struct timespec now;
  volatile double value = 2;
  for (int i = 0; i < 32; i++)
    numbers[i] = i * 7919 % 31;
  qsort(numbers, 32, sizeof *numbers, compare_ints);
  snprintf(text, sizeof text, "%d %s %g", numbers[3], "text", value);
  memcpy(copy, text, sizeof copy);
  value += (double)strlen(copy) + (strchr(copy, 'x') != NULL);
  clock_gettime(CLOCK_MONOTONIC, &now);
  free(malloc(1000 + (size_t)now.tv_nsec % 2));
  recurse(6, (action_fn *)(void *)getppid);
}

__attribute__((noinline)) static void step_through(void) {
  anchor[0] = (uint64_t)(uintptr_t)__builtin_frame_address(0) - 256;
  __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
  workload();
  __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
}

static void every_instruction_unwinds(void **state) {
  (void)state;
  sample_count = bad_count = 0;
  has_anchor = false;
  handle(SIGTRAP, check_step);
  step_through();
  signal(SIGTRAP, SIG_DFL);
  print_message("%lu instructions, %lu wrong\n", sample_count, bad_count);
  assert_true(sample_count > 2000);
  assert_int_equal(bad_count, 0);
}

/* Timer signals wherever they fall, the vdso among it. */
static void samples_by_a_timer_are_complete(void **state) {
  struct itimerval every = {{0, 500}, {0, 500}}, never = {{0, 0}, {0, 0}};
  struct timespec start, now;
  (void)state;
  SKIP_UNDER_TSAN();
  sample_count = bad_count = 0;
  handle(SIGPROF, compare_here);
  setitimer(ITIMER_REAL, &never, NULL);
  setitimer(ITIMER_PROF, &every, NULL);
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    for (int i = 0; i < 100; i++)
      clock_gettime(CLOCK_MONOTONIC, &now);
    recurse(20, (action_fn *)(void *)getppid);
  } while (now.tv_sec - start.tv_sec < 1);
  setitimer(ITIMER_PROF, &never, NULL);
  signal(SIGPROF, SIG_IGN);
  print_message("%lu samples, %lu not as backtrace()\n", sample_count, bad_count);
  if (sample_count < 20) {
    print_message("skipped: the timer gave too few samples\n");
    skip();
  }
  assert_int_equal(bad_count, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(recursion_is_as_backtrace_sees_it),
      cmocka_unit_test(without_find_object_it_is_the_same),
      cmocka_unit_test(deep_stacks_are_whole_and_the_limit_shows),
      cmocka_unit_test(threads_end_where_they_began),
      cmocka_unit_test(signal_frames_are_passed),
      cmocka_unit_test(switched_stacks_are_crossed),
      cmocka_unit_test(made_contexts_are_complete_at_their_start),
      cmocka_unit_test(a_dump_replays_to_the_same_words),
      cmocka_unit_test(nonsense_registers_never_fault),
      cmocka_unit_test(what_older_calls_left_is_scanned_over),
      cmocka_unit_test(a_stack_that_turns_in_a_circle_ends),
      cmocka_unit_test(errno_is_kept),
      cmocka_unit_test(every_instruction_unwinds),
      cmocka_unit_test(samples_by_a_timer_are_complete),
  };
  void *warm[4];
  int failed;
  backtrace(warm, 4); /* loads libgcc_s now, not in a handler */
  unwind.rows = prof_rows_create(NULL);
  prof_memory_live(&memory);
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  prof_rows_free(unwind.rows);
  return failed;
}
