/*
 * What one hit of a probe costs by the kernel's `uprobe` PMU, in ns of the thread's CPU time:
 * entries on an instruction that the kernel emulates and on one that it steps through, a return
 * instruction, and the kernel's own return probe. `trace-calls [CALLS]`; needs root. Built by
 * bench/trace-calls.js.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/status.h"
#include "code/funcs.h"
#include "perf/os.h"
#include "uprobe.h"

void bench_push(void);
void bench_lea(void);
__asm__(".pushsection .text\n"
        ".globl bench_push\n.type bench_push, @function\nbench_push:\n push %rbx\n pop %rbx\n ret\n"
        ".size bench_push, . - bench_push\n"
        ".globl bench_lea\n.type bench_lea, @function\nbench_lea:\n lea 1(%rdi), %eax\n ret\n"
        ".size bench_lea, . - bench_lea\n.popsection\n");

static double loop(void (*function)(void), long calls) {
  uint64_t start = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
  for (long i = 0; i < calls; i++)
    function();
  return (double)(prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / (double)calls;
}

static void measure(struct prof_funcs *funcs, const char *what, const char *name,
                    void (*function)(void), uint64_t skip, bool is_return, long calls) {
  struct prof_func func;
  struct perf_event_attr attr = {.size = sizeof attr,
                                 .sample_period = 1,
                                 .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
                                 .disabled = 1,
                                 .wakeup_events = 1 << 30};
  size_t bytes = ((size_t)64 << 20) + (size_t)sysconf(_SC_PAGESIZE);
  void *map = NULL;
  if (!prof_funcs_find(funcs, name, &func))
    exit(1);
  double plain = loop(function, calls);
  int fd = -1;
  if (bench_uprobe("/proc/self/exe", func.offset + skip, is_return, &attr))
    fd = prof_os_real.perf_event_open(NULL, &attr, 0, -1);
  if (fd < 0 || prof_os_real.map(NULL, fd, bytes, &map)) {
    fprintf(stderr, "no probe opens here: this needs root, and a kernel with uprobes\n");
    exit(1);
  }
  ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
  printf("%-46s %7.0f ns\n", what, loop(function, calls) - plain);
  munmap(map, bytes);
  close(fd);
}

int main(int count, char **words) {
  long calls = count > 1 ? atol(words[1]) : 1000000;
  struct prof_funcs *funcs;
  struct prof_error error;
  if (prof_funcs_open("/proc/self/exe", &funcs, &error))
    return 1;
  measure(funcs, "entry at a push (emulated)", "bench_push", bench_push, 0, false, calls);
  measure(funcs, "entry at another instruction (stepped)", "bench_lea", bench_lea, 0, false, calls);
  measure(funcs, "return instruction (stepped)", "bench_push", bench_push, 2, false, calls);
  measure(funcs, "the kernel's return probe, entry at a push", "bench_push", bench_push, 0, true,
          calls);
  measure(funcs, "the kernel's return probe, entry elsewhere", "bench_lea", bench_lea, 0, true,
          calls);
  prof_funcs_close(funcs);
  return 0;
}
