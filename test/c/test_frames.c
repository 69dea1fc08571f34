/* stack/v8frame, stack/guess and stack/code through the walk: frames laid out by hand, with code
 * bytes around them, since what V8 emits cannot be had in a unit test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "stack/context.h"
#include "stack/step.h"
#include "stack/unwind.h"

enum { PAGE = 4096, HANDLER = 0x900, INTERPRETER = 0x100, RETURN_TO_INTERPRETER = 0x160 };

static struct prof_unwind unwind;
static struct prof_v8_map map;
static struct prof_memory memory;
static struct prof_regs regs;
static struct prof_walk walk;
static uint64_t words[32];
static uint8_t *blob, *plain; /* a page each: V8's builtins; an image without rows */
static uint64_t *stack;       /* a page */
static uint64_t start;        /* a return address into the function that starts the process */
static uint64_t thread_start; /* the same of a thread */

static uint64_t at(const void *pointer) {
  return (uint64_t)(uintptr_t)pointer;
}

static void *find_thread_start(void *unused) {
  struct prof_memory here;
  ucontext_t context;
  (void)unused;
  getcontext(&context);
  prof_memory_live(&here);
  prof_context_registers(&context, &regs);
  walk = (struct prof_walk){.words = words, .capacity = 32};
  prof_unwind_walk(&unwind, &here, &regs, &walk);
  thread_start = PROF_WORD_VALUE(words[walk.count - 1]) + 1;
  return NULL;
}

static int set_up(void **state) {
  pthread_t thread;
  ucontext_t context;
  struct prof_cfi_image none = {0};
  (void)state;
  blob = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  plain = blob + PAGE;
  stack = (uint64_t *)(blob + 2 * PAGE);
  unwind.rows = prof_rows_create(NULL);
  prof_rows_add(unwind.rows, at(plain), at(plain) + PAGE, &none, NULL);
  pthread_create(&thread, NULL, find_thread_start, NULL);
  pthread_join(thread, NULL);
  map.blob_start = at(blob);
  map.blob_end = at(blob) + PAGE;
  map.interpreter[0].start = at(blob) + INTERPRETER;
  map.interpreter[0].end = at(blob) + INTERPRETER + 0x100;
  map.interpreter_count = 1;
  map.bytecode_slot = -4;
  map.has_bytecode = true;
  getcontext(&context);
  prof_memory_live(&memory);
  prof_context_registers(&context, &regs);
  walk = (struct prof_walk){.words = words, .capacity = 32};
  prof_unwind_walk(&unwind, &memory, &regs, &walk);
  start = PROF_WORD_VALUE(words[walk.count - 1]) + 1;
  return walk.end == PROF_WALK_COMPLETE ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  prof_rows_free(unwind.rows);
  munmap(blob, 3 * PAGE);
  return 0;
}

/* No code, an empty stack; rsp at word 4, and a frame at word 10 whose caller is the start. */
static int clear(void **state) {
  (void)state;
  memset(blob, 0x90, 2 * PAGE);
  memset(stack, 0, PAGE);
  memset(&regs, 0, sizeof regs);
  regs.valid = 0x1ffff;
  regs.r[PROF_RSP] = at(&stack[4]);
  regs.r[PROF_RBP] = at(&stack[10]);
  stack[9] = 0x1001; /* a context: tagged */
  stack[10] = at(&stack[20]);
  stack[11] = start;
  unwind.v8 = &map;
  unwind.scan = false;
  prof_memory_live(&memory);
  return 0;
}

static void walk_from(uint64_t pc) {
  regs.r[PROF_RIP] = pc;
  walk = (struct prof_walk){.words = words, .capacity = 32};
  prof_unwind_walk(&unwind, &memory, &regs, &walk);
}

static void assert_words(enum prof_walk_end end, uint32_t count, const uint64_t *wanted) {
  assert_int_equal(walk.end, end);
  assert_int_equal(walk.count, count);
  for (uint32_t i = 0; i < count; i++)
    assert_int_equal(words[i], wanted[i]);
}
#define WORDS(end, ...)                                                                            \
  assert_words(end, sizeof((const uint64_t[]){__VA_ARGS__}) / 8, (const uint64_t[]){__VA_ARGS__})
