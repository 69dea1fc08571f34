/*
 * jit: the process-wide receiver of V8's JitCodeEvents (V8 passes its callback no user data): each
 * event is queued with its CLOCK_MONOTONIC time, the profiler's thread applies them to a space.
 * The caller attaches and detaches each isolate on its own thread, and applies on one thread. V8
 * calls the receiver from isolate threads and from GC helpers at once; it takes one mutex for as
 * long as a copy lasts. The profiler's SIGTRAP handler may interrupt it anywhere, and takes no
 * lock. Relies on two mangled symbols of the node executable and on v8::JitCodeEvent being 80 bytes
 * (checked on node 18.20, 20.20, 22.23, 24.21, 25.9, 26.10).
 *
 * Refuses: to start where the symbols are missing (PROF_UNSUPPORTED_PLATFORM; then perfmap.h is
 * left), and events beyond PROF_JIT_QUEUE_BYTES not yet applied (counted as dropped).
 */
#ifndef RSPACK_PROF_CODE_JIT_H
#define RSPACK_PROF_CODE_JIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "code/space.h"
#include "code/v8blob.h"

enum { PROF_JIT_QUEUE_BYTES = 64 * 1024 * 1024 };

struct prof_v8_range {
  uint64_t start, end;
};

/* What the unwinder must know of V8. Grows: each isolate may bring a copy of the builtins. */
enum { PROF_JIT_COPIES = 32 };
struct prof_jit_map {
  struct prof_v8_range blob; /* the builtins in the image (0, 0: unknown): frame pointers */
  struct prof_v8blob_copy copies[PROF_JIT_COPIES];
  uint32_t copy_count;
  /* A frame whose return address less one is in [start, end) is an interpreted function's. First
   * the entry trampoline wherever it stands (the place that V8 reports first), then the builtins
   * that go on after a deoptimisation, from one byte before them: their frames return to the very
   * first byte. */
  struct prof_v8_range interpreter[4 * (1 + PROF_JIT_COPIES)];
  uint32_t interpreter_count;
};

struct prof_jit_stats {
  uint64_t added, moved, removed; /* events queued */
  uint64_t lines_skipped;         /* line events, left at once */
  uint64_t dropped;               /* queue full or no memory */
  uint64_t queued_bytes, peak_bytes;
  uint32_t isolates; /* attached now */
};

/* Finds V8's functions, empties the queue, and receives from now on. PROF_BUSY when started. */
int prof_jit_start(struct prof_error *error);

/* The same with functions given, for tests: v8::Isolate::GetCurrent, ::SetJitCodeEventHandler. */
struct prof_jit_v8 {
  void *(*get_current)(void);
  void (*set_handler)(void *isolate, int options, void (*handler)(const void *event));
};
int prof_jit_start_with(const struct prof_jit_v8 *v8, struct prof_error *error);

/* On the isolate's thread, with the isolate entered (as in any N-API call): lists the code that
 * exists and follows what comes. Repeating it lists again. 0 or negative status. */
int prof_jit_attach_isolate(void);
void prof_jit_detach_isolate(void); /* on the isolate's thread, while it still lives */

/* On any thread. Isolates still attached go on calling a receiver that returns at once. What came
 * before can still be applied, until it is dropped (which does nothing after another start). */
void prof_jit_stop(void);
void prof_jit_drop(void);
/* Applies what is queued with time <= until_ns, oldest first; names go to the arena. Returns the
 * number of events applied. */
size_t prof_jit_apply(uint64_t until_ns, struct prof_space *space, struct prof_arena *names);
/* false: no builtin event yet. Any thread. */
bool prof_jit_v8_map(struct prof_jit_map *out);
void prof_jit_stats(struct prof_jit_stats *out);

#endif
