#include "perf/cache.h"

#include <stdio.h>
#include <string.h>

#include <linux/perf_event.h>

static const struct cache {
  const char *name, *about, *operations; /* of "lsp": load, store, prefetch */
  uint64_t id;
} CACHES[] = {
    {"L1-dcache", "L1 data cache", "lsp", PERF_COUNT_HW_CACHE_L1D},
    {"L1-icache", "L1 instruction cache", "lp", PERF_COUNT_HW_CACHE_L1I},
    {"LLC", "last-level cache", "lsp", PERF_COUNT_HW_CACHE_LL},
    {"dTLB", "data TLB", "lsp", PERF_COUNT_HW_CACHE_DTLB},
    {"iTLB", "instruction TLB", "l", PERF_COUNT_HW_CACHE_ITLB},
    {"branch", "branch prediction unit", "l", PERF_COUNT_HW_CACHE_BPU},
    {"node", "memory of the CPU's own node", "lsp", PERF_COUNT_HW_CACHE_NODE},
};

static const struct operation {
  const char *one, *many;
  uint64_t id;
} OPERATIONS[] = {
    {"load", "loads", PERF_COUNT_HW_CACHE_OP_READ},
    {"store", "stores", PERF_COUNT_HW_CACHE_OP_WRITE},
    {"prefetch", "prefetches", PERF_COUNT_HW_CACHE_OP_PREFETCH},
};

enum { CACHE_COUNT = sizeof CACHES / sizeof *CACHES, OPERATION_COUNT = 3 };

/* Whether name is "word" or "word-misses". */
static bool matches(const char *name, const char *word, bool *misses) {
  size_t length = strlen(word);
  if (strncasecmp(name, word, length) != 0)
    return false;
  *misses = !strcasecmp(name + length, "-misses");
  return *misses || !name[length];
}

bool prof_cache_parse(const char *name, uint64_t *config) {
  for (int i = 0; i < CACHE_COUNT; i++) {
    const struct cache *cache = &CACHES[i];
    size_t length = strlen(cache->name);
    if (strncasecmp(name, cache->name, length) != 0 || name[length] != '-')
      continue;
    for (int j = 0; j < OPERATION_COUNT; j++) {
      const struct operation *operation = &OPERATIONS[j];
      bool misses;
      if (!strchr(cache->operations, operation->one[0]) ||
          (!matches(name + length + 1, operation->one, &misses) &&
           !matches(name + length + 1, operation->many, &misses)))
        continue;
      *config =
          cache->id | operation->id << 8 |
          (uint64_t)(misses ? PERF_COUNT_HW_CACHE_RESULT_MISS : PERF_COUNT_HW_CACHE_RESULT_ACCESS)
              << 16;
      return true;
    }
  }
  return false;
}

bool prof_cache_name(size_t index, char *name, size_t name_size, char *about, size_t about_size) {
  size_t at = 0;
  for (int i = 0; i < CACHE_COUNT; i++)
    for (int j = 0; j < OPERATION_COUNT; j++) {
      const struct operation *operation = &OPERATIONS[j];
      if (!strchr(CACHES[i].operations, operation->one[0]))
        continue;
      for (int misses = 0; misses < 2; misses++)
        if (at++ == index) {
          snprintf(name, name_size, "%s-%s%s", CACHES[i].name,
                   misses ? operation->one : operation->many, misses ? "-misses" : "");
          snprintf(about, about_size, "%s %s%s", CACHES[i].about,
                   misses ? operation->one : operation->many, misses ? " misses" : "");
          return true;
        }
    }
  return false;
}