#define PC(address) PROF_WORD(PROF_WORD_PC, address)
#define RETURN(address) PROF_WORD(PROF_WORD_RETURN, (address)-1)

static void direct_call(uint8_t *return_to, const uint8_t *target) {
  int32_t distance = (int32_t)(target - return_to);
  return_to[-5] = 0xe8;
  memcpy(return_to - 4, &distance, 4);
}

static void javascript_frames_go_by_rbp(void **state) {
  (void)state;
  stack[11] = at(blob) + 0x700;
  stack[20] = at(&stack[30]);
  stack[21] = start;
  walk_from(at(blob) + 0x800);
  WORDS(PROF_WALK_COMPLETE, PC(at(blob) + 0x800), RETURN(at(blob) + 0x700), RETURN(start));
}

static void interpreter_frames_tell_their_bytecode(void **state) {
  (void)state;
  stack[6] = 0x123456789;
  walk_from(at(blob) + INTERPRETER + 0x50);
  WORDS(PROF_WALK_COMPLETE, PC(at(blob) + INTERPRETER + 0x50),
        PROF_WORD(PROF_WORD_BYTECODE, 0x123456789), RETURN(start));
}

static void prologues_and_epilogues_are_seen(void **state) {
  uint8_t *code = blob + 0x800;
  (void)state;
  stack[4] = at(blob) + 0x700; /* return address at rsp; rbp is the caller's */
  code[0] = 0x55;
  walk_from(at(code));
  WORDS(PROF_WALK_COMPLETE, PC(at(code)), RETURN(at(blob) + 0x700), RETURN(start));
  code[0] = 0xc3;
  walk_from(at(code));
  WORDS(PROF_WALK_COMPLETE, PC(at(code)), RETURN(at(blob) + 0x700), RETURN(start));
  memcpy(code, "\x5d\x59", 2);
  walk_from(at(code) + 1);
  WORDS(PROF_WALK_COMPLETE, PC(at(code) + 1), RETURN(at(blob) + 0x700), RETURN(start));
  memcpy(code, "\x55\x48\x89\xe5", 4);
  stack[4] = at(&stack[10]);
  stack[5] = at(blob) + 0x700;
  regs.r[PROF_RBP] = 12345;
  walk_from(at(code) + 1);
  WORDS(PROF_WALK_COMPLETE, PC(at(code) + 1), RETURN(at(blob) + 0x700), RETURN(start));
}

static void handlers_without_a_frame_keep_their_interpreter(void **state) {
  (void)state;
  stack[4] = at(blob) + RETURN_TO_INTERPRETER;
  stack[6] = 0x777;
  walk_from(at(blob) + HANDLER);
  WORDS(PROF_WALK_COMPLETE, PC(at(blob) + HANDLER), RETURN(at(blob) + RETURN_TO_INTERPRETER),
        PROF_WORD(PROF_WORD_BYTECODE, 0x777), RETURN(start));
}

static void handlers_with_a_frame_are_not_doubled(void **state) {
  (void)state;
  stack[4] = at(blob) + RETURN_TO_INTERPRETER; /* left there by somebody */
  stack[9] = 22 << 1;                          /* a frame type */
  stack[11] = at(blob) + RETURN_TO_INTERPRETER;
  stack[20] = at(&stack[30]);
  stack[21] = start;
  stack[16] = 0x888;
  walk_from(at(blob) + HANDLER);
  WORDS(PROF_WALK_COMPLETE, PC(at(blob) + HANDLER), RETURN(at(blob) + RETURN_TO_INTERPRETER),
        PROF_WORD(PROF_WORD_BYTECODE, 0x888), RETURN(start));
}

