/*
 * v8function: from a frame of V8's machine code to the function that runs in it, as the address of
 * its bytecode, for code that V8 does not list (code entered in the middle of a loop, "on-stack
 * replaced", that was compiled before the profiler came: V8's listing asks functions for their
 * code, and such code hangs at the function's feedback alone).
 *
 * fp[-2] is the JSFunction (StandardFrameConstants::kFunctionOffset, each tier on node 18 to 26),
 * a field of it the SharedFunctionInfo, a field of that the BytecodeArray, or baseline code or an
 * InterpreterData that has it in one of its first fields. Where these fields are, and which map a
 * BytecodeArray has, is found by experiment with a function whose bytecode is known.
 *
 * Refuses to guess: each object is believed only where the chain ends at a BytecodeArray's map.
 */
#ifndef RSPACK_PROF_CODE_V8FUNCTION_H
#define RSPACK_PROF_CODE_V8FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arch.h"

#define PROF_V8FUNCTION_SLOT (-2)         /* words from the frame pointer */
enum { PROF_V8FUNCTION_DATA_WORDS = 12 }; /* of what may stand before the bytecode */

struct prof_v8function_layout {
  uint64_t bytecode_map; /* tagged; 0: not known, nothing can be read */
  uint8_t shared_at;     /* bytes in a JSFunction */
  uint8_t data_at;       /* bytes in a SharedFunctionInfo */
};

/* A word that may be a pointer to an object of V8's heap (no pointer compression in node). */
static inline bool prof_v8function_is_object(uint64_t word) {
  return (word & 7) == 1 && word >= 0x10000 && word >> PROF_ARCH_ADDRESS_BITS == 0;
}

/* Reads one word; false: it cannot be read. Owned by the caller. */
typedef bool prof_v8function_read(uint64_t address, uint64_t *out);

/* fp: the frame of an interpreted function, whose bytecode is the tagged pointer given. */
bool prof_v8function_calibrate(const uint64_t *fp, uint64_t bytecode, prof_v8function_read *read,
                               struct prof_v8function_layout *out);

/* The tagged pointer to the bytecode of the function whose frame is at fp; false: it is no
 * function's. Async-signal-safe as far as read is. */
bool prof_v8function_bytecode(const struct prof_v8function_layout *self, uint64_t fp,
                              prof_v8function_read *read, uint64_t *out);

#endif
