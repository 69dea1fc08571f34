/* What one walk costs, at 24 and 40 frames: rows cached, rows cached but the stack's pages asked
 * for anew, nothing cached; against glibc's backtrace() and elfutils' libdwfl on the same stack.
 * Prints one JSON object a line; `node bench/unwind.js` builds and runs it. Times are the least of
 * many batches: the machine's other work only ever adds. */
#include <elfutils/libdwfl.h>
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ucontext.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/clock.h"
#include "stack/context.h"
#include "stack/recall.h"

enum { ROOM = 512, BATCHES = 60, SINGLES = 500, EVICT_BYTES = 4 << 20 };

static struct prof_unwind unwind;
static struct prof_memory memory;
static struct prof_regs regs;
static uint64_t words[ROOM];
static struct prof_walk walk;
static Dwfl *dwfl;
static int dwfl_frames;

static void walk_once(void) {
  walk = (struct prof_walk){.words = words, .capacity = ROOM};
  prof_unwind_walk(&unwind, &memory, &regs, &walk);
}

/* With the walk before at hand, and the stack as it was then. */
static void walk_recalled(void) {
  static struct prof_recall recall;
  walk = (struct prof_walk){.words = words, .recall = &recall, .capacity = ROOM};
  prof_unwind_walk(&unwind, &memory, &regs, &walk);
}

static void walk_new_memory(void) {
  prof_memory_live(&memory);
  walk_once();
}

static void walk_without_rows(void) {
  prof_rows_forget(unwind.rows, 0, 1);
  walk_once();
}

static void walk_glibc(void) {
  void *places[ROOM];
  backtrace(places, ROOM);
}

static pid_t next_thread(Dwfl *self, void *user, void **thread) {
  (void)self;
  if (*thread)
    return 0;
  *thread = user;
  return getpid();
}

static bool read_word(Dwfl *self, Dwarf_Addr address, Dwarf_Word *out, void *user) {
  (void)self;
  (void)user;
  return prof_memory_read(&memory, address, out);
}

static bool set_registers(Dwfl_Thread *thread, void *user) {
  (void)user;
  dwfl_thread_state_register_pc(thread, regs.r[PROF_RIP]);
  return dwfl_thread_state_registers(thread, 0, 17, regs.r);
}

static int count_frame(Dwfl_Frame *frame, void *user) {
  Dwarf_Addr pc;
  bool is_activation;
  (void)user;
  if (!dwfl_frame_pc(frame, &pc, &is_activation))
    return DWARF_CB_ABORT;
  dwfl_frames++;
  return DWARF_CB_OK;
}

static void walk_dwfl(void) {
  dwfl_frames = 0;
  prof_memory_begin(&memory, regs.r[PROF_RSP]);
  dwfl_getthread_frames(dwfl, getpid(), count_frame, NULL);
}

static void open_dwfl(void) {
  static char *no_debug = "";
  static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf,
                                           .find_debuginfo = dwfl_standard_find_debuginfo,
                                           .debuginfo_path = &no_debug};
  static const Dwfl_Thread_Callbacks threads = {
      .next_thread = next_thread, .memory_read = read_word, .set_initial_registers = set_registers};
  dwfl = dwfl_begin(&callbacks);
  dwfl_linux_proc_report(dwfl, getpid());
  dwfl_report_end(dwfl, NULL, NULL);
  dwfl_attach_state(dwfl, NULL, getpid(), &threads, &dwfl);
}

static double measure(void (*action)(void), int count) {
  double best = 1e18;
  action();
  for (int batch = 0; batch < BATCHES; batch++) {
    uint64_t start_ns = prof_now_ns();
    for (int i = 0; i < count; i++)
      action();
    double each = (double)(prof_now_ns() - start_ns) / count;
    if (each < best)
      best = each;
  }
  return best;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Single walks with the clock around each, as a handler does them between two samples: what the
 * program in between evicts from the caches is evicted here too. */
static void measure_singles(void (*action)(void), double *median, double *p99) {
  static double each[SINGLES];
  static volatile char evict[EVICT_BYTES];
  for (int i = 0; i < SINGLES; i++) {
    for (size_t at = 0; at < EVICT_BYTES; at += 64)
      evict[at]++;
    uint64_t start_ns = prof_now_ns();
    action();
    each[i] = (double)(prof_now_ns() - start_ns);
  }
  qsort(each, SINGLES, sizeof *each, compare_doubles);
  *median = each[SINGLES / 2];
  *p99 = each[SINGLES * 99 / 100];
}

static void measure_here(void) {
  ucontext_t context;
  double cached, pages, uncached, glibc, elfutils, median, p99, recalled, known, known_p99;
  uint64_t probes;
  getcontext(&context);
  prof_context_registers(&context, &regs);
  prof_memory_live(&memory);
  cached = measure(walk_once, 500);
  pages = measure(walk_new_memory, 500);
  probes = memory.probes;
  measure_singles(walk_new_memory, &median, &p99);
  recalled = measure(walk_recalled, 500);
  measure_singles(walk_recalled, &known, &known_p99);
  uncached = measure(walk_without_rows, 100);
  glibc = measure(walk_glibc, 100);
  elfutils = measure(walk_dwfl, 10);
  walk_once();
  printf("{\"frames\":%u,\"end\":\"%s\",\"cachedNs\":%.0f,\"cachedNewPagesNs\":%.0f,\"pages\":%lu,"
         "\"medianNs\":%.0f,\"p99Ns\":%.0f,\"uncachedNs\":%.0f,\"backtraceNs\":%.0f,\"libdwflNs\":%"
         ".0f,\"libdwflFrames\":%d,"
         "\"backtraceRatio\":%.1f,\"libdwflRatio\":%.1f,"
         "\"recalledNs\":%.0f,\"recalledMedianNs\":%.0f,\"recalledP99Ns\":%.0f}\n",
         walk.count, prof_walk_end_name(walk.end), cached, pages, (unsigned long)probes, median,
         p99, uncached, glibc, elfutils, dwfl_frames, glibc / cached, elfutils / cached, recalled,
         known, known_p99);
}

/* Forty functions, so that forty rows are needed; frames of about 200 bytes, what Rust's and C++'s
 * have at the median. */
typedef int frame_fn(int depth);
static frame_fn *const functions[40];
#define FRAME(n)                                                                                   \
  __attribute__((noinline)) static int frame_##n(int depth) {                                      \
    volatile char frame[160];                                                                      \
    frame[0] = (char)depth;                                                                        \
    if (depth == 0)                                                                                \
      measure_here();                                                                              \
    else                                                                                           \
      functions[(depth - 1) % 40](depth - 1);                                                      \
    return frame[0] + n;                                                                           \
  }
#define TEN(X, n) X(n##0) X(n##1) X(n##2) X(n##3) X(n##4) X(n##5) X(n##6) X(n##7) X(n##8) X(n##9)
#define FORTY(X) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4)
FORTY(FRAME)
#define NAME(n) frame_##n,
static frame_fn *const functions[40] = {FORTY(NAME)};

int main(void) {
  unwind.rows = prof_rows_create(NULL);
  if (!unwind.rows)
    return 1;
  open_dwfl();
  frame_10(24 - 6);
  frame_10(40 - 6);
  dwfl_end(dwfl);
  prof_rows_free(unwind.rows);
  return 0;
}
