#include "stack/sampler.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/pages.h"
#include "stack/context.h"
#include "stack/fair.h"
#include "stack/memory.h"
#include "stack/recall.h"
#include "stack/restart.h"
#include "stack/rows.h"
#include "stack/shards.h"
#include "stack/siginfo.h"
#include "stack/spent.h"
#include "stack/trap.h"

enum {
  SLOTS = 4096,
  SIGNAL_STACK_BYTES = 64 << 10, /* for each slot; only touched pages take memory */
};

/* What one thread keeps from one signal to the next, until the kernel reports its end. Slots live
 * as long as the process: a thread's pointer outlasts a recording. */
struct slot {
  _Alignas(64) _Atomic uint32_t inside; /* its thread is in the handler */
  _Atomic uintptr_t stack;              /* its thread's signal stack at the last sample; 0: none */
  struct prof_memory memory;
  struct prof_fair fair;
  _Atomic uint64_t signals, dropped, spared; /* written by the thread alone */
  struct prof_spent spent;
  /* Of the walk under way: here, since the signal stack may be small. */
  struct prof_regs regs;
  struct prof_walk walk;
  struct prof_stack head; /* without words */
};

/* One recording. */
struct armed {
  struct prof_sampler_options options;
  uint64_t *scratch; /* max_words words for each slot */
  size_t scratch_bytes;
  struct prof_recall *recalls; /* of each slot */
  struct prof_shards shards;
};

static struct slot *slots;             /* SLOTS of them */
static unsigned char *signal_stacks;   /* SIGNAL_STACK_BYTES for each slot */
static _Atomic uint32_t owners[SLOTS]; /* tid, 0: free; apart, since they are searched */
static _Atomic uint32_t owner_count;   /* never too low */
static _Atomic uint32_t slot_end;      /* no slot from here on was ever used: its pages stay away */
static _Atomic(struct armed *) current; /* NULL: not armed */
static _Atomic uint64_t no_slot;
static _Atomic uint64_t cookie;
static _Atomic bool is_ready; /* slots, their stacks and the cookie stand */
static uint64_t passed_on_before;

/* Initial-exec: no lazy allocation by __tls_get_addr inside a handler. Eight bytes of the static
 * TLS reserve that glibc keeps for libraries that are loaded later. */
static __thread struct slot *_Atomic own_slot __attribute__((tls_model("initial-exec")));

uint64_t prof_sampler_cookie(void) {
  uint32_t random;
  if (!cookie) {
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
      random = (uint32_t)getpid();
    cookie = (uint64_t)(random | 1) << 32;
  }
  return cookie;
}

/* Before its thread is inside: disarm then sees either the slot or nobody who goes on. */
static void note_slot(uint32_t index) {
  uint32_t end = atomic_load(&slot_end);
  while (end <= index && !atomic_compare_exchange_weak(&slot_end, &end, index + 1))
    ;
}

static uint32_t owner_of(const struct slot *slot) {
  return atomic_load_explicit(&owners[slot - slots], memory_order_relaxed);
}

static struct slot *claim_slot(uint32_t tid) {
  /* Above the limit a thread asks at each of its signals: it must be quickly refused. */
  if (atomic_fetch_add(&owner_count, 1) < SLOTS) {
    /* The lowest free one: each that was ever used keeps its pages. */
    for (uint32_t index = 0; index < SLOTS; index++) {
      uint32_t expected = 0;
      if (atomic_load_explicit(&owners[index], memory_order_relaxed) == 0 &&
          atomic_compare_exchange_strong_explicit(&owners[index], &expected, tid,
                                                  memory_order_acq_rel, memory_order_relaxed)) {
        /* The thread that had it is over: its last word here comes before ours. */
        atomic_load_explicit(&slots[index].inside, memory_order_acquire);
        note_slot(index);
        atomic_store_explicit(&slots[index].stack, 0, memory_order_relaxed);
        slots[index].fair = (struct prof_fair){0};
        prof_memory_live(&slots[index].memory);
        return &slots[index];
      }
    }
  }
  atomic_fetch_sub(&owner_count, 1);
  return NULL;
}

