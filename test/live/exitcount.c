/*
 * exitcount SECONDS 0|1: what attr.inherit_stat (PERF_RECORD_READ at a thread's end, with its final
 * count) does to rings that are per CPU, while threads come and go. docs/safety.md, Weights.
 *
 * Prints for each ring the samples, the counts, and the seconds in which it gave no sample at all.
 */
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CPUS = 2, SPAWNERS = 6, RING_BYTES = 1 << 22, ROUND_US = 2000 };

static struct ring {
  struct perf_event_mmap_page *page;
  unsigned long samples, counts, malformed, silent_seconds, samples_before;
} rings[CPUS];
static atomic_bool is_over;
static atomic_ulong threads_made;

static void *live_shortly(void *argument) {
  for (volatile int i = 0; i < 100000; i++)
    ;
  return argument;
}

static void *spawn(void *argument) {
  pthread_t threads[4];
  while (!is_over) {
    for (int i = 0; i < 4; i++)
      if (pthread_create(&threads[i], NULL, live_shortly, NULL))
        abort();
    for (int i = 0; i < 4; i++)
      pthread_join(threads[i], NULL);
    threads_made += 4;
  }
  return argument;
}

static int open_ring(struct ring *ring, int cpu, int inherit_stat) {
  struct perf_event_attr attr = {.size = sizeof attr,
                                 .type = PERF_TYPE_SOFTWARE,
                                 .config = PERF_COUNT_SW_CPU_CLOCK,
                                 .freq = 1,
                                 .sample_freq = 20000,
                                 .inherit = 1,
                                 .inherit_thread = 1,
                                 .inherit_stat = inherit_stat & 1,
                                 .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME};
  int fd = (int)syscall(SYS_perf_event_open, &attr, 0, cpu, -1, PERF_FLAG_FD_CLOEXEC);
  void *map =
      mmap(NULL, 4096 + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd < 0 ? -1 : fd, 0);
  ring->page = map;
  return map == MAP_FAILED ? -1 : 0;
}

static void drain(struct ring *ring) {
  uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
  uint64_t tail = ring->page->data_tail;
  const unsigned char *bytes = (const unsigned char *)ring->page + 4096;
  while (tail < head) {
    /* Sizes are multiples of 8: a header never wraps. */
    const struct perf_event_header *header = (const void *)(bytes + tail % RING_BYTES);
    if (header->size < sizeof *header || header->type == 0 || tail + header->size > head) {
      ring->malformed++;
      tail = head;
      break;
    }
    ring->samples += header->type == PERF_RECORD_SAMPLE;
    ring->counts += header->type == PERF_RECORD_READ;
    tail += header->size;
  }
  __atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
}

int main(int argc, char **argv) {
  pthread_t spawners[SPAWNERS];
  if (argc < 3)
    return 2;
  for (int cpu = 0; cpu < CPUS; cpu++)
    if (open_ring(&rings[cpu], cpu, atoi(argv[2]))) {
      perror("perf_event_open");
      return 77;
    }
  for (int i = 0; i < SPAWNERS; i++)
    pthread_create(&spawners[i], NULL, spawn, NULL);
  for (int round = 1; round <= atoi(argv[1]) * 1000000 / ROUND_US; round++) {
    usleep(ROUND_US);
    for (int cpu = 0; cpu < CPUS; cpu++) {
      struct ring *ring = &rings[cpu];
      drain(ring);
      if (round % (1000000 / ROUND_US) == 0) {
        ring->silent_seconds += ring->samples == ring->samples_before;
        ring->samples_before = ring->samples;
      }
    }
  }
  is_over = true;
  for (int i = 0; i < SPAWNERS; i++)
    pthread_join(spawners[i], NULL);
  for (int cpu = 0; cpu < CPUS; cpu++)
    printf("ring %d: %lu samples, %lu counts, %lu malformed, %lu s silent; %lu threads\n", cpu,
           rings[cpu].samples, rings[cpu].counts, rings[cpu].malformed, rings[cpu].silent_seconds,
           atomic_load(&threads_made));
  return 0;
}
