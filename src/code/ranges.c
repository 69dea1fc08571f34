#include "code/ranges.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { LEAF_RANGES = 128, SPARES = 2 }; /* a cut can split one leaf, the insert after it another */

struct prof_ranges_leaf {
  struct prof_ranges_leaf *next_spare;
  size_t count;
  struct prof_range ranges[LEAF_RANGES];
};

struct position {
  size_t leaf, index;
};

void prof_ranges_free(struct prof_ranges *self) {
  for (size_t i = 0; i < self->leaf_count; i++)
    free(self->leaves[i]);
  while (self->spare) {
    struct prof_ranges_leaf *next = self->spare->next_spare;
    free(self->spare);
    self->spare = next;
  }
  free(self->leaves);
  free(self->firsts);
  *self = (struct prof_ranges){0};
}

/* The last leaf whose first range starts at or below address; 0 where none does. Branches that
 * the processor cannot guess would cost more than the halving: the compiler makes moves of these.
 */
static size_t leaf_of(const struct prof_ranges *self, uint64_t address) {
  const uint64_t *base = self->firsts;
  for (size_t count = self->leaf_count; count > 1;) {
    size_t half = count / 2;
    base = base[half] <= address ? base + half : base;
    count -= half;
  }
  return (size_t)(base - self->firsts);
}

/* The last range that starts at or below address; index 0 where none does. */
static size_t index_of(const struct prof_ranges_leaf *leaf, uint64_t address) {
  const struct prof_range *base = leaf->ranges;
  for (size_t count = leaf->count; count > 1;) {
    size_t half = count / 2;
    base = base[half].start <= address ? base + half : base;
    count -= half;
  }
  return (size_t)(base - leaf->ranges);
}

const struct prof_range *prof_ranges_find(const struct prof_ranges *self, uint64_t address) {
  const struct prof_ranges_leaf *leaf;
  const struct prof_range *range;
  if (self->leaf_count == 0)
    return NULL;
  leaf = self->leaves[leaf_of(self, address)];
  range = &leaf->ranges[index_of(leaf, address)];
  return range->start <= address && address < range->end ? range : NULL;
}

int prof_ranges_reserve(struct prof_ranges *self) {
  size_t wanted = self->leaf_count + SPARES;
  if (prof_array_reserve((void **)&self->leaves, &self->leaf_capacity, wanted,
                         sizeof *self->leaves) ||
      prof_array_reserve((void **)&self->firsts, &self->first_capacity, wanted,
                         sizeof *self->firsts))
    return -1;
  while (self->spare_count < SPARES) {
    struct prof_ranges_leaf *leaf = malloc(sizeof *leaf);
    if (!leaf)
      return -1;
    leaf->count = 0;
    leaf->next_spare = self->spare;
    self->spare = leaf;
    self->spare_count++;
  }
  return 0;
}

/* Puts a spare leaf into the list at `at`. */
static struct prof_ranges_leaf *add_leaf(struct prof_ranges *self, size_t at) {
  struct prof_ranges_leaf *leaf = self->spare;
  assert(leaf && self->leaf_count < self->leaf_capacity);
  self->spare = leaf->next_spare;
  self->spare_count--;
  memmove(self->leaves + at + 1, self->leaves + at, (self->leaf_count - at) * sizeof *self->leaves);
  memmove(self->firsts + at + 1, self->firsts + at, (self->leaf_count - at) * sizeof *self->firsts);
  self->leaves[at] = leaf;
  self->leaf_count++;
  return leaf;
}

static void drop_leaf(struct prof_ranges *self, size_t at) {
  struct prof_ranges_leaf *leaf = self->leaves[at];
  self->leaf_count--;
  memmove(self->leaves + at, self->leaves + at + 1, (self->leaf_count - at) * sizeof *self->leaves);
  memmove(self->firsts + at, self->firsts + at + 1, (self->leaf_count - at) * sizeof *self->firsts);
  if (self->spare_count >= SPARES) {
    free(leaf);
    return;
  }
  leaf->count = 0;
  leaf->next_spare = self->spare;
  self->spare = leaf;
  self->spare_count++;
}

