/*
 * unlisted: names for machine code that V8 does not list (code/v8function.h says which that is).
 *
 * A place in no known code is asked about: from the next map on (stack/unwind.h) the handler leaves
 * the bytecode of the function that runs there beside it, and the place has that function's name.
 * A place that was sampled before its answer, and never again, has the name of the answered ones
 * around it, where these agree.
 *
 * The caller provides one thread, and a space that knows the bytecode. Refuses: more than
 * PROF_V8_UNLISTED stretches of code and PROF_UNLISTED_PLACES places; those keep their addresses.
 */
#ifndef RSPACK_PROF_STACK_UNLISTED_H
#define RSPACK_PROF_STACK_UNLISTED_H

#include "base/table.h"
#include "code/space.h"
#include "stack/unwind.h"

enum { PROF_UNLISTED_PLACES = 1 << 16 };

struct prof_unlisted {
  struct prof_v8_unlisted asked[PROF_V8_UNLISTED];
  uint32_t asked_count;
  bool is_new; /* asked since the caller set it to false */
  struct prof_unlisted_place {
    uint64_t address;
    uint32_t code;
  } * places;
  size_t count, capacity;
  bool is_sorted;
  struct prof_table by_address;  /* -> code */
  struct prof_table by_bytecode; /* its id -> code */
};

/* The place is in code that nobody knows. */
void prof_unlisted_ask(struct prof_unlisted *self, uint64_t address);

/* Its function's bytecode (an id of the space): the id of that function's unlisted code, or
 * PROF_CODE_NONE where memory ends. */
uint32_t prof_unlisted_answer(struct prof_unlisted *self, struct prof_space *space,
                              uint64_t address, uint32_t bytecode);

/* The code at an address that was answered before, or PROF_CODE_NONE. */
uint32_t prof_unlisted_find(const struct prof_unlisted *self, uint64_t address);

/* At the end: the same, also by the nearest answers on both sides. */
uint32_t prof_unlisted_near(struct prof_unlisted *self, uint64_t address);

void prof_unlisted_free(struct prof_unlisted *self);

#endif
