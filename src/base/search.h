/*
 * search: binary search among rows that begin with a u64 (an address, mostly) and are sorted by it.
 *
 * The caller provides rows whose first member is that u64. Pure, async-signal-safe; refuses
 * nothing.
 */
#ifndef RSPACK_PROF_BASE_SEARCH_H
#define RSPACK_PROF_BASE_SEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How many of count rows begin at or below key: the last of them is the one before. */
static inline size_t prof_search(const void *rows, size_t count, size_t row_bytes, uint64_t key) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    uint64_t start;
    memcpy(&start, (const char *)rows + middle * row_bytes, sizeof start);
    if (start <= key)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

#endif
