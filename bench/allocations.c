/*
 * What a malloc with its free takes: plain, through the hooks (without and with samples), and with
 * uprobes on both that do nothing but count (root). One line each: name, ns a pair, ratio.
 *   allocations PAIRS
 */
#include <dlfcn.h>
#include <link.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "heap/hooks.h"
#include "heap/sampler.h"
#include "perf/os.h"
#include "uprobe.h"

enum { ROUNDS = 5 };

typedef void *allocate_function(size_t);
typedef void release_function(void *);

/* Sizes as a build's: mostly small. The best of some rounds. */
static double pair_ns(allocate_function *volatile allocate, release_function *volatile release,
                      long pairs) {
  double least = 1e18;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t start_ns = prof_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    for (long i = 0; i < pairs; i++) {
      volatile char *piece = allocate((size_t)(16 + (i * 37) % 496));
      piece[0] = 1;
      release((void *)piece);
    }
    double took = (double)(prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) / (double)pairs;
    least = took < least ? took : least;
  }
  return least;
}

static void *hook(const char *symbol) {
  for (size_t i = 0; i < prof_hook_count; i++) {
    if (strcmp(prof_hooks[i].symbol, symbol) == 0)
      return prof_hooks[i].function;
  }
  abort();
}

static double hooked_ns(struct prof_unwind *unwind, uint64_t mean_bytes, long pairs) {
  const struct prof_heap_options options = {
      .unwind = unwind, .mean_bytes = mean_bytes, .max_words = 8192, .most_samples = 1 << 30};
  if (prof_hooks_prepare(NULL) || prof_heap_arm(&options, NULL))
    return -1;
  double took =
      pair_ns((allocate_function *)hook("malloc"), (release_function *)hook("free"), pairs);
  prof_heap_disarm();
  return took;
}

struct in_file {
  uintptr_t address;
  uint64_t offset;
};

static int find_offset(struct dl_phdr_info *info, size_t size, void *user) {
  struct in_file *find = user;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_LOAD && find->address - start < part->p_memsz) {
      find->offset = find->address - start + part->p_offset;
      return 1;
    }
  }
  return 0;
}

/* A counting probe at a function of a library; the descriptor, or -1. */
static int count_at(const char *symbol) {
  Dl_info info;
  struct in_file find = {.address = (uintptr_t)dlsym(RTLD_DEFAULT, symbol)};
  struct perf_event_attr attr = {.size = sizeof attr};
  if (!dladdr((void *)find.address, &info) || !dl_iterate_phdr(find_offset, &find))
    return -1;
  if (!bench_uprobe(info.dli_fname, find.offset, false, &attr))
    return -1;
  return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void print(const char *what, double took, double plain) {
  if (took < 0)
    printf("%-44s not here\n", what);
  else
    printf("%-44s %8.1f ns %7.2f x\n", what, took, took / plain);
}

int main(int argc, char **argv) {
  long pairs = argc > 1 ? atol(argv[1]) : 1000000;
  struct prof_unwind unwind = {.rows = prof_rows_create(NULL)};
  if (!unwind.rows || prof_rows_refresh(unwind.rows, NULL))
    return 1;
  double plain = pair_ns(malloc, free, pairs);
  print("malloc and free", plain, plain);
  print("hooked, no sample", hooked_ns(&unwind, (uint64_t)1 << 50, pairs), plain);
  print("hooked, one in 512 KB", hooked_ns(&unwind, 512 << 10, pairs), plain);
  print("hooked, one in 128 KB", hooked_ns(&unwind, 128 << 10, pairs), plain);
  print("hooked, one in 16 KB", hooked_ns(&unwind, 16 << 10, pairs), plain);
  int at_malloc = count_at("malloc"), at_free = count_at("free");
  bool is_open = at_malloc >= 0 && at_free >= 0;
  print("uprobes that count", is_open ? pair_ns(malloc, free, pairs / 10) : -1, plain);
  return 0;
}
