/* What sampling costs before anybody looks at a sample: an addon for `node --require` that opens
 * the profiler's own events on all threads, as the profiler does, and drops what they bring.
 *   INTERRUPT_FREQUENCY  samples a second on each CPU
 *   INTERRUPT_SIGNALS    1: each sample also signals its thread, to a handler that returns at once
 *   INTERRUPT_EVENT      default: the profiler's
 *   INTERRUPT_COUNTS     file that gets the counts at the end, as JSON
 * So the difference to a build without is the kernel's interrupt and its record; with signals, the
 * way into a handler and back as well. What the profiler costs beyond that is its own. */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "perf/attach.h"
#include "perf/choose.h"
#include "perf/os.h"
#include "stack/trap.h"

enum { STACK_BYTES = 64 << 10, STACKS = 4096, DROP_EVERY_NS = 50000000 };

static struct prof_attach *attach;
static sem_t started;
static _Atomic uint64_t samples, signals, lost;
static _Atomic uint32_t stacks_given;
static char *stacks;

/* On a stack of its own from a thread's second signal on, as the profiler's handler. */
static void on_sigtrap(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  ucontext_t *interrupted = context;
  atomic_fetch_add_explicit(&signals, 1, memory_order_relaxed);
  if (interrupted->uc_stack.ss_flags & SS_DISABLE) {
    uint32_t index = atomic_fetch_add_explicit(&stacks_given, 1, memory_order_relaxed);
    if (index < STACKS)
      prof_trap_offer_stack(interrupted, stacks + (size_t)index * STACK_BYTES, STACK_BYTES);
  }
}

/* Headers alone are looked at. */
static void drop(void *user, const struct perf_event_header *record, int cpu) {
  (void)user;
  (void)cpu;
  if (record->type == PERF_RECORD_SAMPLE)
    atomic_fetch_add_explicit(&samples, 1, memory_order_relaxed);
  else if (record->type == PERF_RECORD_LOST)
    atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
}

static void fail(const struct prof_error *error) {
  fprintf(stderr, "interrupt: %s\n", error->message);
  exit(1);
}

static void open_events(void) {
  struct prof_attach_options options = {.skip_tid = (int)syscall(SYS_gettid),
                                        .sig_data = (uint64_t)1 << 32};
  struct prof_error error = {0};
  const char *frequency = getenv("INTERRUPT_FREQUENCY");
  const char *with_signals = getenv("INTERRUPT_SIGNALS");
  if (prof_choose_plan(&prof_os_real, getenv("INTERRUPT_EVENT"),
                       frequency ? (uint32_t)atoi(frequency) : 1000, PROF_CALL_GRAPH_FULL,
                       &options.plan, &error))
    fail(&error);
  if (!with_signals || with_signals[0] != '1') {
    options.plan.sigtrap = false;
  } else {
    stacks = mmap(NULL, (size_t)STACKS * STACK_BYTES, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED || prof_trap_install(on_sigtrap, &error))
      fail(&error);
  }
  if (prof_attach_open(&prof_os_real, &options, &attach, &error))
    fail(&error);
  prof_attach_enable(attach);
  prof_attach_scan(attach);
}

static void *run(void *unused) {
  open_events();
  sem_post(&started);
  for (;;) {
    const struct timespec wait = {.tv_nsec = DROP_EVERY_NS};
    nanosleep(&wait, NULL);
    for (int i = 0; i < prof_attach_ring_count(attach); i++)
      prof_ring_drain(prof_attach_ring(attach, i), drop, NULL);
  }
  return unused;
}

__attribute__((destructor)) static void write_counts(void) {
  const char *path = getenv("INTERRUPT_COUNTS");
  FILE *file = path && attach ? fopen(path, "w") : NULL;
  if (!file)
    return;
  fprintf(file, "{\"samples\":%lu,\"signals\":%lu,\"lost\":%lu}\n", (unsigned long)samples,
          (unsigned long)signals, (unsigned long)lost);
  fclose(file);
}

/* Node-API's entry; nothing of the API is needed. Returns once the events run. */
__attribute__((visibility("default"))) void *napi_register_module_v1(void *env, void *exports) {
  pthread_t thread;
  sigset_t all, before;
  (void)env;
  sem_init(&started, 0, 0);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&thread, NULL, run, NULL))
    exit(1);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  sem_wait(&started);
  return exports;
}
