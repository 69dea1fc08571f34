/* arm64's single steps, on made rows, registers, stacks and code: what no recorded program shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "replay.h"
#include "stack/step.h"
#include "stack/v8frame.h"

#define STACK 0x7ff000u
#define CODE 0x400000u
#define CALLER 0x410000u
#define SIGNED(address) ((address) | 0x00a5000000000000u)

enum { X19 = 19 };

static uint64_t stack[64];
static uint32_t code[64], calls[4];
static struct prof_memory memory;
static struct prof_regs regs;

static void set_up(void) {
  memset(stack, 0, sizeof stack);
  memset(code, 0, sizeof code);
  prof_memory_bytes(&memory, STACK, stack, sizeof stack);
  memory.has_code = true;
  replay_code(CODE, code, sizeof code);
  calls[1] = 0x94000000u | ((CODE - (CALLER + 4)) / 4 & 0x3ffffffu); /* bl CODE; returns to + 8 */
  replay_code(CALLER, calls, sizeof calls);
  memset(&regs, 0, sizeof regs);
  regs.valid = PROF_REG(PROF_REGS) - 1;
  regs.r[PROF_REG_SP] = STACK;
  regs.r[PROF_REG_FP] = STACK + 64;
  regs.r[PROF_REG_LR] = CALLER + 8;
  regs.r[PROF_REG_PC] = CODE;
}

static struct prof_cfi_row saved(int32_t cfa, int32_t fp, int32_t lr) {
  struct prof_cfi_row row = {.cfa_register = PROF_REG_SP, .cfa_value = cfa};
  row.rule[PROF_CFI_FP] = fp ? PROF_CFI_OFFSET : PROF_CFI_SAME;
  row.value[PROF_CFI_FP] = fp;
  row.rule[PROF_CFI_RA] = lr ? PROF_CFI_OFFSET : PROF_CFI_SAME;
  row.value[PROF_CFI_RA] = lr;
  return row;
}

static prof_row packed(int32_t cfa, int32_t fp, int32_t lr) {
  struct prof_cfi_row row = saved(cfa, fp, lr);
  return prof_row_pack(NULL, &row);
}

static void rows_that_need_more_are_slow(void **state) {
  struct prof_cfi_row row = saved(32, -32, -24);
  (void)state;
  assert_int_equal(PROF_ROW_KIND(prof_row_pack(NULL, &row)), PROF_ROW_NORMAL);
  assert_int_equal(PROF_ROW_KIND(packed(32, -32, -16)), PROF_ROW_SLOW); /* not a pair */
  row.cfa_register = X19;
  assert_int_equal(PROF_ROW_KIND(prof_row_pack(NULL, &row)), PROF_ROW_SLOW);
  row = saved(32, -32, -24);
  row.rule[PROF_CFI_RA] = PROF_CFI_UNDEFINED;
  assert_int_equal(PROF_ROW_KIND(prof_row_pack(NULL, &row)), PROF_ROW_START);
  row.is_signal_frame = true;
  row.rule[PROF_CFI_RA] = PROF_CFI_OFFSET;
  assert_int_equal(PROF_ROW_KIND(prof_row_pack(NULL, &row)), PROF_ROW_SIGNAL);
}

static void a_signed_return_address_leads_to_its_code(void **state) {
  (void)state;
  set_up();
  stack[0] = STACK + 200;
  stack[1] = SIGNED(CALLER + 8);
  assert_int_equal(prof_step_row(packed(32, -32, -24), &memory, &regs), PROF_STEP_OK);
  assert_int_equal(regs.r[PROF_REG_PC], CALLER + 8);
  assert_int_equal(regs.r[PROF_REG_SP], STACK + 32);
  assert_int_equal(regs.r[PROF_REG_FP], STACK + 200);
}

/* A leaf's row is a caller's too, where that calls a function that never returns. */
static void the_link_register_of_a_caller_is_not_known(void **state) {
  (void)state;
  set_up();
  assert_int_equal(prof_step_row(packed(16, 0, 0), &memory, &regs), PROF_STEP_OK);
  assert_int_equal(regs.r[PROF_REG_PC], CALLER + 8);
  assert_false(prof_regs_has(&regs, PROF_REG_LR));
  assert_int_equal(prof_step_row(packed(16, 0, 0), &memory, &regs), PROF_STEP_BAD_ROW);
  assert_int_equal(regs.r[PROF_REG_SP], STACK + 16);
  assert_int_equal(prof_step_frameless(&memory, &regs, 0), PROF_STEP_REFUSED);
  regs.r[PROF_REG_LR] = 1;
  assert_false(prof_arch_return(&regs, true));
}

/* The record of the first frame is at its top; the caller's is at its bottom, 48 bytes below its
 * CFA. How much is between the two, nobody knows. */
