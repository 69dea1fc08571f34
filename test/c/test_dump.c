/* unwind on dumps: what a copy of the stack from its pointer upward does not hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stack/step.h"
#include "stack/unwind.h"

/* Both registers are popped, and the rules still name their slots, as gcc leaves them. */
extern const char popped[], starts[];
__asm__(".text\n.type dump_popped, @function\ndump_popped:\n.cfi_startproc\n"
        "push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n"
        "push %rbx\n.cfi_def_cfa_offset 24\n.cfi_offset rbx, -24\n"
        "pop %rbx\n.cfi_def_cfa_offset 16\npop %rbp\n.cfi_def_cfa_offset 8\n"
        ".globl popped\npopped: ret\n.cfi_endproc\n.size dump_popped, .-dump_popped\n"
        ".type dump_starts, @function\ndump_starts:\n.cfi_startproc\n.cfi_undefined rip\n"
        "call dump_popped\n.globl starts\nstarts: hlt\n.cfi_endproc\n"
        ".size dump_starts, .-dump_starts\n");

static void a_popped_register_is_not_looked_for_below_the_dump(void **state) {
  struct prof_error error;
  struct prof_unwind unwind = {.rows = prof_rows_create(&error)};
  uint64_t stack[8] = {(uint64_t)(uintptr_t)starts}, words[8];
  struct prof_walk walk = {.words = words, .capacity = 8};
  struct prof_memory memory;
  struct prof_regs regs = {.valid = 0x1ffff};
  (void)state;
  assert_non_null(unwind.rows);
  regs.r[PROF_RIP] = (uint64_t)(uintptr_t)popped;
  regs.r[PROF_RSP] = 0x7000;
  regs.r[PROF_RBP] = 0x7f00;
  prof_memory_bytes(&memory, 0x7000, stack, sizeof stack);
  prof_unwind_walk(&unwind, &memory, &regs, &walk);
  assert_int_equal(walk.end, PROF_WALK_COMPLETE);
  assert_int_equal(walk.count, 2);
  assert_int_equal(words[1], PROF_WORD(PROF_WORD_RETURN, (uintptr_t)starts - 1));

  prof_memory_bytes(&memory, 0x7000, stack, sizeof stack);
  assert_int_equal(prof_step_full(unwind.rows, (uintptr_t)popped, &memory, &regs), PROF_STEP_OK);
  assert_int_equal(regs.r[PROF_RBP], 0x7f00);

  /* A dump without a single byte says nothing, popped or not. */
  prof_memory_bytes(&memory, 0x7000, stack, 0);
  regs = (struct prof_regs){.valid = 0x1ffff};
  regs.r[PROF_RIP] = (uint64_t)(uintptr_t)popped;
  regs.r[PROF_RSP] = 0x7000;
  prof_unwind_walk(&unwind, &memory, &regs, &walk);
  assert_int_equal(walk.end, PROF_WALK_BAD_READ);
  prof_rows_free(unwind.rows);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_popped_register_is_not_looked_for_below_the_dump),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
