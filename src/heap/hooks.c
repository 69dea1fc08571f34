#include "heap/hooks.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "heap/real.h"
#include "heap/sampler.h"

/* Found before the first slot is turned. Atomic for the threads that are there by then. */
static struct {
  void *(*_Atomic malloc)(size_t);
  void *(*_Atomic calloc)(size_t, size_t);
  void (*_Atomic free)(void *);
  void *(*_Atomic realloc)(void *, size_t);
  int (*_Atomic posix_memalign)(void **, size_t, size_t);
  void *(*_Atomic aligned_alloc)(size_t, size_t);
  void *(*_Atomic memalign)(size_t, size_t);
} real;
#define REAL(name) atomic_load_explicit(&real.name, memory_order_relaxed)

/* Initial-exec: no allocation by __tls_get_addr. 40 bytes of the static TLS reserve that glibc
 * keeps for libraries that are loaded later. */
static __thread struct prof_heap_thread own __attribute__((tls_model("initial-exec")));

/* Acquire, once and for all free on x86: whoever made the table did so before we look into it. */
static inline bool may_hold(uint64_t address) {
  return __builtin_expect(
      prof_live_may_hold(atomic_load_explicit(&prof_heap_live, memory_order_acquire), address), 0);
}

static inline void allocated(void *piece, size_t bytes) {
  uint64_t address = (uint64_t)(uintptr_t)piece;
  if (!piece)
    return;
  if (may_hold(address))
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
  return may_hold(address) ? prof_heap_freed(address) : 0;
}

static void *hook_malloc(size_t bytes) {
  void *piece = REAL(malloc)(bytes);
  allocated(piece, bytes);
  return piece;
}

static void *hook_calloc(size_t count, size_t each) {
  void *piece = REAL(calloc)(count, each);
  allocated(piece, count * each); /* it would be NULL, had that overflown */
  return piece;
}

static void hook_free(void *piece) {
  freeing(piece);
  REAL(free)(piece);
}

static void *hook_realloc(void *before, size_t bytes) {
  uint64_t number = before ? freeing(before) : 0;
  void *piece = REAL(realloc)(before, bytes);
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
  int failed = REAL(posix_memalign)(out, alignment, bytes);
  if (!failed)
    allocated(*out, bytes);
  return failed;
}

static void *hook_aligned_alloc(size_t alignment, size_t bytes) {
  void *piece = REAL(aligned_alloc)(alignment, bytes);
  allocated(piece, bytes);
  return piece;
}

static void *hook_memalign(size_t alignment, size_t bytes) {
  void *piece = REAL(memalign)(alignment, bytes);
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

/* A pointer of dlsym's is a function's (POSIX), which ISO C does not say. */
static int find(_Atomic(void *) *out, const char *symbol, struct prof_error *error) {
  void *found = prof_real_find(symbol);
  if (!found)
    return prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, 0, NULL,
                          "allocations cannot be sampled here: %s is in no table of dynamic "
                          "symbols; leave allocations out",
                          symbol);
  atomic_store(out, found);
  return PROF_OK;
}

int prof_hooks_prepare(struct prof_error *error) {
  static const struct {
    const char *symbol;
    void *out;
  } all[] = {
      {"malloc", &real.malloc},
      {"calloc", &real.calloc},
      {"free", &real.free},
      {"realloc", &real.realloc},
      {"posix_memalign", &real.posix_memalign},
      {"aligned_alloc", &real.aligned_alloc},
      {"memalign", &real.memalign},
  };
  int status = PROF_OK;
#if !defined(__x86_64__)
  status = prof_error_set(error, PROF_UNSUPPORTED_PLATFORM, 0, NULL,
                          "allocations are sampled on x86_64 alone so far: leave them out");
#endif
  for (size_t i = 0; !status && i < sizeof all / sizeof all[0]; i++)
    status = find(all[i].out, all[i].symbol, error);
  return status;
}

bool prof_hooks_is_real(const char *symbol, const void *address) {
  static struct {
    bool is_known;
    const void *definition, *shown; /* shown: a fixed executable's stub */
  } rows[sizeof prof_hooks / sizeof prof_hooks[0]];
  for (size_t i = 0; i < prof_hook_count; i++) {
    if (prof_hooks[i].symbol != symbol)
      continue;
    if (!rows[i].is_known) {
      rows[i].definition = prof_real_find(symbol);
      rows[i].shown = dlsym(RTLD_DEFAULT, symbol);
      rows[i].is_known = true;
    }
    return address == rows[i].definition || address == rows[i].shown;
  }
  return false;
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
  uint64_t plain_ns = time_pairs_ns(REAL(malloc), REAL(free));
  uint64_t hooked_ns = time_pairs_ns(hook_malloc, hook_free);
  return hooked_ns > plain_ns ? (hooked_ns - plain_ns) * 1000 / PAIRS : 0;
}
