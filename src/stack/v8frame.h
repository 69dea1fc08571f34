/*
 * v8frame: V8's frames, which have no unwind rows but keep rbp: every tier of JavaScript,
 * builtins, wasm, regular expressions, CEntry, CallApiCallback and JSEntry. What was run on node
 * 18, 20, 22, 24 and 26, and how often it is wrong there: docs/unwinding.md.
 *
 * What the frame pointer does not tell are leaves: a prologue or epilogue under way, and builtins
 * and bytecode handlers without a frame of their own, whose rbp is their caller's. Those are told
 * by the bytes at pc, and by a return address at rsp whose call instruction leads to pc.
 *
 * For the walk alone; async-signal-safe.
 */
#ifndef RSPACK_PROF_STACK_V8FRAME_H
#define RSPACK_PROF_STACK_V8FRAME_H

#include "stack/step.h"

static inline bool prof_v8_in_blob(const struct prof_v8_map *map, uint64_t pc) {
  return pc - map->blob_start < map->blob_end - map->blob_start;
}

bool prof_v8_in_interpreter(const struct prof_v8_map *map, uint64_t pc);

/* Whether pc is in code that V8 did not list (struct prof_v8_map). */
bool prof_v8_is_unlisted(const struct prof_v8_map *map, uint64_t pc);

/* The bytecode of the function whose frame is at fp, in this process's memory. */
bool prof_v8_function_of(const struct prof_v8_map *map, uint64_t fp, uint64_t *bytecode);

/* From a V8 frame to its caller; is_exact: pc was interrupted, it is no return address. */
enum prof_step prof_v8_step(const struct prof_v8_map *map, struct prof_memory *memory,
                            struct prof_regs *regs, bool is_exact);

/* As above, for the frame above a leaf (PROF_STEP_LEAF): it may have called from its prologue (node
 * 20's baseline code does), and then what is at rsp is its own return address. */
enum prof_step prof_v8_step_above_leaf(const struct prof_unwind *unwind,
                                       const struct prof_v8_map *map, struct prof_memory *memory,
                                       struct prof_regs *regs);

#endif