static void behind_a_frame_record_x29_finds_the_frame(void **state) {
  (void)state;
  set_up();
  stack[8] = STACK + 200; /* at x29 */
  stack[9] = CALLER + 8;
  stack[25] = STACK + 400;
  stack[26] = CALLER + 8;
  assert_int_equal(prof_step_frame_pointer(&memory, &regs), PROF_STEP_OK);
  assert_false(prof_regs_has(&regs, PROF_REG_SP));
  assert_int_equal(prof_step_row(packed(48, 0, -16), &memory, &regs), PROF_STEP_BAD_ROW);
  assert_int_equal(prof_step_row(packed(48, -48, -40), &memory, &regs), PROF_STEP_OK);
  assert_int_equal(regs.r[PROF_REG_SP], STACK + 248);
  assert_int_equal(regs.r[PROF_REG_FP], STACK + 400);
  assert_true(prof_regs_has(&regs, PROF_REG_SP));
}

static enum prof_step step_v8_at(unsigned instruction, const struct prof_v8_map *map) {
  regs.r[PROF_REG_PC] = CODE + 4 * instruction;
  return prof_v8_step(map, &memory, &regs, true);
}

/* What V8's assembler writes (src/codegen/arm64: Prologue, EnterFrame, LeaveFrame; not yet seen on
 * a machine). */
static void v8s_frames_before_in_and_behind_their_record(void **state) {
  static const uint32_t function[] = {
      0xa9bf7bfd, /* stp x29, x30, [sp, #-16]! */
      0x910003fd, /* mov x29, sp */
      0xd2800000, /* the function */
      0x910003bf, /* mov sp, x29 */
      0xa8c17bfd, /* ldp x29, x30, [sp], #16 */
      0xd65f03c0, /* ret */
  };
  /* By instruction: whether the record is this function's; how much was pushed. */
  static const struct {
    bool is_framed;
    unsigned pushed;
  } truth[] = {{false, 0}, {false, 16}, {true, 0}, {true, 0}, {true, 0}, {false, 0}};
  const struct prof_v8_map map = {.blob_start = CODE, .blob_end = CODE + sizeof code};
  (void)state;
  for (unsigned at = 0; at < 6; at++) {
    set_up();
    memcpy(code + 32, function, sizeof function);
    calls[1] = 0x94000000u | ((CODE + 128 - (CALLER + 4)) / 4 & 0x3ffffffu);
    stack[8] = STACK + 300;
    stack[9] = CALLER + 12;
    if (truth[at].is_framed)
      regs.r[PROF_REG_LR] = CODE + 128 + 12; /* of a call that is over */
    assert_int_equal(step_v8_at(32 + at, &map), PROF_STEP_OK);
    assert_int_equal(regs.r[PROF_REG_PC], truth[at].is_framed ? CALLER + 12 : CALLER + 8);
    assert_int_equal(regs.r[PROF_REG_FP], truth[at].is_framed ? STACK + 300 : STACK + 64);
    if (!truth[at].is_framed)
      assert_int_equal(regs.r[PROF_REG_SP], STACK + truth[at].pushed);
  }
}

/* Without a frame, x30 is in the interpreter; with one and after a call, it is somewhere else. */
static void v8s_bytecode_handlers(void **state) {
  struct prof_v8_map map = {.blob_start = CODE, .blob_end = CALLER + 16, .interpreter_count = 1};
  (void)state;
  map.interpreter[0].start = CALLER;
  map.interpreter[0].end = CALLER + 16;
  set_up();
  calls[1] = 0xd63f0020; /* blr x1 */
  stack[9] = CALLER + 12;
  assert_int_equal(step_v8_at(4, &map), PROF_STEP_OK);
  assert_int_equal(regs.r[PROF_REG_PC], CALLER + 8);
  assert_int_equal(regs.r[PROF_REG_FP], STACK + 64);
  set_up();
  stack[9] = CALLER + 12;
  regs.r[PROF_REG_LR] = CODE + 8;
  assert_int_equal(step_v8_at(4, &map), PROF_STEP_OK);
  assert_int_equal(regs.r[PROF_REG_PC], CALLER + 12);
}

/* mmap() begins at the top, where bit 47 is set. */
static void v8s_objects_may_be_anywhere_in_48_bits(void **state) {
  (void)state;
  assert_true(prof_v8function_is_object(0xffff00000009));
  assert_false(prof_v8function_is_object(0x1000000000009));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_that_need_more_are_slow),
      cmocka_unit_test(a_signed_return_address_leads_to_its_code),
      cmocka_unit_test(the_link_register_of_a_caller_is_not_known),
      cmocka_unit_test(behind_a_frame_record_x29_finds_the_frame),
      cmocka_unit_test(v8s_frames_before_in_and_behind_their_record),
      cmocka_unit_test(v8s_bytecode_handlers),
      cmocka_unit_test(v8s_objects_may_be_anywhere_in_48_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