void prof_ranges_insert(struct prof_ranges *self, uint64_t start, uint64_t end, uint32_t value) {
  struct prof_ranges_leaf *leaf;
  size_t at = 0, index = 0;
  assert(start < end);
  if (self->leaf_count == 0) {
    add_leaf(self, 0);
  } else {
    at = leaf_of(self, start);
    if (self->leaves[at]->count == LEAF_RANGES) {
      /* Addresses mostly come in ascending runs: a full last leaf is left full. */
      bool is_end = self->leaves[at]->ranges[LEAF_RANGES - 1].start < start;
      size_t kept = is_end ? LEAF_RANGES : LEAF_RANGES / 2;
      struct prof_ranges_leaf *full = self->leaves[at], *upper = add_leaf(self, at + 1);
      memcpy(upper->ranges, full->ranges + kept, (LEAF_RANGES - kept) * sizeof *full->ranges);
      upper->count = LEAF_RANGES - kept;
      full->count = kept;
      self->firsts[at + 1] = upper->count ? upper->ranges[0].start : start;
      at += self->firsts[at + 1] <= start;
    }
  }
  leaf = self->leaves[at];
  if (leaf->count) {
    index = index_of(leaf, start);
    index += leaf->ranges[index].start < start;
  }
  memmove(leaf->ranges + index + 1, leaf->ranges + index,
          (leaf->count - index) * sizeof *leaf->ranges);
  leaf->ranges[index] = (struct prof_range){.start = start, .end = end, .value = value};
  leaf->count++;
  self->firsts[at] = leaf->ranges[0].start;
  self->count++;
}

/* Takes one range out; the position then is that of the next one, if any. */
static void erase(struct prof_ranges *self, struct position *at) {
  struct prof_ranges_leaf *leaf = self->leaves[at->leaf];
  leaf->count--;
  self->count--;
  self->ended++;
  memmove(leaf->ranges + at->index, leaf->ranges + at->index + 1,
          (leaf->count - at->index) * sizeof *leaf->ranges);
  if (leaf->count == 0) {
    drop_leaf(self, at->leaf);
    at->index = 0;
    return;
  }
  self->firsts[at->leaf] = leaf->ranges[0].start;
  if (at->index == leaf->count)
    *at = (struct position){.leaf = at->leaf + 1};
}

/* The first range that ends behind start. */
static struct position first_behind(const struct prof_ranges *self, uint64_t start) {
  struct position at = {0};
  if (self->leaf_count == 0)
    return at;
  at.leaf = leaf_of(self, start);
  at.index = index_of(self->leaves[at.leaf], start);
  if (self->leaves[at.leaf]->ranges[at.index].end <= start &&
      ++at.index == self->leaves[at.leaf]->count)
    at = (struct position){.leaf = at.leaf + 1};
  return at;
}

static struct prof_range *range_at(const struct prof_ranges *self, struct position at) {
  return at.leaf < self->leaf_count ? &self->leaves[at.leaf]->ranges[at.index] : NULL;
}

bool prof_ranges_any(const struct prof_ranges *self, uint64_t start, uint64_t end) {
  const struct prof_range *range = range_at(self, first_behind(self, start));
  return range && range->start < end;
}

void prof_ranges_end(struct prof_ranges *self, uint64_t start, uint64_t end,
                     bool (*may_end)(void *user, uint32_t value), void *user) {
  struct position at = first_behind(self, start);
  struct prof_range *range;
  while ((range = range_at(self, at)) && range->start < end) {
    if (!may_end || may_end(user, range->value))
      erase(self, &at);
    else if (++at.index == self->leaves[at.leaf]->count)
      at = (struct position){.leaf = at.leaf + 1};
  }
}

void prof_ranges_cut(struct prof_ranges *self, uint64_t start, uint64_t end) {
  struct position at = first_behind(self, start);
  struct prof_range *range = range_at(self, at);
  if (range && range->start < start) {
    struct prof_range whole = *range;
    range->end = start;
    self->ended++;
    if (whole.end > end) {
      prof_ranges_insert(self, end, whole.end, whole.value);
      return;
    }
    at = first_behind(self, start);
  }
  while ((range = range_at(self, at)) && range->start < end) {
    if (range->end > end) {
      range->start = end;
      self->ended++;
      if (at.index == 0)
        self->firsts[at.leaf] = end;
      return;
    }
    erase(self, &at);
  }
}