static void builtins_without_a_frame_are_known_by_who_called_them(void **state) {
  (void)state;
  stack[4] = at(blob) + 0x700;
  direct_call(blob + 0x700, blob + 0x7f0);
  walk_from(at(blob) + 0x800);
  WORDS(PROF_WALK_COMPLETE, PC(at(blob) + 0x800), RETURN(at(blob) + 0x700), RETURN(start));
  direct_call(blob + 0x700, blob + 0xa00); /* it called another one: an old word */
  walk_from(at(blob) + 0x800);
  WORDS(PROF_WALK_COMPLETE, PC(at(blob) + 0x800), RETURN(start));
}

static void impossible_frame_pointers_end_the_walk(void **state) {
  (void)state;
  regs.r[PROF_RBP] = at(&stack[2]); /* below rsp */
  walk_from(at(blob) + 0x800);
  assert_int_equal(walk.end, PROF_WALK_NO_MODULE);
  regs.r[PROF_RBP] = at(&stack[10]) + 3;
  walk_from(at(blob) + 0x800);
  assert_int_equal(walk.end, PROF_WALK_NO_MODULE);
  regs.r[PROF_RBP] = at(&stack[10]);
  stack[11] = 0;
  walk_from(at(blob) + 0x800);
  assert_int_equal(walk.end, PROF_WALK_NO_MODULE);
  assert_int_equal(walk.end_pc, 0);
}

static void plt_stubs_without_rows_are_known_by_their_bytes(void **state) {
  (void)state;
  unwind.v8 = NULL;
  stack[4] = start;
  memcpy(plain + 0x500, "\xff\x25\x11\x22\x33\x44\x68\x01\0\0\0\xe9\0\0\0\0", 16);
  walk_from(at(plain) + 0x500);
  WORDS(PROF_WALK_COMPLETE, PC(at(plain) + 0x500), RETURN(start));
  assert_int_equal(walk.flags, PROF_WALK_GUESS_PLT);
  walk_from(at(plain) + 0x506);
  WORDS(PROF_WALK_COMPLETE, PC(at(plain) + 0x506), RETURN(start));
  stack[5] = start;
  stack[4] = 1;
  walk_from(at(plain) + 0x50b); /* behind the push */
  WORDS(PROF_WALK_COMPLETE, PC(at(plain) + 0x50b), RETURN(start));
}

static void frame_pointers_of_plain_code_need_a_call_that_leads_there(void **state) {
  (void)state;
  unwind.v8 = NULL;
  stack[11] = at(plain) + 0x300;
  stack[20] = at(&stack[30]);
  stack[21] = start;
  walk_from(at(plain) + 0x500);
  assert_int_equal(walk.end, PROF_WALK_NO_ROW); /* no call before 0x300 */
  direct_call(plain + 0x300, plain + 0x4f0);
  walk_from(at(plain) + 0x500);
  WORDS(PROF_WALK_COMPLETE, PC(at(plain) + 0x500), RETURN(at(plain) + 0x300), RETURN(start));
  assert_int_equal(walk.flags, PROF_WALK_GUESS_FP);
}

static void forget_rows_of_plain(void) {
  struct prof_cfi_image none = {0};
  prof_rows_forget(unwind.rows, at(plain), at(plain) + PAGE);
  prof_rows_add(unwind.rows, at(plain), at(plain) + PAGE, &none, NULL);
}

/* As V8's PushAllRegistersAndIterateStack, below each garbage collection's walk of the stack:
 * nothing is guessed there, whatever is in rbp. */
static void the_epilogue_behind_a_call_is_a_row(void **state) {
  (void)state;
  unwind.v8 = NULL;
  regs.r[PROF_RBP] = 77;
  memcpy(plain + 0x500, "\xff\x25\x11\x22\x33\x44", 6); /* a PLT stub, which calls nobody */
  memcpy(plain + 0x700 - 3, "\x41\xff\xd0\x48\x83\xc4\x10\x5d\xc3", 9);
  stack[4] = at(plain) + 0x700;
  stack[7] = at(&stack[20]); /* above 16 bytes */
  stack[8] = start;
  forget_rows_of_plain();
  walk_from(at(plain) + 0x500);
  WORDS(PROF_WALK_COMPLETE, PC(at(plain) + 0x500), RETURN(at(plain) + 0x700), RETURN(start));
  assert_int_equal(walk.flags, PROF_WALK_GUESS_PLT);

  plain[0x700 + 5] = 0x5b; /* pop rbx: says nothing of rbp */
  forget_rows_of_plain();
  walk_from(at(plain) + 0x500);
  assert_int_equal(walk.end, PROF_WALK_NO_ROW);
  forget_rows_of_plain();
}

