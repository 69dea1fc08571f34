/* How the cost of a sample grows with the machine and with the build. Prints one JSON object.
 *   growth cpus N      N simulated rings and walks' buffers, 4000 samples a second on each, through
 *                      the drain's stages: rings, order, records, join with the walks
 *   growth threads N   N live threads that work 24 frames deep and are sampled at 4000 Hz
 * `node bench/growth.js` builds and runs it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "perf/attr.h"
#include "perf/order.h"
#include "perf/os.h"
#include "perf/record.h"
#include "perf/ring.h"
#include "session/recording.h"
#include "session/walks.h"
#include "stack/join.h"
#include "stack/sampler.h"

enum {
  FREQUENCY = 4000,
  DRAIN_MS = 50,
  ROUNDS = 40, /* two seconds of samples */
  PAGE = 4096,
  RING_BYTES = 1 << 19,
  KERNEL_CHAIN = 12, /* entries, of each fourth sample */
  FRAMES = 24,
  THREADS_PER_CPU = 4,
  FIRST_TID = 1000,
};

static double cpu_ns(void) {
  return (double)prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void die(const char *why) {
  fprintf(stderr, "growth: %s\n", why);
  exit(1);
}

/* ---- simulated CPUs ---- */

struct machine {
  int cpus;
  struct prof_ring *rings;
  struct prof_record_layout layout;
  struct prof_order *order;
  struct prof_walks walks;
  struct prof_join join;
  uint64_t decided, matched, malformed;
};

/* A sample as src/perf/attr.c asks for it: IDENTIFIER, IP, TID, TIME, CPU, PERIOD, CALLCHAIN,
 * REGS_USER of three registers (linux/perf_event.h, PERF_RECORD_SAMPLE). */
static size_t write_sample(uint64_t *out, uint32_t tid, uint32_t cpu, uint64_t time_ns, uint64_t sp,
                           bool in_kernel) {
  struct perf_event_header *header = (void *)out;
  size_t n = 1;
  out[n++] = 77;                                /* id */
  out[n++] = in_kernel ? ~0xffffull : 0x401000; /* ip */
  out[n++] = (uint64_t)tid << 32 | (uint32_t)getpid();
  out[n++] = time_ns;
  out[n++] = cpu;
  out[n++] = 1000000000ull / FREQUENCY;
  out[n++] = in_kernel ? KERNEL_CHAIN : 0;
  for (int i = 0; in_kernel && i < KERNEL_CHAIN; i++)
    out[n++] = i ? ~0xffffull - (uint64_t)i * 64 : PERF_CONTEXT_KERNEL;
  out[n++] = PERF_SAMPLE_REGS_ABI_64;
  out[n++] = sp + 64; /* bp, sp, ip: in the order of their bits */
  out[n++] = sp;
  out[n++] = 0x401000;
  header->type = PERF_RECORD_SAMPLE;
  header->misc = in_kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER;
  header->size = (uint16_t)(n * sizeof *out);
  return header->size;
}

static void ring_put(struct prof_ring *ring, const void *record, size_t size) {
  struct perf_event_mmap_page *page = ring->map;
  size_t at = page->data_head & (ring->data_bytes - 1);
  size_t first = size < ring->data_bytes - at ? size : ring->data_bytes - at;
  memcpy(ring->data + at, record, first);
  memcpy(ring->data, (const unsigned char *)record + first, size - first);
  page->data_head += size;
}

static void put_walk(struct prof_walks *walks, uint32_t tid, uint64_t time_ns, uint64_t sp) {
  size_t size = sizeof(struct prof_stack) + FRAMES * sizeof(uint64_t);
  if (prof_array_reserve((void **)&walks->bytes, &walks->capacity_bytes, walks->used_bytes + size,
                         1) ||
      prof_array_reserve((void **)&walks->refs, &walks->capacity, walks->count + 1,
                         sizeof *walks->refs))
    die("no memory");
  struct prof_stack *stack = (void *)(walks->bytes + walks->used_bytes);
  memset(stack, 0, size);
  *stack = (struct prof_stack){.time_ns = time_ns,
                               .ip = 0x401000,
                               .sp = sp,
                               .frame = sp - 1024,
                               .tid = tid,
                               .duration_ns = 2000,
                               .count = FRAMES};
  walks->refs[walks->count++] =
      (struct prof_walk_ref){.time_ns = time_ns, .offset = walks->used_bytes};
  walks->used_bytes += size;
}

/* What every CPU leaves in one interval; each CPU's clock ticks at a moment of its own. */
static void fill(struct machine *self, uint64_t start_ns) {
  const uint64_t period_ns = 1000000000ull / FREQUENCY;
  uint64_t record[64];
  for (int cpu = 0; cpu < self->cpus; cpu++) {
    uint64_t at = start_ns + (uint64_t)cpu * 7919 % period_ns;
    for (int i = 0; i < FREQUENCY * DRAIN_MS / 1000; i++, at += period_ns) {
      uint32_t tid = FIRST_TID + (uint32_t)(cpu * THREADS_PER_CPU + i / 8 % THREADS_PER_CPU);
      uint64_t sp = 0x7f0000000000ull + (uint64_t)tid * 65536 + (uint64_t)i * 16;
      ring_put(&self->rings[cpu], record,
               write_sample(record, tid, (uint32_t)cpu, at, sp, i % 4 == 0));
      put_walk(&self->walks, tid, at + 1500, sp);
    }
  }
}

static void push_record(void *user, const struct perf_event_header *header, int cpu) {
  struct machine *self = user;
  struct prof_record record;
  if (prof_record_decode(&self->layout, header, &record) ||
      prof_order_push(self->order, header, cpu, record.time_ns))
    self->malformed++;
}

static void on_decided(void *user, struct prof_join_thread *thread, const struct prof_wait *wait,
                       enum prof_join_fate fate) {
  struct machine *self = user;
  (void)thread;
  (void)wait;
  self->decided++;
  self->matched += fate == PROF_JOIN_MATCHED;
}

static void on_record(void *user, const struct perf_event_header *header, int cpu) {
  struct machine *self = user;
  struct prof_record record;
  if (prof_record_decode(&self->layout, header, &record)) {
    self->malformed++;
    return;
  }
  struct prof_wait wait = {.time_ns = record.time_ns,
                           .weight = record.sample.period,
                           .ip = record.sample.user_ip,
                           .sp = record.sample.user_sp,
                           .bp = record.sample.user_bp,
                           .cpu = (uint16_t)cpu};
  struct prof_join_thread *thread = prof_join_find(&self->join, record.tid);
  if (!thread)
    thread = prof_join_add(&self->join, record.tid, 0);
  if (!thread || prof_join_sample(&self->join, thread, &wait))
    die("no memory");
}

static void on_walk(void *user, const struct prof_stack *stack) {
  struct machine *self = user;
  prof_order_flush(self->order, stack->time_ns + 1, on_record, self);
  struct prof_join_thread *thread = prof_join_find(&self->join, stack->tid);
  if (thread)
    prof_join_walk(&self->join, thread, stack, 1, on_decided, self);
}

/* The steps of recording.c's drain, without what names and keeps stacks. */
static void drain(struct machine *self, uint64_t until_ns) {
  for (int cpu = 0; cpu < self->cpus; cpu++)
    prof_ring_drain(&self->rings[cpu], push_record, self);
  prof_walks_flush(&self->walks, until_ns, on_walk, self);
  prof_order_flush(self->order, until_ns, on_record, self);
}

static void open_machine(struct machine *self, int cpus) {
  const struct prof_plan plan = {.event = {.type = PERF_TYPE_SOFTWARE},
                                 .frequency = FREQUENCY,
                                 .sigtrap = true,
                                 .kernel = true,
                                 .kernel_chain = true,
                                 .threads_only = true};
  struct perf_event_attr attr;
  unsigned char *scratch = aligned_alloc(64, PROF_RING_SCRATCH_BYTES);
  *self = (struct machine){.cpus = cpus, .order = prof_order_create(256 << 20)};
  self->rings = calloc((size_t)cpus, sizeof *self->rings);
  if (!scratch || !self->order || !self->rings)
    die("no memory");
  prof_join_init(&self->join);
  prof_attr_fill(&plan, 0, &attr);
  prof_record_layout_of(&attr, &self->layout);
  for (int cpu = 0; cpu < cpus; cpu++) {
    void *map =
        mmap(NULL, PAGE + RING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED ||
        prof_ring_init(&self->rings[cpu], map, PAGE + RING_BYTES, PAGE, -1, cpu, scratch))
      die("no ring");
  }
}

static void measure_cpus(int cpus) {
  struct machine machine;
  const uint64_t interval_ns = DRAIN_MS * 1000000ull;
  double spent_ns = 0;
  open_machine(&machine, cpus);
  for (uint64_t round = 0; round <= ROUNDS; round++) {
    uint64_t start_ns = 1000000000ull + round * interval_ns;
    if (round < ROUNDS)
      fill(&machine, start_ns);
    double before = cpu_ns();
    drain(&machine, round < ROUNDS ? start_ns + interval_ns - PROF_ORDER_LAG_NS : UINT64_MAX);
    if (round) /* the first one allocates */
      spent_ns += cpu_ns() - before;
  }
  uint64_t samples = (uint64_t)cpus * FREQUENCY * DRAIN_MS / 1000 * ROUNDS;
  if (machine.malformed || machine.decided != samples || machine.matched != samples)
    die("not every sample found its walk");
  printf("{\"cpus\":%d,\"samples\":%lu,\"nsPerSample\":%.1f}\n", cpus, (unsigned long)samples,
         spent_ns / ((double)samples * (ROUNDS - 1) / ROUNDS));
}

/* ---- live threads ---- */

enum { TURN_NS = 500000, DURATIONS_MAX = 1 << 20 };

static atomic_bool is_over;
static uint32_t durations[DURATIONS_MAX];
static size_t duration_count;

__attribute__((noinline)) static uint64_t work(int depth) {
  volatile uint64_t frame[20] = {(uint64_t)depth};
  if (depth > 0)
    return work(depth - 1) + frame[0];
  for (int i = 0; i < 20000; i++)
    frame[i % 20] += (uint64_t)i;
  return frame[7];
}

/* All together they keep one CPU busy, however many they are: in turns, as a build's pools do. With
 * more, the handler's time would be that of waiting for a CPU. */
static void *run_worker(void *argument) {
  const int threads = *(int *)argument;
  while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
    uint64_t until_ns = prof_now_ns() + TURN_NS;
    while (prof_now_ns() < until_ns)
      work(FRAMES - 4);
    uint64_t pause_ns = (uint64_t)(threads - 1) * TURN_NS;
    const struct timespec wait = {.tv_sec = (time_t)(pause_ns / 1000000000u),
                                  .tv_nsec = (long)(pause_ns % 1000000000u)};
    nanosleep(&wait, NULL);
  }
  return NULL;
}

