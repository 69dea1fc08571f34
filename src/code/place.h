/*
 * place: what stands at an address: code (a module, or one function that was made at run time) and
 * an offset in it. Rows of data; code/space.h gives the ids.
 *
 * The caller keeps the names that rows point to. Refuses: nothing.
 */
#ifndef RSPACK_PROF_CODE_PLACE_H
#define RSPACK_PROF_CODE_PLACE_H

#include <stdint.h>

#define PROF_CODE_NONE UINT32_MAX
enum { PROF_SPACE_UNKNOWN = 0, PROF_SPACE_KERNEL = 1 }; /* the two reserved ids */

/* What the kernel's offsets count from: on x86_64 its text, modules and BPF images lie above. */
#define PROF_KERNEL_BASE 0xffffffff00000000ull

enum prof_code_kind {
  PROF_CODE_MODULE,
  PROF_CODE_JIT, /* a JavaScript function in machine code, whatever the tier */
  PROF_CODE_BYTECODE,
  PROF_CODE_BUILTIN,
  PROF_CODE_HANDLER, /* of a bytecode */
  PROF_CODE_REGEXP,
  PROF_CODE_WASM,
  PROF_CODE_PERFMAP,
  PROF_CODE_KERNEL,
  PROF_CODE_UNKNOWN
};

struct prof_place {
  uint32_t code;
  uint32_t offset; /* bytes from the code's start; see prof_space_address() for ids 0 and 1 */
};

struct prof_code {
  uint8_t kind; /* enum prof_code_kind */
  uint8_t tier; /* as docs/raw-profile.md has it: 0 none .. 8 wasm */
  uint64_t start, size;
  const char *name; /* V8's raw name, NULL for modules */
  int32_t module;   /* index, or -1 */
};

#endif
