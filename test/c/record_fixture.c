/* Writes fixtures/records.h: what a live ring held while a thread worked, as bytes.
 *
 *   make build/libcore.a
 *   cc -std=c11 -D_GNU_SOURCE -I../../src -o build/record_fixture record_fixture.c build/libcore.a
 *       -lpfm -lpthread
 *   build/record_fixture > fixtures/records.h
 *
 * Needs cpu-clock with the kernel part (root, or perf_event_paranoid at most 1). */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "perf/attach.h"

struct wanted {
  int per_type[32], user, kernel;
};

/* A few of each kind; names of files are cut down by the choice of what is mapped. */
static void visit(void *user, const struct perf_event_header *record, int cpu) {
  struct wanted *w = user;
  const uint64_t *words = (const uint64_t *)record;
  bool in_kernel = (record->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;
  (void)cpu;
  if (record->type == PERF_RECORD_SAMPLE && ++*(in_kernel ? &w->kernel : &w->user) > 3)
    return;
  if (record->type >= 32 || (record->type != PERF_RECORD_SAMPLE && ++w->per_type[record->type] > 2))
    return;
  printf("    /* type %u, %u bytes */", record->type, record->size);
  for (size_t i = 0; i < record->size / sizeof *words; i++)
    printf("%s0x%llx,", i % 6 ? " " : "\n    ", (unsigned long long)words[i]);
  printf("\n");
}

static void *work(void *argument) {
  static unsigned char buffer[1 << 17];
  int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  (void)argument;
  prctl(PR_SET_NAME, "fixture");
  munmap(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, zero, 0), 4096);
  for (volatile int i = 0; i < 20000000; i++)
    if (i % 2000 == 0 && read(zero, buffer, sizeof buffer) < 0)
      abort();
  close(zero);
  return NULL;
}

static void record(int call_graph, uint32_t stack_bytes, const char *name) {
  struct prof_attach_options options = {0};
  struct prof_attach *attach;
  struct prof_error error;
  struct wanted wanted = {0};
  pthread_t thread;
  if (prof_choose_plan(&prof_os_real, "cpu-clock", 1000, call_graph, &options.plan, &error)) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  options.plan.stack_bytes = stack_bytes;
  options.plan.sigtrap = false; /* no handler here */
  if (prof_attach_open(&prof_os_real, &options, &attach, &error)) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  prof_attach_enable(attach);
  pthread_create(&thread, NULL, work, NULL);
  pthread_join(thread, NULL);
  prof_attach_disable(attach);
  printf("static const struct prof_record_layout %s_LAYOUT = {\n"
         "    .sample_type = 0x%llxull, .regs_user = 0x%llxull, .sample_id_all = true};\n",
         name, (unsigned long long)prof_attach_layout(attach)->sample_type,
         (unsigned long long)prof_attach_layout(attach)->regs_user);
  printf("static const unsigned %s_PID = %d;\n", name, getpid());
  printf("static const uint64_t %s[] = {\n", name);
  for (int i = 0; i < prof_attach_ring_count(attach); i++)
    prof_ring_drain(prof_attach_ring(attach, i), visit, &wanted);
  printf("};\n\n");
  prof_attach_close(attach);
}

int main(void) {
  printf("/* Made by record_fixture.c on x86_64. */\n/* clang-format off */\n");
  record(PROF_CALL_GRAPH_FULL, 0, "CHAINS");
  record(PROF_CALL_GRAPH_DWARF, 256, "DUMPS");
  return 0;
}
