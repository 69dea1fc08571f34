/*
 * v8map: what the walk must know of this process's V8. Rows of data.
 *
 * The caller follows V8's code, fills one and publishes it whole (struct prof_unwind). Refuses:
 * more of the interpreter's ranges than there is room for (left out; the likely ones come first).
 */
#ifndef RSPACK_PROF_STACK_V8MAP_H
#define RSPACK_PROF_STACK_V8MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "code/v8function.h"

struct prof_bytecode_layout;
struct prof_jit_map;

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

/* All but what is unlisted. */
void prof_v8map_fill(struct prof_v8_map *self, const struct prof_jit_map *from,
                     const struct prof_bytecode_layout *layout);

#endif
