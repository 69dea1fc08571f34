#include "heap/hooks.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "heap/real.h"
#include "heap/sampler.h"

/* Found once, before the first slot is turned. */
static struct {
  void *(*malloc)(size_t);
  void *(*calloc)(size_t, size_t);
  void (*free)(void *);
  void *(*realloc)(void *, size_t);
  int (*posix_memalign)(void **, size_t, size_t);
  void *(*aligned_alloc)(size_t, size_t);
  void *(*memalign)(size_t, size_t);
} real;

/* Initial-exec: no allocation by __tls_get_addr. 40 bytes of the static TLS reserve that glibc
 * keeps for libraries that are loaded later. */
static __thread struct prof_heap_thread own __attribute__((tls_model("initial-exec")));

static inline void allocated(void *piece, size_t bytes) {
  uint64_t address = (uint64_t)(uintptr_t)piece;
  if (!piece)
    return;
  if (__builtin_expect(prof_live_may_hold(prof_heap_live, address), 0))
    prof_heap_reused(address);
  own.calls++;
  own.left_bytes -= (int64_t)bytes;
  if (__builtin_expect(own.left_bytes < 0 ||
                           own.generation !=
                               atomic_load_explicit(&prof_heap_generation, memory_order_relaxed),
                       0))
    prof_heap_passed(&own, piece, bytes);
}

/* Before the piece is given back: after that it may be another thread's. */
static inline uint64_t freeing(void *piece) {
  uint64_t address = (uint64_t)(uintptr_t)piece;
  return __builtin_expect(prof_live_may_hold(prof_heap_live, address), 0) ? prof_heap_freed(address)
                                                                          : 0;
}

static void *hook_malloc(size_t bytes) {
  void *piece = real.malloc(bytes);
  allocated(piece, bytes);
  return piece;
}

static void *hook_calloc(size_t count, size_t each) {
  void *piece = real.calloc(count, each);
  allocated(piece, count * each); /* it would be NULL, had that overflown */
  return piece;
}

static void hook_free(void *piece) {
  freeing(piece);
  real.free(piece);
}

static void *hook_realloc(void *before, size_t bytes) {
  uint64_t number = before ? freeing(before) : 0;
  void *piece = real.realloc(before, bytes);
  if (number && !piece && bytes)
    prof_heap_undo_free((uint64_t)(uintptr_t)before, number);
  allocated(piece, bytes);
  return piece;
}

static void *hook_reallocarray(void *before, size_t count, size_t each) {
  size_t bytes;
  if (__builtin_mul_overflow(count, each, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return hook_realloc(before, bytes);
}

static int hook_posix_memalign(void **out, size_t alignment, size_t bytes) {
  int failed = real.posix_memalign(out, alignment, bytes);
  if (!failed)
    allocated(*out, bytes);
  return failed;
}

static void *hook_aligned_alloc(size_t alignment, size_t bytes) {
  void *piece = real.aligned_alloc(alignment, bytes);
  allocated(piece, bytes);
  return piece;
}

static void *hook_memalign(size_t alignment, size_t bytes) {
  void *piece = real.memalign(alignment, bytes);
  allocated(piece, bytes);
  return piece;
}

const struct prof_slot_hook prof_hooks[] = {
    {"malloc", (void *)hook_malloc},
    {"free", (void *)hook_free},
    {"calloc", (void *)hook_calloc},
    {"realloc", (void *)hook_realloc},
    {"reallocarray", (void *)hook_reallocarray},
    {"posix_memalign", (void *)hook_posix_memalign},
    {"aligned_alloc", (void *)hook_aligned_alloc},
    {"memalign", (void *)hook_memalign},
};
const size_t prof_hook_count = sizeof prof_hooks / sizeof prof_hooks[0];

void prof_hooks_leave_out_thread(void) {
  own.is_ours = true;
  own.left_bytes = 0;
}

enum { ROUNDS = 3, PAIRS = 2000 };

int prof_hooks_prepare(struct prof_error *error) {
  void *found[] = {prof_real_find("malloc"),         prof_real_find("calloc"),
                   prof_real_find("free"),           prof_real_find("realloc"),
                   prof_real_find("posix_memalign"), prof_real_find("aligned_alloc"),
                   prof_real_find("memalign")};
  _Static_assert(sizeof found == sizeof real, "one for each, in the order of the struct");
  for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
    if (!found[i])
      return prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, 0, NULL,
                            "allocations cannot be sampled here: the allocator's functions are "
                            "in no table of dynamic symbols; leave allocations out");
  }
  memcpy(&real, found, sizeof real);
  return PROF_OK;
}

static uint64_t time_pairs_ns(void *(*volatile allocate)(size_t),
                              void (*volatile release)(void *)) {
  uint64_t least = UINT64_MAX;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t start_ns = prof_now_ns();
    for (int i = 0; i < PAIRS; i++)
      release(allocate(64));
    uint64_t taken_ns = prof_now_ns() - start_ns;
    least = taken_ns < least ? taken_ns : least;
  }
  return least;
}

uint64_t prof_hooks_price_ps(void) {
  uint64_t plain_ns = time_pairs_ns(real.malloc, real.free);
  uint64_t hooked_ns = time_pairs_ns(hook_malloc, hook_free);
  return hooked_ns > plain_ns ? (hooked_ns - plain_ns) * 1000 / PAIRS : 0;
}
