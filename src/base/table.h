/*
 * table: a hash map from u64 to u32, open addressing with linear probing, for interning (frames,
 * calling-context nodes, thread ids).
 *
 * Keys are any u64; values any u32 but PROF_TABLE_NONE. Refuses: removal, concurrent use.
 */
#ifndef RSPACK_PROF_BASE_TABLE_H
#define RSPACK_PROF_BASE_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define PROF_TABLE_NONE UINT32_MAX

/* Key and value side by side: a look-up in a large table costs one cache miss. */
struct prof_table_slot {
  uint64_t key;
  uint32_t value; /* PROF_TABLE_NONE: free */
  uint32_t unused;
};

struct prof_table {
  struct prof_table_slot *slots;
  size_t capacity; /* power of two, 0 before the first put */
  size_t count;
};

void prof_table_free(struct prof_table *self);

/* The value of key, or PROF_TABLE_NONE. */
uint32_t prof_table_get(const struct prof_table *self, uint64_t key);

/* Sets key to value (added or replaced). 0, or -1 where memory ends: the table is as it was. */
int prof_table_put(struct prof_table *self, uint64_t key, uint32_t value);

/* A good mix of 64 bits (the finaliser of MurmurHash3, Appleby 2011, public domain). */
static inline uint64_t prof_hash_u64(uint64_t key) {
  key ^= key >> 33;
  key *= 0xff51afd7ed558ccdull;
  key ^= key >> 33;
  key *= 0xc4ceb9fe1a85ec53ull;
  return key ^ (key >> 33);
}

/* FNV-1a (Fowler, Noll, Vo) from a hash on, mixed. text NULL: none. */
uint64_t prof_hash_text(uint64_t hash, const char *text);

#endif