/* The handler's time for each thread's latest walk, where that is a new one. */
static void keep_durations(const struct prof_join *join, uint64_t since_ns) {
  for (size_t i = 0; i < join->thread_count && duration_count < DURATIONS_MAX; i++)
    if (join->threads[i].walk.time_ns > since_ns)
      durations[duration_count++] = join->threads[i].walk.duration_ns;
}

static int compare_durations(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

struct live {
  int threads, seconds;
  double open_ms, drain_ms, finish_ms;
  size_t samples, complete;
  struct prof_recording_counters counters;
};

static void *run_profiler(void *argument) {
  static struct prof_recording recording;
  struct live *self = argument;
  struct prof_error error = {0};
  struct prof_recording_options options = {.max_words = 2 * PROF_MAX_FRAMES_DEFAULT,
                                           .skip_tid = (int)syscall(SYS_gettid)};
  double began = cpu_ns(), opened, drained;
  if (prof_choose_plan(&prof_os_real, NULL, FREQUENCY, PROF_CALL_GRAPH_FULL, &options.plan,
                       &error) ||
      prof_recording_start(&recording, &options, &error))
    die(error.message);
  opened = cpu_ns();
  uint64_t end_ns = prof_now_ns() + (uint64_t)self->seconds * 1000000000u, drained_ns = 0;
  while (prof_now_ns() < end_ns) {
    const struct timespec wait = {.tv_nsec = DRAIN_MS * 1000000L};
    nanosleep(&wait, NULL);
    prof_recording_drain(&recording);
    keep_durations(&recording.join, drained_ns);
    drained_ns = prof_now_ns() - PROF_ORDER_LAG_NS;
  }
  drained = cpu_ns();
  prof_recording_finish(&recording);
  self->open_ms = (opened - began) / 1e6;
  self->drain_ms = (drained - opened) / 1e6;
  self->finish_ms = (cpu_ns() - drained) / 1e6;
  self->samples = recording.samples.count;
  for (size_t i = 0; i < recording.samples.count; i++)
    self->complete += recording.samples.rows[i].end == PROF_END_COMPLETE;
  prof_recording_counters(&recording, &self->counters);
  return NULL;
}

static void measure_threads(int threads, int seconds) {
  struct live live = {.threads = threads, .seconds = seconds};
  pthread_t *workers = calloc((size_t)threads, sizeof *workers), profiler;
  if (!workers)
    die("no memory");
  for (int i = 0; i < threads; i++)
    if (pthread_create(&workers[i], NULL, run_worker, &threads))
      die("no thread");
  if (pthread_create(&profiler, NULL, run_profiler, &live))
    die("no thread");
  pthread_join(profiler, NULL);
  atomic_store(&is_over, true);
  for (int i = 0; i < threads; i++)
    pthread_join(workers[i], NULL);
  qsort(durations, duration_count, sizeof durations[0], compare_durations);
  if (!duration_count || !live.samples)
    die("no samples");
  printf("{\"threads\":%d,\"samples\":%zu,\"complete\":%zu,\"lost\":%lu,\"handlerNs\":%u,"
         "\"threadNs\":%.0f,\"openMs\":%.2f}\n",
         threads, live.samples, live.complete, (unsigned long)live.counters.lost,
         durations[duration_count / 2],
         (live.drain_ms + live.finish_ms) * 1e6 / (double)live.samples, live.open_ms);
}

int main(int argc, char **argv) {
  int count = argc == 3 || argc == 4 ? atoi(argv[2]) : 0;
  int seconds = argc == 4 ? atoi(argv[3]) : 2;
  if (count > 0 && count <= 1024 && !strcmp(argv[1], "cpus"))
    measure_cpus(count);
  else if (count > 0 && !strcmp(argv[1], "threads"))
    measure_threads(count, seconds);
  else
    die("usage: growth cpus N | growth threads N [SECONDS]");
  return 0;
}
