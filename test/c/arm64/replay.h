/*
 * replay: a recorded arm64 program, instruction by instruction (test/fixtures/arm64/record.py).
 *
 * Stands in for this process: stack/probe.h's functions read the recorded code here, at the
 * addresses that it had. One replay at a time. Fails the test where the file is not as it should
 * be.
 */
#ifndef RSPACK_PROF_TEST_ARM64_REPLAY_H
#define RSPACK_PROF_TEST_ARM64_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/unwind.h"

enum { REPLAY_ROOM = 512 << 10, REPLAY_DEPTH = 256 };

enum replay_kind { REPLAY_RETURN, REPLAY_INTERRUPTED };

struct replay_frame {
  uint64_t address; /* 0: somebody called, nobody saw who */
  enum replay_kind kind;
};

struct replay {
  struct prof_rows *rows;
  const uint8_t *at, *end; /* of the file's bytes */
  uint64_t top, count, index;
  uint64_t program_start, program_end; /* of the program, not of its libraries */
  struct prof_regs regs;
  unsigned depth;
  struct replay_frame truth[REPLAY_DEPTH]; /* the outermost first */
  uint64_t stack[REPLAY_ROOM / 8];         /* its last word is the one below top */
};

/* Opens FOLDER/name; rows get its images. */
void replay_open(struct replay *self, const char *name);
void replay_close(struct replay *self);

/* The next instruction; false: there is none. */
bool replay_next(struct replay *self);

/* The stack of now, from sp on, for a walk. */
void replay_memory(struct replay *self, struct prof_memory *out);

/* Code of the test's own; what stood at the same address before goes. */
void replay_code(uint64_t address, const void *bytes, uint64_t size);

/* From now on no code can be read, as in a dump. */
void replay_forget_code(bool forgets);

#endif
