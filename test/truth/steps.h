/*
 * steps: what stands on the stack at every single instruction, known from the instructions
 * themselves, against what the unwinder says there.
 *
 * The processor's trap flag stops the thread behind each instruction. A call pushes its return
 * address onto a list, a ret takes it off, and so the list is the stack: nothing of .eh_frame,
 * frame pointers or V8 is asked. Below the place where stepping began the list is what the walk
 * said there. At each stop the unwinder walks from the stopped registers, and every word must be
 * the list's. It walks again with the outer part of an earlier walk at hand (stack/recall.h), of
 * the stop before and of up to STEPS_APART stops before: each must be the same walk.
 *
 * The caller calls steps_command on one thread; in between it must not start threads, block
 * SIGTRAP, or leave frames by other ways than ret, longjmp, a C++ or V8 exception or sigreturn. A
 * signal handler that is to be stepped too says so itself (STEPS_SIGNALLED), since the kernel
 * clears the trap flag on delivery.
 */
#ifndef RSPACK_PROF_TEST_TRUTH_STEPS_H
#define RSPACK_PROF_TEST_TRUTH_STEPS_H

#include <stdint.h>

#include "stack/unwind.h"

enum { STEPS_SHOWN = 256, STEPS_CONTEXT = 12, STEPS_LEAVING = 8, STEPS_APART = 211 };

enum steps_order {
  STEPS_BEGIN = 1,
  STEPS_END = 2,
  STEPS_SIGNALLED = 3, /* argument: the handler's ucontext */
};

/* One pc at which a walk was not the truth. */
struct steps_wrong {
  uint64_t pc, count;
  uint32_t got_count, want_count, differs_at; /* frames; index of the first difference */
  enum prof_walk_end end;
  uint32_t flags;
  uint64_t got[STEPS_CONTEXT], want[STEPS_CONTEXT]; /* words from two before differs_at on */
};

struct steps_result {
  uint64_t steps, wrong; /* instructions; of those with a walk that is not the truth */
  uint64_t calls, returns;
  uint64_t jumped;    /* frames left by a jump (exceptions, longjmp) */
  uint64_t rewritten; /* return addresses that changed in memory (V8's lazy deoptimisation) */
  uint64_t leaving;   /* walks without the frames that a jump is giving up */
  uint64_t guessed;   /* walks with a guess in them */
  uint64_t recalled, not_recalled; /* frames taken over from a walk before; walks not as without */
  uint32_t deepest, shown;
  struct steps_wrong wrongs[STEPS_SHOWN];
};

/* Code that is about to leave frames for good, and whose rows describe the stack as it will be: the
 * callees of longjmp, and of _Unwind_RaiseException once it writes the catcher's registers over its
 * own. There a walk without the frames that are given up is right too, and counted as `leaving`. */
void steps_leaving(uint64_t start, uint64_t end);

/* Installs the SIGTRAP handler, on an alternate stack of its own for this thread. */
int steps_install(struct prof_unwind *unwind);
void steps_uninstall(void);

/* Begin resets the result. */
void steps_command(uint64_t order, uint64_t argument);
const struct steps_result *steps_result(void);

#endif
