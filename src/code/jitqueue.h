/*
 * jitqueue: code events in the order they came, names copied, in chunks that are used again.
 *
 * The caller holds its own lock around each call; one consumer. A record that peek returned stays
 * where it is, and may be read without the lock, until pop. Refuses: records beyond the limit given
 * at init; names are cut at PROF_JIT_NAME_BYTES (data: URLs are whole programs).
 */
#ifndef RSPACK_PROF_CODE_JITQUEUE_H
#define RSPACK_PROF_CODE_JITQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROF_JIT_NAME_BYTES = 4096 };

/* The first three as V8 numbers them. */
enum prof_jit_record_type {
  PROF_JIT_ADDED,
  PROF_JIT_MOVED,
  PROF_JIT_REMOVED,
  PROF_JIT_ALIAS /* a copy of the builtins: start, size, to */
};

struct prof_jit_record {
  uint64_t time_ns; /* CLOCK_MONOTONIC */
  uint64_t start, size;
  uint64_t to; /* moved: the new start; alias: what is meant */
  uint16_t name_bytes;
  uint8_t type;      /* enum prof_jit_record_type */
  uint8_t code_type; /* V8's: 0 bytecode, 1 machine code, 2 wasm */
  char name[];       /* not NUL-terminated */
};

struct prof_jitqueue_chunk;

struct prof_jitqueue {
  struct prof_jitqueue_chunk *oldest, *newest, *spare;
  size_t spare_count;
  size_t queued_bytes, peak_bytes, limit_bytes; /* of chunks in use */
};

void prof_jitqueue_init(struct prof_jitqueue *self, size_t limit_bytes);
void prof_jitqueue_free(struct prof_jitqueue *self); /* empties it; usable afterwards */

/* false: over the limit, or no memory. record's name and name_bytes are not looked at. */
bool prof_jitqueue_push(struct prof_jitqueue *self, const struct prof_jit_record *record,
                        const char *name, size_t name_bytes);

const struct prof_jit_record *prof_jitqueue_peek(const struct prof_jitqueue *self); /* oldest */
void prof_jitqueue_pop(struct prof_jitqueue *self);

#endif
