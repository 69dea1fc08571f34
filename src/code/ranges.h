/*
 * ranges: a sorted map of address ranges that do not overlap -> u32, for space.c.
 *
 * Sorted leaves of at most 128 ranges under one sorted list of their first addresses: a look-up is
 * two binary searches over adjacent u64, an insert moves at most one leaf, and every 64th one the
 * list too. The caller ends what an insert would overlap. One thread.
 *
 * Refuses nothing but memory: prof_ranges_reserve() takes all that one cut and one insert may
 * need, so that neither of them can fail half-way.
 */
#ifndef RSPACK_PROF_CODE_RANGES_H
#define RSPACK_PROF_CODE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_range {
  uint64_t start, end; /* [start, end) */
  uint32_t value;
};

struct prof_ranges_leaf;

struct prof_ranges {
  struct prof_ranges_leaf **leaves; /* none is empty */
  uint64_t *firsts;                 /* first start in each leaf */
  size_t leaf_count, leaf_capacity, first_capacity;
  size_t count;                   /* ranges */
  uint64_t ended;                 /* counter: ranges that were taken out or trimmed */
  struct prof_ranges_leaf *spare; /* list of empty ones */
  size_t spare_count;
};

void prof_ranges_free(struct prof_ranges *self);

/* The range that holds address, or NULL; valid until the next change. */
const struct prof_range *prof_ranges_find(const struct prof_ranges *self, uint64_t address);

/* Whether any range overlaps [start, end). */
bool prof_ranges_any(const struct prof_ranges *self, uint64_t start, uint64_t end);

/* 0: the next cut and the next insert cannot fail. -1: no memory. */
int prof_ranges_reserve(struct prof_ranges *self);

/* After reserve. [start, end) must be free and not empty. */
void prof_ranges_insert(struct prof_ranges *self, uint64_t start, uint64_t end, uint32_t value);

/* Takes out whole every range that overlaps [start, end) and for which may_end (NULL: all) says so;
 * the others stay, so an insert there needs another map. */
void prof_ranges_end(struct prof_ranges *self, uint64_t start, uint64_t end,
                     bool (*may_end)(void *user, uint32_t value), void *user);

/* After reserve. Takes out [start, end) alone: a range that sticks out keeps its ends. */
void prof_ranges_cut(struct prof_ranges *self, uint64_t start, uint64_t end);

#endif