static struct slot *find_slot(uint32_t tid) {
  uint32_t end = atomic_load(&slot_end);
  for (uint32_t index = 0; index < end; index++) {
    if (atomic_load_explicit(&owners[index], memory_order_relaxed) == tid)
      return &slots[index];
  }
  return NULL;
}

static uintptr_t signal_stack(const ucontext_t *context) {
  return context->uc_stack.ss_flags & SS_DISABLE ? 0 : (uintptr_t)context->uc_stack.ss_sp;
}

/* No two threads have one signal stack: who has the one that was here at the last sample is who was
 * here. Else the kernel is asked. */
static bool is_own(const struct slot *slot, const ucontext_t *context) {
  uintptr_t stack = signal_stack(context);
  uint32_t owner = owner_of(slot);
  if (owner && stack && stack == atomic_load_explicit(&slot->stack, memory_order_relaxed))
    return true;
  return owner == (uint32_t)syscall(SYS_gettid);
}

/* A bare clone has its maker's thread-local storage: either finds there what the other has left,
 * which may have become somebody else's since. NULL: all are taken. */
static struct slot *slot_of_thread(const ucontext_t *context) {
  struct slot *slot = atomic_load_explicit(&own_slot, memory_order_relaxed);
  if (slot && is_own(slot, context))
    return slot;
  uint32_t tid = (uint32_t)syscall(SYS_gettid);
  slot = slot ? find_slot(tid) : NULL;
  if (!slot)
    slot = claim_slot(tid);
  if (slot)
    atomic_store_explicit(&own_slot, slot, memory_order_relaxed);
  return slot;
}

static void free_slot(uint32_t index) {
  atomic_store_explicit(&owners[index], 0, memory_order_release);
  atomic_fetch_sub(&owner_count, 1);
}

static void add_relaxed(_Atomic uint64_t *counter, uint64_t value) {
  uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
  atomic_store_explicit(counter, old + value, memory_order_relaxed);
}