static void scanning_shows_the_gap_it_skipped(void **state) {
  (void)state;
  unwind.v8 = NULL;
  regs.r[PROF_RBP] = 77; /* plain code uses it for something else */
  stack[6] = at(plain) + 0x200;
  stack[40] = start;
  walk_from(at(plain) + 0x500);
  WORDS(PROF_WALK_NO_ROW, PC(at(plain) + 0x500));
  stack[11] = 0;
  unwind.scan = true;
  walk_from(at(plain) + 0x500);
  /* the process's start is believed only behind frames with rows */
  WORDS(PROF_WALK_NO_ROW, PC(at(plain) + 0x500));
  stack[40] = thread_start;
  walk_from(at(plain) + 0x500);
  WORDS(PROF_WALK_COMPLETE, PC(at(plain) + 0x500), PROF_WORD(PROF_WORD_GAP, (40 - 4) * 8),
        RETURN(thread_start));
  assert_int_equal(walk.flags, PROF_WALK_GUESS_SCAN);
}

static void the_profilers_own_frames_are_nobodys_callers(void **state) {
  (void)state;
  unwind.v8 = NULL;
  unwind.scan = true;
  regs.r[PROF_RBP] = 77;
  stack[11] = 0;
  stack[40] = thread_start; /* as a handler that ran on this stack would have left it */
  prof_rows_set_own(unwind.rows, thread_start - 64, thread_start + 64);
  walk_from(at(plain) + 0x500);
  WORDS(PROF_WALK_NO_ROW, PC(at(plain) + 0x500));
  prof_rows_set_own(unwind.rows, 0, 0);
  walk_from(at(plain) + 0x500);
  assert_int_equal(walk.end, PROF_WALK_COMPLETE);
}

static void full_capacity_is_truncated_at_every_kind_of_word(void **state) {
  (void)state;
  stack[6] = 0x999;
  for (uint32_t capacity = 0; capacity < 3; capacity++) {
    regs.r[PROF_RIP] = at(blob) + INTERPRETER + 0x50;
    walk = (struct prof_walk){.words = words, .capacity = capacity};
    prof_unwind_walk(&unwind, &memory, &regs, &walk);
    assert_int_equal(walk.end, PROF_WALK_TRUNCATED);
    assert_int_equal(walk.count, capacity);
  }
}

#define SCENARIO(name) cmocka_unit_test_setup(name, clear)

int main(void) {
  const struct CMUnitTest tests[] = {
      SCENARIO(javascript_frames_go_by_rbp),
      SCENARIO(interpreter_frames_tell_their_bytecode),
      SCENARIO(prologues_and_epilogues_are_seen),
      SCENARIO(handlers_without_a_frame_keep_their_interpreter),
      SCENARIO(handlers_with_a_frame_are_not_doubled),
      SCENARIO(builtins_without_a_frame_are_known_by_who_called_them),
      SCENARIO(impossible_frame_pointers_end_the_walk),
      SCENARIO(plt_stubs_without_rows_are_known_by_their_bytes),
      SCENARIO(frame_pointers_of_plain_code_need_a_call_that_leads_there),
      SCENARIO(the_epilogue_behind_a_call_is_a_row),
      SCENARIO(scanning_shows_the_gap_it_skipped),
      SCENARIO(the_profilers_own_frames_are_nobodys_callers),
      SCENARIO(full_capacity_is_truncated_at_every_kind_of_word),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
