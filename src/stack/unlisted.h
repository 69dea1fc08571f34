/*
 * unlisted: names for machine code that V8 does not list (code/v8function.h says which that is).
 *
 * A place in no known code is asked about: from the next map on (stack/unwind.h) the handler leaves
 * the bytecode of the function that runs there beside it, and the place has that function's name.
 * A place that was sampled before its answer, and never again, has the name of the answered ones
 * around it, where these agree.
 *
 * A stretch of code that is asked about costs each frame in it some system calls, and V8 gives the
 * memory to other code some day. So one in which nothing unknown was met for PROF_UNLISTED_REST_NS
 * is given back, and asked about anew where something is; what was answered stays answered.
 *
 * The caller provides one thread, and a space that knows the bytecode. Refuses, counted: more than
 * PROF_V8_UNLISTED stretches at once (the one that rests longest makes room, if it rests for
 * PROF_UNLISTED_SPARE_NS), PROF_UNLISTED_TURNS given back and PROF_UNLISTED_PLACES places; those
 * keep their addresses.
 */
#ifndef RSPACK_PROF_STACK_UNLISTED_H
#define RSPACK_PROF_STACK_UNLISTED_H

#include "base/table.h"
#include "code/space.h"
#include "stack/unwind.h"

enum {
  PROF_UNLISTED_PLACES = 1 << 16,
  PROF_UNLISTED_TURNS = 1000 /* for the map of each is kept (session/landmarks.h) */
};
#define PROF_UNLISTED_REST_NS 10000000000u
#define PROF_UNLISTED_SPARE_NS 1000000000u

struct prof_unlisted {
  struct prof_v8_unlisted asked[PROF_V8_UNLISTED];
  uint64_t met_ns[PROF_V8_UNLISTED]; /* when something unknown was in each last */
  uint32_t asked_count, turns;       /* turns: stretches given back */
  uint64_t now_ns;                   /* of the last round */
  uint64_t refused;                  /* counter: places met, and not asked about or not kept */
  bool is_new;                       /* asked since the caller set it to false */
  struct prof_unlisted_place {
    uint64_t address;
    uint32_t code;
  } * places;
  size_t count, capacity;
  bool is_sorted;
  struct prof_table by_address;  /* -> code */
  struct prof_table by_bytecode; /* its id -> code */
};

/* Before the samples of a round; gives back what rests. */
void prof_unlisted_round(struct prof_unlisted *self, uint64_t now_ns);

/* The place is in code that nobody knows. */
void prof_unlisted_ask(struct prof_unlisted *self, uint64_t address);

/* Its function's bytecode (an id of the space): the id of that function's unlisted code, or
 * PROF_CODE_NONE where memory ends. */
uint32_t prof_unlisted_answer(struct prof_unlisted *self, struct prof_space *space,
                              uint64_t address, uint32_t bytecode);

/* The code at an address that was answered before, or PROF_CODE_NONE. */
uint32_t prof_unlisted_find(struct prof_unlisted *self, uint64_t address);

/* At the end: the same, also by the nearest answers on both sides. */
uint32_t prof_unlisted_near(struct prof_unlisted *self, uint64_t address);

void prof_unlisted_free(struct prof_unlisted *self);

#endif
