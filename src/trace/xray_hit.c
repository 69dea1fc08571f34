#include "trace/xray_hit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "trace/xray_map.h"

struct buffer {
  _Atomic uint64_t head; /* written by its thread */
  uint64_t lost;
  uint32_t busy;
  _Atomic uint32_t tid;               /* 0: free */
  _Alignas(64) _Atomic uint64_t tail; /* written by who drains */
  struct prof_xray_row rows[PROF_XRAY_ROWS];
};

static struct buffer *_Atomic buffers[PROF_XRAY_THREADS];
static _Atomic uint64_t lost_elsewhere;
static _Atomic bool listening;

/* In the static TLS block: found without a call. Other threads never see it. */
static __thread struct buffer *mine __attribute__((tls_model("initial-exec")));
static __thread uint32_t refused __attribute__((tls_model("initial-exec")));

/* The functions that a hit runs through use no vector register: none of them is saved. gcc 10,
 * which builds the published addon, does not know the first of the two ways to say so. */
#if defined(__clang__) || __GNUC__ >= 11
#define PLAIN __attribute__((target("general-regs-only"), noinline))
#else
#define PLAIN __attribute__((target("no-mmx,no-sse"), noinline))
#endif

/* libc's wrappers may be built with vector registers. */
PLAIN static long raw_syscall(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

PLAIN static struct buffer *claim(void) {
  uint32_t tid = (uint32_t)raw_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
  for (size_t i = 0; i < PROF_XRAY_THREADS; i++) {
    struct buffer *buffer = atomic_load_explicit(&buffers[i], memory_order_acquire);
    if (!buffer) {
      long map = raw_syscall(SYS_mmap, 0, sizeof *buffer, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (map < 0 && map > -4096)
        return NULL;
      struct buffer *fresh = (struct buffer *)map, *none = NULL;
      if (atomic_compare_exchange_strong(&buffers[i], &none, fresh)) {
        buffer = fresh;
      } else {
        raw_syscall(SYS_munmap, map, sizeof *buffer, 0, 0, 0, 0);
        buffer = none;
      }
    }
    uint32_t free = 0;
    if (atomic_compare_exchange_strong(&buffer->tid, &free, tid))
      return buffer;
  }
  return NULL;
}

PLAIN static struct buffer *first_hit(void) {
  if (refused)
    return NULL;
  refused = 1; /* a signal handler's hit meanwhile makes no second one */
  mine = claim();
  if (mine) {
    mine->busy = 0;
    refused = 0;
  }
  return mine;
}

__attribute__((used)) PLAIN void prof_xray_hit(uint32_t func, uint64_t sp, uint32_t kind) {
  struct buffer *buffer = mine;
  if (!atomic_load_explicit(&listening, memory_order_relaxed))
    return;
  if (!buffer && !(buffer = first_hit())) {
    atomic_fetch_add_explicit(&lost_elsewhere, 1, memory_order_relaxed);
    return;
  }
  if (buffer->busy) {
    buffer->lost++;
    return;
  }
  buffer->busy = 1;
  __asm__ volatile("" ::: "memory");
  uint64_t head = atomic_load_explicit(&buffer->head, memory_order_relaxed);
  if (head - atomic_load_explicit(&buffer->tail, memory_order_acquire) >= PROF_XRAY_ROWS) {
    buffer->lost++;
  } else {
    struct prof_xray_row *row = &buffer->rows[head % PROF_XRAY_ROWS];
    row->ticks = prof_xray_ticks();
    row->sp = sp;
    row->func = func;
    row->kind = kind;
    atomic_store_explicit(&buffer->head, head + 1, memory_order_release);
  }
  __asm__ volatile("" ::: "memory");
  buffer->busy = 0;
}

/* Eight registers; `pad` keeps the stack aligned to 16 at the call; `above` is how far the
 * function's return address then lies. r10 has the function, and is nobody's. */
#define TRAMPOLINE(name, kind, pad, above)                                                         \
  __asm__(".pushsection .text\n.p2align 4\n.hidden " name "\n.globl " name "\n.type " name         \
          ", @function\n" name ":\n.cfi_startproc\n"                                               \
          " push %rax\n push %rcx\n push %rdx\n push %rsi\n push %rdi\n push %r8\n push %r9\n"     \
          " push %r11\n.cfi_adjust_cfa_offset 64\n sub $" pad                                      \
          ", %rsp\n.cfi_adjust_cfa_offset " pad "\n mov %r10d, %edi\n lea " above                  \
          "(%rsp), %rsi\n mov $" kind ", %edx\n"                                                   \
          " call prof_xray_hit\n add $" pad ", %rsp\n.cfi_adjust_cfa_offset -" pad                 \
          "\n pop %r11\n pop %r9\n pop %r8\n pop %rdi\n pop %rsi\n pop %rdx\n pop %rcx\n"          \
          " pop %rax\n.cfi_adjust_cfa_offset -64\n ret\n.cfi_endproc\n.size " name ", . - " name   \
          "\n.popsection\n")

TRAMPOLINE("prof_xray_entry", "0", "0", "72"); /* called: the sled's return address is below */
TRAMPOLINE("prof_xray_exit", "1", "8", "72");  /* jumped to */
TRAMPOLINE("prof_xray_tail", "2", "0", "72");

void prof_xray_entry(void);
void prof_xray_exit(void);
void prof_xray_tail(void);

uint64_t prof_xray_trampoline(uint8_t sled_kind) {
  void (*const trampolines[])(void) = {prof_xray_entry, prof_xray_exit, prof_xray_tail};
  return (uint64_t)(uintptr_t)trampolines[sled_kind];
}

/* As a function with a sled is entered. */
void prof_xray_once(void);
__asm__(".pushsection .text\n.hidden prof_xray_once\n.globl prof_xray_once\n"
        ".type prof_xray_once, @function\nprof_xray_once:\n.cfi_startproc\n"
        " mov $-1, %r10d\n call prof_xray_entry\n ret\n.cfi_endproc\n"
        ".size prof_xray_once, . - prof_xray_once\n.popsection\n");

double prof_xray_price(void) {
  enum { HITS = 1000, BATCHES = 5 };
  uint64_t best = UINT64_MAX;
  for (int batch = 0; batch < BATCHES; batch++) {
    uint64_t start = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < HITS; i++)
      prof_xray_once();
    uint64_t took = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
    best = took < best ? took : best; /* the one that nobody disturbed */
  }
  return (double)best / HITS;
}

void prof_xray_listen(bool on) {
  if (on) { /* what an earlier trace left */
    for (size_t i = 0; i < PROF_XRAY_THREADS && buffers[i]; i++) {
      atomic_store(&buffers[i]->tail, atomic_load(&buffers[i]->head));
      buffers[i]->lost = 0;
    }
    atomic_store(&lost_elsewhere, 0);
  }
  atomic_store(&listening, on);
}

void prof_xray_drain(prof_xray_visit *visit, void *user) {
  for (size_t i = 0; i < PROF_XRAY_THREADS; i++) {
    struct buffer *buffer = atomic_load_explicit(&buffers[i], memory_order_acquire);
    if (!buffer)
      return;
    uint64_t tail = atomic_load_explicit(&buffer->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&buffer->head, memory_order_acquire);
    uint32_t tid = atomic_load(&buffer->tid);
    for (; tail != head; tail++)
      visit(user, tid, &buffer->rows[tail % PROF_XRAY_ROWS]);
    atomic_store_explicit(&buffer->tail, tail, memory_order_release);
  }
}

void prof_xray_reap(void (*ended)(void *user, uint32_t tid), void *user) {
  long pid = getpid();
  for (size_t i = 0; i < PROF_XRAY_THREADS; i++) {
    struct buffer *buffer = atomic_load_explicit(&buffers[i], memory_order_acquire);
    if (!buffer)
      return;
    uint32_t tid = atomic_load(&buffer->tid);
    if (tid == 0 || syscall(SYS_tgkill, pid, tid, 0) == 0 || errno != ESRCH ||
        atomic_load(&buffer->head) != atomic_load(&buffer->tail))
      continue;
    ended(user, tid);
    lost_elsewhere += buffer->lost;
    buffer->lost = 0;
    atomic_store(&buffer->tid, 0);
  }
}

uint64_t prof_xray_lost(void) {
  uint64_t lost = lost_elsewhere;
  for (size_t i = 0; i < PROF_XRAY_THREADS && buffers[i]; i++)
    lost += buffers[i]->lost;
  return lost;
}
