#include "heap/sampler.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/object.h"
#include "base/pages.h"
#include "heap/distance.h"
#include "heap/onstack.h"
#include "stack/shards.h"

enum {
  BENCHES = 64,                 /* walks at the same time */
  BENCH_STACK_BYTES = 64 << 10, /* only touched pages take memory */
  SHARD_BYTES = 1 << 20,        /* of each CPU: 50 ms of 20,000 samples a second */
};
/* A thread that is not looked at asks again after so many bytes. */
#define FAR_BYTES ((int64_t)1 << 40)

/* What one walk needs: not on the program's stack, which may have 4 KB left. */
struct bench {
  _Alignas(64) _Atomic uint32_t taken;
  struct prof_regs regs;
  struct prof_memory memory;
  struct prof_walk walk;
  struct prof_unwind *unwind;
  uint64_t *words;
  unsigned char *stack_top;
};

struct armed {
  struct prof_heap_options options;
  uint64_t generation;
  _Atomic uint32_t next; /* number of the next sample, from 1 on */
  _Atomic uint64_t dropped, not_followed, calls, take_ns;
  _Atomic uint64_t *freed_ns; /* of each sample */
  unsigned char *memory;      /* of the benches' stacks and words */
  size_t memory_bytes, freed_bytes;
  struct bench benches[BENCHES];
  struct prof_shards shards;
};

_Atomic uint64_t prof_heap_generation;
struct prof_live *_Atomic prof_heap_live;
static _Atomic(struct armed *) current;
static _Atomic uint32_t inside; /* threads that may be looking at *current */
static _Atomic uint64_t missed_frees;
static struct prof_object own_code;
static uint64_t generations; /* so many times armed, disarmed, forked */