static uint64_t own_cpu_ns(void) {
  return prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void leave_stack(struct armed *armed, struct slot *slot, const uint64_t *words) {
  struct prof_stack *head = &slot->head, *stack;
  int cpu = sched_getcpu();
  head->cpu = (uint16_t)(cpu < 0 ? 0 : cpu);
  stack = prof_shards_reserve(&armed->shards, head, words);
  if (!stack) {
    add_relaxed(&slot->dropped, 1);
    prof_fair_leave(&slot->fair, prof_now_ns() - head->time_ns, own_cpu_ns);
    return;
  }
  stack->duration_ns = (uint32_t)(prof_now_ns() - head->time_ns);
  prof_spent_add(&slot->spent, stack->duration_ns);
  prof_fair_leave(&slot->fair, stack->duration_ns, own_cpu_ns);
  prof_shards_commit(&armed->shards, stack);
}

/* The innermost frame alone. */
static void spare(struct slot *slot, struct prof_walk *walk) {
  walk->words[walk->count++] = PROF_WORD(PROF_WORD_PC, slot->regs.r[PROF_REG_PC]);
  walk->end = PROF_WALK_TRUNCATED;
  walk->end_pc = slot->regs.r[PROF_REG_PC];
  add_relaxed(&slot->spared, 1);
}

static void take_sample(struct armed *armed, struct slot *slot, const struct prof_siginfo *info,
                        const ucontext_t *context) {
  struct prof_regs *regs = &slot->regs;
  struct prof_stack *head = &slot->head;
  struct prof_walk *walk = &slot->walk;
  prof_context_registers(context, regs);
  prof_rows_fetch_leaf(armed->options.unwind->rows, regs->r[PROF_REG_PC]);
  *head = (struct prof_stack){
      .time_ns = prof_now_ns(),
      .ip = regs->r[PROF_REG_PC],
      .sp = regs->r[PROF_REG_SP],
      .frame = (uint64_t)(uintptr_t)context - sizeof(void *),
      .tid = owner_of(slot),
      .flags = prof_siginfo_is_late(info) ? PROF_STACK_ASYNC : 0,
      .ticks = prof_siginfo_ticks(info),
  };
  *walk = (struct prof_walk){
      .words = armed->scratch + (size_t)(slot - slots) * armed->options.max_words,
      .recall = &armed->recalls[slot - slots],
      .capacity = armed->options.max_words,
  };
  if (prof_fair_enter(&slot->fair, own_cpu_ns))
    prof_unwind_walk(armed->options.unwind, &slot->memory, regs, walk);
  else
    spare(slot, walk);
  prof_stack_take(head, walk);
  leave_stack(armed, slot, walk->words);
}

/* Ours. A slot that is in use already is another thread's. */
static void on_sample(struct slot *slot, const struct prof_siginfo *info, ucontext_t *context) {
  /* Sequentially consistent with disarm: either it sees us inside, or we see that it is over. */
  if (atomic_exchange(&slot->inside, 1)) {
    atomic_fetch_add_explicit(&no_slot, 1, memory_order_relaxed);
    return;
  }
  struct armed *armed = atomic_load(&current);
  if (armed) {
    size_t index = (size_t)(slot - slots);
    add_relaxed(&slot->signals, 1);
    if (prof_trap_has_room(context)) {
      take_sample(armed, slot, info, context);
    } else {
      add_relaxed(&slot->dropped, 1);
    }
    prof_trap_offer_stack(context, signal_stacks + index * SIGNAL_STACK_BYTES, SIGNAL_STACK_BYTES);
    atomic_store_explicit(&slot->stack, signal_stack(context), memory_order_relaxed);
  }
  atomic_store_explicit(&slot->inside, 0, memory_order_release);
}

static void on_sigtrap(int number, siginfo_t *info, void *context) {
  const struct prof_siginfo *perf = (const struct prof_siginfo *)info;
  int saved_errno = errno;
  if (!atomic_load_explicit(&is_ready, memory_order_acquire) ||
      (info->si_code != TRAP_PERF && info->si_code != SI_TIMER) ||
      (perf->data >> 32) != cookie >> 32) {
    prof_trap_pass_on(number, info, context);
    errno = saved_errno;
    return;
  }
  struct slot *slot = slot_of_thread(context);
  if (slot)
    on_sample(slot, perf, context);
  else if (atomic_load_explicit(&current, memory_order_relaxed))
    atomic_fetch_add_explicit(&no_slot, 1, memory_order_relaxed);
  prof_restart_undo(context);
  errno = saved_errno;
}

static int install(struct prof_error *error) {
  if (!signal_stacks)
    signal_stacks = prof_pages_reserve((size_t)SLOTS * SIGNAL_STACK_BYTES);
  if (!slots)
    slots = prof_pages_reserve(SLOTS * sizeof *slots);
  if (!slots || !signal_stacks) {
    return prof_error_set(error, PROF_NO_MEMORY, errno, "mmap",
                          "no memory for the sampler's slots: free some memory");
  }
  prof_sampler_cookie();
  atomic_store_explicit(&is_ready, true, memory_order_release);
  return prof_trap_install(on_sigtrap, error);
}

/* Threads that ended while nothing was recorded were not reported: take their slots back. What was
 * counted is the last recording's, also where the thread is gone. */
static void begin_slots(void) {
  uint32_t end = atomic_load(&slot_end);
  for (uint32_t i = 0; i < end; i++) {
    uint32_t tid = atomic_load_explicit(&owners[i], memory_order_relaxed);
    if (tid && syscall(SYS_tgkill, getpid(), tid, 0) && errno == ESRCH)
      free_slot(i);
    atomic_store_explicit(&slots[i].signals, 0, memory_order_relaxed);
    atomic_store_explicit(&slots[i].dropped, 0, memory_order_relaxed);
    atomic_store_explicit(&slots[i].spared, 0, memory_order_relaxed);
    prof_spent_clear(&slots[i].spent);
  }
}

static void free_armed(struct armed *armed) {
  prof_shards_free(&armed->shards);
  if (armed->scratch)
    munmap(armed->scratch, armed->scratch_bytes);
  if (armed->recalls)
    munmap(armed->recalls, SLOTS * sizeof *armed->recalls);
  munmap(armed, sizeof *armed);
}

int prof_sampler_arm(const struct prof_sampler_options *options, struct prof_error *error) {
  if (atomic_load(&current)) {
    return prof_error_set(error, PROF_BUSY, 0, NULL, "a sampler runs already: stop it first");
  }
  int status = install(error);
  if (status)
    return status;
  begin_slots();
  passed_on_before = prof_trap_passed_on();
  atomic_store(&no_slot, 0);

  struct armed *armed = prof_pages_reserve(sizeof *armed);
  if (!armed) {
    return prof_error_set(error, PROF_NO_MEMORY, errno, "mmap", "no memory for the sampler");
  }
  /* One record must fit in half a shard. */
  size_t least_bytes = 4 * (sizeof(struct prof_stack) + options->max_words * sizeof(uint64_t));
  armed->options = *options;
  armed->shards.wake = options->wake;
  armed->shards.user = options->user;
  armed->scratch_bytes = SLOTS * (size_t)options->max_words * sizeof(uint64_t);
  armed->scratch = prof_pages_reserve(armed->scratch_bytes);
  armed->recalls = prof_pages_reserve(SLOTS * sizeof *armed->recalls);
  bool ok = armed->scratch && armed->recalls &&
            prof_shards_init(&armed->shards, options->buffer_bytes, least_bytes) == 0;
  if (!ok) {
    free_armed(armed);
    return prof_error_set(error, PROF_NO_MEMORY, errno, "mmap",
                          "no memory for the sampler's buffers: ask for fewer frames");
  }
  atomic_store(&current, armed);
  return PROF_OK;
}

static bool anyone_inside(void) {
  uint32_t end = atomic_load(&slot_end);
  for (uint32_t i = 0; i < end; i++) {
    if (atomic_load(&slots[i].inside))
      return true;
  }
  return false;
}

bool prof_sampler_disarm(void) {
  struct armed *armed = atomic_exchange(&current, NULL);
  if (!armed)
    return true;
  uint64_t deadline_ns = prof_now_ns() + 1000000000u;
  while (anyone_inside()) {
    if (prof_now_ns() > deadline_ns)
      return false;
    sched_yield();
  }
  free_armed(armed);
  return true;
}

size_t prof_sampler_drain(prof_stack_visit *visit, void *user) {
  struct armed *armed = atomic_load(&current);
  return armed ? prof_shards_drain(&armed->shards, visit, user) : 0;
}

void prof_sampler_thread_ended(uint32_t tid) {
  uint32_t end = atomic_load(&slot_end);
  for (uint32_t index = 0; index < end; index++) {
    if (atomic_load_explicit(&owners[index], memory_order_relaxed) == tid) {
      free_slot(index);
      return;
    }
  }
}

bool prof_sampler_owns_signal(void) {
  return prof_trap_is_installed(on_sigtrap);
}

void prof_sampler_counters(struct prof_sampler_counters *out) {
  uint64_t refused = atomic_load(&no_slot);
  *out = (struct prof_sampler_counters){.passed_on = prof_trap_passed_on() - passed_on_before,
                                        .signals = refused,
                                        .dropped = refused};
  uint32_t end = atomic_load(&slot_end);
  for (uint32_t i = 0; i < end; i++) {
    out->signals += atomic_load_explicit(&slots[i].signals, memory_order_relaxed);
    out->dropped += atomic_load_explicit(&slots[i].dropped, memory_order_relaxed);
    out->spared += atomic_load_explicit(&slots[i].spared, memory_order_relaxed);
    out->handler_ns += prof_spent_ns(&slots[i].spent);
  }
  const struct armed *armed = atomic_load(&current);
  if (armed)
    out->buffer_bytes = prof_shards_bytes(&armed->shards);
}
