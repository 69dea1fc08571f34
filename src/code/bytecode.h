/*
 * bytecode: where an interpreted JavaScript frame keeps its BytecodeArray, and how that pointer
 * becomes the start address of a bytecode event: found by experiment, not taken from a table.
 *
 * In a frame of V8's interpreter the word fp[slot] is a tagged pointer p, and (p - 1) + header is
 * the code_start under which V8 reported the function's bytecode. The addon drives the experiment
 * through N-API alone, on the main isolate:
 *   prof_bytecode_watch_start();  prof_jit_attach_isolate();
 *   napi_run_script(prof_bytecode_script())  -> a function f;  napi_call_function(f, callback)
 *   in callback: prof_bytecode_calibrate(__builtin_frame_address(0), 0, &layout);
 *   prof_bytecode_watch_end();
 * and takes prof_bytecode_from_version(process.versions.v8) where that found nothing.
 *
 * Refuses to guess: a layout that is not proven by the known function leaves `proven` false.
 */
#ifndef RSPACK_PROF_CODE_BYTECODE_H
#define RSPACK_PROF_CODE_BYTECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code/v8function.h"

struct prof_bytecode_layout {
  int slot;        /* words from fp, negative (-4 on node 18 to 26) */
  uint32_t header; /* bytes from the object to its first bytecode */
  bool proven;     /* by experiment in this process; false: from the version table */
  struct prof_v8function_layout function; /* by experiment too, or not known */
};

/* JavaScript source whose value is a function of one argument (the callback that it calls). */
const char *prof_bytecode_script(void);

/* From watch_start on the receiver of code events remembers the script's function. */
void prof_bytecode_watch_start(void);
void prof_bytecode_watch_end(void);
void prof_bytecode_watch_event(int type, const char *name, size_t length, uint64_t start,
                               uint64_t moved_to); /* called by jit.c for bytecode events */

/* Within the callback: scans up to limit bytes (0: up to this thread's stack end) from stack_from
 * for the frame of the script's function. true: *out is filled and proven. */
bool prof_bytecode_calibrate(const void *stack_from, size_t limit,
                             struct prof_bytecode_layout *out);

/* The search alone, over count words of a stack that starts at words. */
struct prof_jit_map;
bool prof_bytecode_search(const uint64_t *words, size_t count, const struct prof_jit_map *map,
                          const uint64_t *starts, uint32_t start_count,
                          struct prof_bytecode_layout *out);

/* The table, for process.versions.v8 ("12.4.254.21-node.33"). false: a version newer or older than
 * those that were checked; *out then holds the nearest one's. */
bool prof_bytecode_from_version(const char *v8_version, struct prof_bytecode_layout *out);

/* The address to look up in the space for the word of a frame; 0 where it is no tagged pointer. */
static inline uint64_t prof_bytecode_address(const struct prof_bytecode_layout *self,
                                             uint64_t word) {
  return (word & 3) == 1 ? word - 1 + self->header : 0;
}

#endif