static void add_relaxed(_Atomic uint64_t *counter, uint64_t value) {
  atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

/* --- in the program's threads --- */

/* Sequentially consistent with disarm: either it sees us inside, or we see that it is over. */
static struct armed *enter(void) {
  atomic_fetch_add(&inside, 1);
  return atomic_load(&current);
}

static void leave(void) {
  atomic_fetch_sub_explicit(&inside, 1, memory_order_release);
}

static struct bench *take_bench(struct armed *armed) {
  for (int i = 0; i < BENCHES; i++) {
    uint32_t expected = 0;
    struct bench *bench = &armed->benches[i];
    if (!atomic_load_explicit(&bench->taken, memory_order_relaxed) &&
        atomic_compare_exchange_strong_explicit(&bench->taken, &expected, 1, memory_order_acquire,
                                                memory_order_relaxed))
      return bench;
  }
  return NULL;
}

static void walk(void *user) {
  struct bench *bench = user;
  prof_memory_live(&bench->memory);
  prof_unwind_walk(bench->unwind, &bench->memory, &bench->regs, &bench->walk);
}

/* The innermost frames are our own. */
static uint32_t count_own(const struct prof_walk *walk) {
  uint32_t own = 0;
  while (own < walk->count && prof_object_holds(&own_code, PROF_WORD_VALUE(walk->words[own])))
    own++;
  return own;
}

static void leave_stack(struct armed *armed, const struct prof_stack *head, const uint64_t *words) {
  struct prof_stack *stack = prof_shards_reserve(&armed->shards, head, words);
  if (stack)
    prof_shards_commit(&armed->shards, stack);
  else
    add_relaxed(&armed->dropped, 1);
}

static void read_registers(struct prof_regs *regs) {
#if defined(__x86_64__)
  /* DWARF's numbers (System V ABI AMD64, figure 3.36): those that a callee keeps, and the place. */
  __asm__ volatile("movq %%rbx, 24(%0)\n\tmovq %%rbp, 48(%0)\n\tmovq %%rsp, 56(%0)\n\t"
                   "movq %%r12, 96(%0)\n\tmovq %%r13, 104(%0)\n\tmovq %%r14, 112(%0)\n\t"
                   "movq %%r15, 120(%0)\n\tleaq (%%rip), %%rax\n\tmovq %%rax, 128(%0)"
                   :
                   : "r"(regs->r)
                   : "rax", "memory");
  regs->valid = 1u << 3 | 1u << 6 | 1u << 7 | 0xfu << 12 | 1u << 16;
#else
  regs->valid = 0;
#endif
}
_Static_assert(sizeof((struct prof_regs *)0)->r[0] == 8, "offsets of read_registers");

/* Not inlined: the walk begins in it. */
__attribute__((noinline)) static void take(struct armed *armed, uint64_t piece, uint64_t bytes) {
  /* Its price is CPU time: a thread that loses the CPU in here costs nothing meanwhile. */
  uint64_t start_ns = prof_now_ns(), start_cpu_ns = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  struct bench *bench = take_bench(armed);
  uint32_t number = 0;
  if (bench)
    number = atomic_fetch_add_explicit(&armed->next, 1, memory_order_relaxed);
  if (!bench || number > armed->options.most_samples) {
    if (bench)
      atomic_store_explicit(&bench->taken, 0, memory_order_release);
    else
      add_relaxed(&armed->dropped, 1);
    return;
  }
  int cpu = sched_getcpu();
  bench->walk = (struct prof_walk){.words = bench->words, .capacity = armed->options.max_words};
  read_registers(&bench->regs);
  prof_heap_on_stack(bench->stack_top, walk, bench);
  uint32_t own = count_own(&bench->walk);
  struct prof_stack head = {
      .time_ns = start_ns,
      .ip = own < bench->walk.count ? PROF_WORD_VALUE(bench->words[own]) : 0,
      .sp = bytes,
      .tid = (uint32_t)syscall(SYS_gettid),
      .flags = PROF_STACK_HEAP,
      .cpu = (uint16_t)(cpu < 0 ? 0 : cpu),
      .ticks = number,
  };
  prof_stack_take(&head, &bench->walk);
  head.count -= own;
  if (prof_live_put(prof_heap_live, piece, armed->generation << 32 | number)) {
    add_relaxed(&armed->not_followed, 1);
    atomic_store_explicit(&armed->freed_ns[number], PROF_HEAP_UNKNOWN, memory_order_relaxed);
  }
  leave_stack(armed, &head, bench->words + own);
  atomic_store_explicit(&bench->taken, 0, memory_order_release);
  add_relaxed(&armed->take_ns, prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_cpu_ns);
}

static bool is_over(const struct armed *armed) {
  return !armed ||
         atomic_load_explicit(&armed->next, memory_order_relaxed) > armed->options.most_samples;
}

void prof_heap_passed(struct prof_heap_thread *own, void *piece, uint64_t bytes) {
  int saved_errno = errno;
  uint64_t generation = atomic_load_explicit(&prof_heap_generation, memory_order_relaxed);
  struct armed *armed = enter();
  if (own->is_ours || is_over(armed)) {
    own->generation = generation;
    own->left_bytes = FAR_BYTES;
  } else {
    bool is_new = own->generation != armed->generation;
    if (!own->random)
      own->random = ((uint64_t)(uintptr_t)own ^ prof_now_ns()) | 1;
    if (is_new) {
      own->generation = armed->generation;
      own->calls = 1;
      own->left_bytes =
          prof_distance_draw(&own->random, armed->options.mean_bytes) - (int64_t)bytes;
    }
    if (own->left_bytes < 0) {
      own->left_bytes = prof_distance_draw(&own->random, armed->options.mean_bytes);
      int cancel; /* waking our thread is a cancellation point, malloc() is none */
      pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
      take(armed, (uint64_t)(uintptr_t)piece, bytes);
      pthread_setcancelstate(cancel, NULL);
      add_relaxed(&armed->calls, own->calls);
      own->calls = 0;
    }
  }
  leave();
  errno = saved_errno;
}

uint64_t prof_heap_freed(uint64_t address) {
  uint64_t number = prof_live_take(prof_heap_live, address);
  if (!number)
    return 0;
  struct armed *armed = enter();
  if (armed && number >> 32 == armed->generation)
    atomic_store_explicit(&armed->freed_ns[(uint32_t)number], prof_now_ns(), memory_order_relaxed);
  else
    number = 0;
  leave();
  return number;
}

/* realloc() has failed: the piece is still there. */
void prof_heap_undo_free(uint64_t address, uint64_t number) {
  struct armed *armed = enter();
  if (armed && number >> 32 == armed->generation)
    atomic_store_explicit(&armed->freed_ns[(uint32_t)number],
                          prof_live_put(prof_heap_live, address, number) ? PROF_HEAP_UNKNOWN : 0,
                          memory_order_relaxed);
  leave();
}

/* The allocator hands the address out: who had it has freed it, where we do not look. */
void prof_heap_reused(uint64_t address) {
  if (prof_heap_freed(address))
    add_relaxed(&missed_frees, 1);
}

/* --- in the profiler's thread --- */

static void free_armed(struct armed *armed) {
  prof_shards_free(&armed->shards);
  if (armed->memory)
    munmap(armed->memory, armed->memory_bytes);
  if (armed->freed_ns)
    munmap(armed->freed_ns, armed->freed_bytes);
  munmap(armed, sizeof *armed);
}

static bool reserve_all(struct armed *armed) {
  size_t words = armed->options.max_words * sizeof(uint64_t), each = words + BENCH_STACK_BYTES;
  each = (each + 4095) & ~(size_t)4095;
  armed->memory_bytes = BENCHES * each;
  armed->memory = prof_pages_reserve(armed->memory_bytes);
  armed->freed_bytes = ((size_t)armed->options.most_samples + 1) * sizeof *armed->freed_ns;
  armed->freed_ns = prof_pages_reserve(armed->freed_bytes);
  if (!prof_heap_live)
    prof_heap_live = prof_live_create();
  if (!armed->memory || !armed->freed_ns || !prof_heap_live)
    return false;
  for (size_t i = 0; i < BENCHES; i++) {
    struct bench *bench = &armed->benches[i];
    bench->words = (uint64_t *)(armed->memory + i * each);
    bench->stack_top = armed->memory + (i + 1) * each;
    bench->unwind = armed->options.unwind;
  }
  armed->shards.wake = armed->options.wake;
  armed->shards.user = armed->options.user;
  return prof_shards_init(&armed->shards, 0, SHARD_BYTES) == 0;
}

/* A child that does not exec has the hooks, and nobody who would drain: they only pass calls on,
 * until it arms for itself. Whoever else was inside is not there. */
static void forget_in_child(void) {
  atomic_store(&current, NULL);
  atomic_store(&inside, 0);
  atomic_store(&prof_heap_generation, ++generations);
}

/* Where our code is does not change; a thread that a disarm did not wait for may still read it. */
static void prepare(void) {
  prof_object_at((uintptr_t)(void *)prof_heap_arm, &own_code);
  pthread_atfork(NULL, NULL, forget_in_child);
}

int prof_heap_arm(const struct prof_heap_options *options, struct prof_error *error) {
  if (atomic_load(&current))
    return prof_error_set(error, PROF_BUSY, 0, NULL,
                          "allocations are being sampled already: stop that first");
  struct armed *armed = prof_pages_reserve(sizeof *armed);
  if (armed)
    armed->options = *options;
  if (!armed || !reserve_all(armed)) {
    if (armed)
      free_armed(armed);
    return prof_error_set(error, PROF_NO_MEMORY, errno, "mmap",
                          "no memory to sample allocations: free some memory");
  }
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
  prof_live_reset(prof_heap_live);
  atomic_store(&missed_frees, 0);
  armed->generation = ++generations;
  atomic_store(&armed->next, 1);
  atomic_store(&current, armed);
  atomic_store(&prof_heap_generation, armed->generation);
  return PROF_OK;
}

bool prof_heap_wait(void) {
  uint64_t deadline_ns = prof_now_ns() + 1000000000u;
  while (atomic_load(&inside)) {
    if (prof_now_ns() > deadline_ns)
      return false; /* somebody sleeps in there */
    sched_yield();
  }
  return true;
}

bool prof_heap_disarm(void) {
  struct armed *armed = atomic_exchange(&current, NULL);
  if (!armed)
    return true;
  atomic_store(&prof_heap_generation, ++generations);
  if (!prof_heap_wait())
    return false;
  free_armed(armed);
  return true;
}

size_t prof_heap_drain(prof_stack_visit *visit, void *user) {
  struct armed *armed = atomic_load(&current);
  return armed ? prof_shards_drain(&armed->shards, visit, user) : 0;
}

void prof_heap_read_counters(struct prof_heap_counters *out) {
  struct armed *armed = atomic_load(&current);
  *out = (struct prof_heap_counters){.missed_frees = atomic_load(&missed_frees)};
  if (!armed)
    return;
  uint32_t taken = atomic_load_explicit(&armed->next, memory_order_relaxed) - 1;
  out->is_full = taken >= armed->options.most_samples;
  out->samples = out->is_full ? armed->options.most_samples : taken;
  out->dropped = atomic_load_explicit(&armed->dropped, memory_order_relaxed);
  out->not_followed = atomic_load_explicit(&armed->not_followed, memory_order_relaxed);
  out->calls = atomic_load_explicit(&armed->calls, memory_order_relaxed);
  out->take_ns = atomic_load_explicit(&armed->take_ns, memory_order_relaxed);
}

uint64_t prof_heap_bytes(void) {
  const struct armed *armed = atomic_load(&current);
  return armed ? prof_shards_bytes(&armed->shards) + sizeof *armed + armed->freed_bytes : 0;
}

uint64_t prof_heap_freed_ns(uint32_t number) {
  struct armed *armed = atomic_load(&current);
  if (!armed || number > armed->options.most_samples)
    return PROF_HEAP_UNKNOWN;
  return atomic_load_explicit(&armed->freed_ns[number], memory_order_relaxed);
}
