/*
 * unwind: registers and a stack -> the places on it, innermost first.
 *
 * ELF images by their .eh_frame rows, V8's code by frame pointers, code that has neither by
 * guesses that are flagged. Made for a signal handler on the thread's own live stack: no lock, no
 * malloc, no errno, under 1 KB of stack, no read that can fault.
 *
 * The caller provides rows and memory, room for the words, and (where there is V8) the map of its
 * builtins; the map may be replaced at any time but must outlive the walks that started before.
 * Refuses: other machines than x86_64 and aarch64.
 */
#ifndef RSPACK_PROF_STACK_UNWIND_H
#define RSPACK_PROF_STACK_UNWIND_H

#include "base/arch.h"
#include "stack/memory.h"
#include "stack/rows.h"
#include "stack/v8map.h"

/* The kind in the top 8 bits of a word, 56 bits of value. */
enum prof_word {
  PROF_WORD_PC = 0,       /* where it was interrupted: the leaf, or what a signal interrupted */
  PROF_WORD_RETURN = 1,   /* return address - 1, so that it lies in the calling instruction */
  PROF_WORD_BYTECODE = 2, /* behind a word: its frame's bytecode, as the interpreter's slot has it
                             (unchecked), or by its function (struct prof_v8_map, unlisted) */
  PROF_WORD_GAP = 3,      /* precedes a frame found by scanning: bytes of stack skipped */
};
#define PROF_WORD(kind, value) ((uint64_t)(kind) << 56 | ((uint64_t)(value)&0xffffffffffffff))
#define PROF_WORD_KIND(word) ((enum prof_word)((word) >> 56))
#define PROF_WORD_VALUE(word) ((word)&0xffffffffffffff)

enum prof_walk_end {
  PROF_WALK_COMPLETE,  /* reached the thread's start */
  PROF_WALK_TRUNCATED, /* more frames than the capacity */
  PROF_WALK_NO_MODULE, /* end_pc is in no image and no JIT code (0: a return address of 0) */
  PROF_WALK_NO_ROW,    /* end_pc is in an image, but no row covers it and no guess holds */
  PROF_WALK_BAD_READ,  /* a word of the stack cannot be read */
  PROF_WALK_LOOP,
  PROF_WALK_BAD_ROW, /* the row does not parse, or needs a register that nobody saved */
};

enum prof_walk_flag {
  PROF_WALK_FULL = 1,       /* all callee-saved registers had to be followed */
  PROF_WALK_SWITCHED = 2,   /* the stack pointer went to another stack */
  PROF_WALK_SIGNALLED = 4,  /* a signal handler's frame was passed */
  PROF_WALK_GUESS_PLT = 8,  /* a PLT stub known by its bytes */
  PROF_WALK_GUESS_FP = 16,  /* a frame pointer, or a leaf without a frame, trusted without a row */
  PROF_WALK_GUESS_SCAN = 32 /* a return address found by scanning the stack */
};

struct prof_unwind {
  struct prof_rows *rows;
  const struct prof_v8_map *_Atomic v8; /* NULL: no V8 here */
  bool scan; /* look up the stack where neither row nor frame pointer helps */
};

struct prof_walk {
  uint64_t *words;            /* the caller's */
  struct prof_recall *recall; /* of walks before (stack/recall.h); NULL: none */
  uint32_t capacity, count;
  enum prof_walk_end end;
  uint64_t end_pc;
  uint32_t flags; /* enum prof_walk_flag */
};
const char *prof_walk_end_name(enum prof_walk_end end);

void prof_unwind_walk(struct prof_unwind *self, struct prof_memory *memory,
                      const struct prof_regs *regs, struct prof_walk *walk);

#endif
