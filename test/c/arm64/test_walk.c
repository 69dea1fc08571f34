/* arm64's walk on x86: at every instruction of a recorded program, compared with the callers that
 * stepping through it saw. Frames of gcc with and without frame pointers and with signed return
 * addresses, libc's, lazy binding, signals, a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "replay.h"
#include "stack/recall.h"

enum { ROOM = 512, SHOWN = 5 };

static struct replay replay;
static uint64_t words[ROOM];

struct tally {
  unsigned walks, wrong, guessed, full, broken;
};

static uint64_t address_of(uint64_t word) {
  return PROF_WORD_VALUE(word) + (PROF_WORD_KIND(word) == PROF_WORD_RETURN);
}

/* The innermost word is pc, then come the callers. */
static bool is_true(const struct prof_walk *walk) {
  if (walk->end != PROF_WALK_COMPLETE || walk->count != replay.depth + 1 ||
      walk->words[0] != PROF_WORD(PROF_WORD_PC, replay.regs.r[PROF_REG_PC]))
    return false;
  for (unsigned i = 0; i < replay.depth; i++) {
    const struct replay_frame *frame = &replay.truth[replay.depth - 1 - i];
    uint64_t word = walk->words[1 + i];
    if (!frame->address)
      continue;
    if (address_of(word) != frame->address ||
        PROF_WORD_KIND(word) != (frame->kind == REPLAY_RETURN ? PROF_WORD_RETURN : PROF_WORD_PC))
      return false;
  }
  return true;
}

static void explain(const struct prof_walk *walk) {
  print_message("instruction %lu, pc 0x%lx: %s at 0x%lx, flags %u, %u words of %u\n",
                (unsigned long)replay.index, (unsigned long)replay.regs.r[PROF_REG_PC],
                prof_walk_end_name(walk->end), (unsigned long)walk->end_pc, walk->flags,
                walk->count, replay.depth + 1);
  for (unsigned i = 0; i < 8 && i < walk->count; i++)
    print_message("  0x%lx 0x%lx\n", (unsigned long)address_of(walk->words[i]),
                  i && i <= replay.depth ? (unsigned long)replay.truth[replay.depth - i].address
                                         : 0);
}

static void walk_here(struct prof_unwind *unwind, struct prof_recall *of_before,
                      struct prof_walk *out) {
  struct prof_memory memory;
  replay_memory(&replay, &memory);
  *out = (struct prof_walk){.words = words, .capacity = ROOM, .recall = of_before};
  prof_unwind_walk(unwind, &memory, &replay.regs, out);
}

/* How a recording is walked. */
struct manner {
  struct prof_recall *recall; /* with what the walk before left */
  bool forgets_code;          /* a dump without code: rows and frame records are all there is */
  bool withholds_rows;        /* of the program itself, as if built without unwind tables */
};

static struct tally walk_all(const char *name, struct manner manner) {
  struct tally tally = {0};
  replay_open(&replay, name);
  replay_forget_code(manner.forgets_code);
  if (manner.withholds_rows)
    prof_rows_withhold(replay.rows, replay.program_start, replay.program_end);
  struct prof_unwind unwind = {.rows = replay.rows, .scan = true};
  while (replay_next(&replay)) {
    struct prof_walk walk;
    walk_here(&unwind, manner.recall, &walk);
    tally.walks++;
    tally.guessed += (walk.flags & (PROF_WALK_GUESS_FP | PROF_WALK_GUESS_PLT)) != 0;
    tally.full += (walk.flags & PROF_WALK_FULL) != 0;
    tally.broken += walk.end != PROF_WALK_COMPLETE;
    if (!is_true(&walk) && tally.wrong++ < SHOWN && !manner.forgets_code && !manner.withholds_rows)
      explain(&walk);
  }
  replay_close(&replay);
  print_message("%s: %u walks, %u not the truth (%u broken), %u with a guess\n", name, tally.walks,
                tally.wrong, tally.broken, tally.guessed);
  return tally;
}

static void every_instruction_of_the_main_thread(void **state) {
  struct tally tally = walk_all("main.rec", (struct manner){0});
  (void)state;
  assert_int_equal(tally.wrong, 0);
  assert_true(tally.walks > 4000);
  assert_true(tally.guessed < tally.walks / 20);
}

static void every_instruction_of_a_thread(void **state) {
  struct tally tally = walk_all("thread.rec", (struct manner){0});
  (void)state;
  assert_int_equal(tally.wrong, 0);
  assert_true(tally.walks > 2000);
}

/* The outer part comes from the walk before, and is the same. */
static void with_the_walk_before_at_hand(void **state) {
  struct prof_recall *recall = calloc(1, sizeof *recall);
  (void)state;
  assert_non_null(recall);
  assert_int_equal(walk_all("main.rec", (struct manner){.recall = recall}).wrong, 0);
  assert_true(recall->passed > 4000);
  free(recall);
}

/* Only what has no rows (PLT stubs, crti's functions, the page that handlers return to) is lost. */
static void without_code(void **state) {
  struct tally tally = walk_all("main.rec", (struct manner){.forgets_code = true});
  (void)state;
  assert_true(tally.wrong > 0);
  assert_true(tally.wrong < tally.walks / 2);
}

/* Frame records and instructions in place of rows: gcc's functions without frame pointers, and
 * libc's frames above such, cannot be right. */
static void without_the_programs_rows(void **state) {
  struct tally tally = walk_all("thread.rec", (struct manner){.withholds_rows = true});
  (void)state;
  assert_true(tally.guessed > tally.walks / 2);
  assert_true(tally.wrong < tally.walks / 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_instruction_of_the_main_thread),
      cmocka_unit_test(every_instruction_of_a_thread),
      cmocka_unit_test(with_the_walk_before_at_hand),
      cmocka_unit_test(without_code),
      cmocka_unit_test(without_the_programs_rows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
