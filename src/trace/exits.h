/*
 * exits: where a function is entered and where it is left: the places that probes go to.
 *
 * A probe on each return instruction leaves the stack alone, unlike the kernel's return probes,
 * which replace the return address: exceptions, panics, V8's walks and our own see what they would
 * see without us. The function's bytes are decoded from the first to the last. They count only if
 * every byte belongs to an instruction and every jump inside goes to the start of one: otherwise
 * there may be data among the code, and a probe in the middle of an instruction would break the
 * program. Parts that the compiler split off (".cold") are followed. A jump through a register (or
 * memory at one) is an exit or a switch: the probe there writes down where to, and prof_site_leaves
 * tells.
 *
 * Refuses (calls are counted, their ends not seen): what does not decode so, more than
 * PROF_EXITS_MAX exits, functions over 1 MB, V8's builtins (`Builtins_*`: data lies among their
 * code).
 */
#ifndef RSPACK_PROF_TRACE_EXITS_H
#define RSPACK_PROF_TRACE_EXITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_func;
struct prof_funcs;

enum { PROF_EXITS_MAX = 256 };

enum prof_site_kind {
  PROF_SITE_ENTRY,
  PROF_SITE_RETURN,
  PROF_SITE_TAIL,    /* a jump to another function */
  PROF_SITE_INSTANT, /* the function is this one instruction: entry and end at once */
  PROF_SITE_JUMP,    /* through a register: to another function, or within this one (a switch) */
  PROF_SITE_COUNT,   /* entered, and its ends cannot be seen: over at once, and nobody's caller */
  PROF_SITE_SPAWN,   /* entered, and no call: it hands a job over (flow.h) */
};

/* Whether a call begins there. */
static inline bool prof_site_is_entry(uint8_t kind) {
  return kind == PROF_SITE_ENTRY || kind == PROF_SITE_INSTANT || kind == PROF_SITE_COUNT;
}

struct prof_exit {
  uint64_t address; /* virtual, of the file */
  uint8_t kind;     /* RETURN, TAIL or JUMP */
  bool is_emulated; /* a cheap probe: x86.h */
  bool in_memory;   /* of a JUMP, as x86.h has them */
  uint8_t base;
  int32_t displacement;
};

struct prof_exits {
  struct prof_exit exits[PROF_EXITS_MAX];
  size_t count;
  bool calls_only;          /* refused: only the entry can be probed */
  bool may_leave_unseen;    /* by a conditional jump, one through a table, or off its end */
  uint64_t part, part_size; /* the first part that was split off: jumps to there stay inside */
  bool is_one_instruction;  /* an INSTANT */
  bool entry_is_emulated;
};

void prof_exits_find(struct prof_funcs *funcs, const struct prof_func *func,
                     struct prof_exits *out);

#endif
