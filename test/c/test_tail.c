/* tail: a dump continued in live memory that has, or has not, changed meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/step.h"
#include "stack/tail.h"

/* tail_calls has a frame of 32 bytes, return address included; tail_switches finds its caller's
 * frame where rbp points, on whatever stack; tail_starts is a thread's first function. */
extern const char calls[], switches[], starts[];
__asm__(".text\n.type tail_calls, @function\ntail_calls:\n.cfi_startproc\n"
        "sub $24, %rsp\n.cfi_def_cfa_offset 32\ncall tail_calls\n.globl calls\ncalls: nop\n"
        ".cfi_endproc\n.size tail_calls, .-tail_calls\n"
        ".type tail_switches, @function\ntail_switches:\n.cfi_startproc\n"
        ".cfi_def_cfa rbp, 16\n.cfi_offset rbp, -16\ncall tail_calls\n.globl switches\n"
        "switches: nop\n.cfi_endproc\n.size tail_switches, .-tail_switches\n"
        ".type tail_starts, @function\ntail_starts:\n.cfi_startproc\n.cfi_undefined rip\n"
        "call tail_calls\n.globl starts\nstarts: hlt\n.cfi_endproc\n"
        ".size tail_starts, .-tail_starts\n");

enum { FRAMES = 8, FRAME_WORDS = 4, WORDS = FRAMES * FRAME_WORDS, DUMPED = 3 * FRAME_WORDS };
#define STACK 0x7000000000ull
#define OTHER 0x6000000000ull /* another mapping, below */

/* A thread's memory as it is by the time that it is read. */
struct fixture {
  uint64_t words[WORDS], other[WORDS], dump[DUMPED];
  size_t readable, other_readable; /* bytes */
  uint64_t output[64];
  struct prof_rows *rows;
  struct prof_unwind unwind;
  struct prof_tail tail;
  struct prof_walk walk;
  struct prof_regs regs;
};

static size_t copy(uint64_t start, const void *from, size_t bytes, uint64_t address, void *out,
                   size_t size) {
  if (address < start || address - start >= bytes)
    return 0;
  size_t there = bytes - (address - start);
  there = there < size ? there : size;
  memcpy(out, (const char *)from + (address - start), there);
  return there;
}

static size_t read_fixture(void *user, uint64_t address, void *out, size_t size) {
  struct fixture *self = user;
  size_t got = copy(STACK, self->words, self->readable, address, out, size);
  return got ? got : copy(OTHER, self->other, self->other_readable, address, out, size);
}

/* Seven frames of tail_calls, the innermost interrupted, called by tail_starts. */
static int set_up(void **state) {
  static struct fixture fixture;
  struct fixture *self = *state = &fixture;
  memset(self, 0, sizeof *self);
  self->rows = prof_rows_create(NULL);
  self->unwind.rows = self->rows;
  for (int i = 0; i < FRAMES; i++)
    self->words[i * FRAME_WORDS + 3] = (uintptr_t)(i == FRAMES - 1 ? starts : calls);
  memcpy(self->dump, self->words, sizeof self->dump);
  self->readable = self->other_readable = sizeof self->words;
  self->walk = (struct prof_walk){.words = self->output, .capacity = 64};
  self->regs = (struct prof_regs){.valid = 0x1ffff};
  self->regs.r[PROF_RIP] = (uintptr_t)calls;
  self->regs.r[PROF_RSP] = STACK;
  return prof_tail_init(&self->tail, &self->unwind, read_fixture, self);
}

static int tear_down(void **state) {
  struct fixture *self = *state;
  prof_tail_free(&self->tail);
  prof_rows_free(self->rows);
  return 0;
}

static bool walk(struct fixture *self) {
  return prof_tail_walk(&self->tail, &self->regs, self->dump, sizeof self->dump, &self->walk);
}

static void assert_cut(struct fixture *self) {
  assert_int_equal(self->walk.end, PROF_WALK_TRUNCATED);
  assert_int_equal(self->walk.count, 4); /* the leaf, and three return addresses in the dump */
  assert_int_equal(self->tail.counters.asked, 1);
  assert_int_equal(self->tail.counters.joined, 0);
}

