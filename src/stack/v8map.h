/*
 * v8map: what the walk must know of this process's V8. Rows of data: whoever follows V8's code
 * fills one, and publishes it whole (struct prof_unwind).
 *
 * Refuses: nothing; ranges beyond the room are left out by who fills it.
 */
#ifndef RSPACK_PROF_STACK_V8MAP_H
#define RSPACK_PROF_STACK_V8MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "code/v8function.h"

enum { PROF_V8_UNLISTED = 64 };

struct prof_v8_map {
  uint64_t blob_start, blob_end; /* embedded builtins: frame pointers, no CFI */
  struct {
    uint64_t start, end;
  } interpreter[64]; /* InterpreterEntryTrampoline, its copies, where it goes on; likely first */
  uint32_t interpreter_count;
  int bytecode_slot; /* words from the frame pointer, e.g. -4 */
  bool has_bytecode;
  /* Where V8's code is that V8 did not list: a frame there leaves its function's bytecode too.
   * Ascending. */
  struct prof_v8_unlisted {
    uint64_t start, end;
  } unlisted[PROF_V8_UNLISTED];
  uint32_t unlisted_count;
  struct prof_v8function_layout function;
};

#endif
