#include "heap/live.h"

#include <sys/mman.h>

#include "base/pages.h"

enum {
  PROBED = 4, /* lines that an address may stand in */
  PUTTING = 1,
  MANY = 255,
};

struct prof_live *prof_live_create(void) {
  return prof_pages_reserve(sizeof(struct prof_live));
}

void prof_live_reset(struct prof_live *self) {
  madvise(self, sizeof *self, MADV_DONTNEED); /* private and anonymous: zeros from here on */
}

static void count_group(struct prof_live *self, uint64_t address, int by) {
  _Atomic uint8_t *group = &self->groups[prof_live_hash(address) >> (64 - PROF_LIVE_GROUP_BITS)];
  uint8_t held = atomic_load_explicit(group, memory_order_relaxed);
  do {
    /* 0 with by < 0: it was emptied by a reset meanwhile. */
    if (held == MANY || (held == 0 && by < 0))
      return;
  } while (!atomic_compare_exchange_weak_explicit(group, &held, (uint8_t)(held + by),
                                                  memory_order_relaxed, memory_order_relaxed));
}

static uint32_t line_of(uint64_t address, unsigned probe) {
  uint64_t hash = prof_live_hash(address) >> (64 - PROF_LIVE_GROUP_BITS - PROF_LIVE_LINE_BITS);
  return (uint32_t)(hash + probe) & ((1u << PROF_LIVE_LINE_BITS) - 1);
}

int prof_live_put(struct prof_live *self, uint64_t address, uint64_t number) {
  for (unsigned probe = 0; probe < PROBED; probe++) {
    uint32_t at = line_of(address, probe);
    for (int way = 0; way < PROF_LIVE_WAYS; way++) {
      _Atomic uint64_t *place = &self->lines[at].addresses[way];
      uint64_t expected = 0;
      if (atomic_load_explicit(place, memory_order_relaxed) ||
          !atomic_compare_exchange_strong_explicit(place, &expected, PUTTING, memory_order_acquire,
                                                   memory_order_relaxed))
        continue;
      self->numbers[at][way] = number;
      count_group(self, address, 1);
      atomic_store_explicit(place, address, memory_order_release);
      return 0;
    }
  }
  return -1;
}

uint64_t prof_live_take(struct prof_live *self, uint64_t address) {
  for (unsigned probe = 0; probe < PROBED; probe++) {
    uint32_t at = line_of(address, probe);
    for (int way = 0; way < PROF_LIVE_WAYS; way++) {
      _Atomic uint64_t *place = &self->lines[at].addresses[way];
      if (atomic_load_explicit(place, memory_order_acquire) != address)
        continue;
      uint64_t number = self->numbers[at][way];
      atomic_store_explicit(place, 0, memory_order_release);
      count_group(self, address, -1);
      return number;
    }
  }
  return 0;
}