static void goes_on_in_live_memory_that_still_returns_to_the_same_places(void **state) {
  struct fixture *self = *state;
  self->words[0] = self->words[1] = 99; /* what runs there by now: nothing is asked of it */
  self->words[3] = 99;
  assert_true(walk(self));
  assert_int_equal(self->walk.end, PROF_WALK_COMPLETE);
  assert_int_equal(self->walk.count, FRAMES + 1);
  assert_int_equal(self->output[FRAMES], PROF_WORD(PROF_WORD_RETURN, (uintptr_t)starts - 1));
  assert_int_equal(self->tail.counters.joined, 1);
}

static void refuses_when_one_return_address_is_another(void **state) {
  for (int frame = 1; frame <= 2; frame++) {
    tear_down(state);
    set_up(state);
    struct fixture *self = *state;
    self->words[frame * FRAME_WORDS + 3] += 1;
    assert_false(walk(self));
    assert_cut(self);
    assert_int_equal(self->tail.counters.changed, 1);
  }
}

static void refuses_a_copy_with_one_return_address(void **state) {
  struct fixture *self = *state;
  assert_false(prof_tail_walk(&self->tail, &self->regs, self->dump, 32, &self->walk));
  assert_int_equal(self->walk.end, PROF_WALK_TRUNCATED);
  assert_int_equal(self->walk.count, 2);
  assert_int_equal(self->tail.counters.unproven, 1);
}

static void says_truncated_where_memory_is_gone(void **state) {
  struct fixture *self = *state;
  self->readable = sizeof self->dump + 64;
  assert_false(walk(self));
  assert_int_equal(self->walk.end, PROF_WALK_TRUNCATED);
  assert_int_equal(self->walk.count, 6); /* what was read there is proven */
  assert_int_equal(self->tail.counters.unreadable, 1);
}

static void is_a_dump_alone_without_a_reader(void **state) {
  struct fixture *self = *state;
  prof_tail_free(&self->tail);
  assert_int_equal(prof_tail_init(&self->tail, &self->unwind, NULL, NULL), 0);
  assert_false(walk(self));
  assert_cut(self);
}

static void leaves_a_dump_alone_that_holds_the_whole_stack(void **state) {
  struct fixture *self = *state;
  self->dump[DUMPED - 1] = (uintptr_t)starts;
  self->readable = 0;
  assert_false(walk(self));
  assert_int_equal(self->walk.end, PROF_WALK_COMPLETE);
  assert_int_equal(self->tail.counters.asked, 0);
}

/* As `stacker` does: the third frame's caller is where rbp points, in a mapping below. */
static void follows_a_switch_to_another_stack(void **state) {
  struct fixture *self = *state;
  self->dump[DUMPED - 1] = self->words[DUMPED - 1] = (uintptr_t)switches;
  self->regs.r[PROF_RBP] = OTHER + 16;
  self->other[3] = (uintptr_t)calls;
  self->other[7] = (uintptr_t)starts;
  assert_true(walk(self));
  assert_int_equal(self->walk.end, PROF_WALK_COMPLETE);
  assert_int_equal(self->walk.count, 6);
  assert_true(self->walk.flags & PROF_WALK_SWITCHED);

  self->words[DUMPED - 1] = 99; /* the switching function has returned */
  assert_false(walk(self));
  assert_int_equal(self->walk.end, PROF_WALK_TRUNCATED);
  assert_int_equal(self->walk.count, 4);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(goes_on_in_live_memory_that_still_returns_to_the_same_places),
      TEST(refuses_when_one_return_address_is_another),
      TEST(refuses_a_copy_with_one_return_address),
      TEST(says_truncated_where_memory_is_gone),
      TEST(is_a_dump_alone_without_a_reader),
      TEST(leaves_a_dump_alone_that_holds_the_whole_stack),
      TEST(follows_a_switch_to_another_stack),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
