#include "trace/tally.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/table.h"

struct prof_tally {
  struct prof_tally_row *rows;
  size_t count;
  uint64_t outside;
  struct prof_tally_pair *pairs;
  size_t pair_count, pair_capacity;
  struct prof_table by_pair;
};

struct prof_tally *prof_tally_create(size_t func_count) {
  struct prof_tally *self = calloc(1, sizeof *self);
  if (self)
    self->rows = calloc(func_count ? func_count : 1, sizeof *self->rows);
  if (self && !self->rows) {
    free(self);
    return NULL;
  }
  if (self)
    self->count = func_count;
  return self;
}

void prof_tally_free(struct prof_tally *self) {
  if (!self)
    return;
  for (size_t i = 0; i < self->count; i++)
    free(self->rows[i].buckets);
  free(self->rows);
  free(self->pairs);
  prof_table_free(&self->by_pair);
  free(self);
}

/* Below 8 ns each has its own bucket; above, 8 for each power of two. */
static size_t bucket_of(uint64_t ns) {
  unsigned top;
  if (ns < PROF_TALLY_STEPS)
    return (size_t)ns;
  top = 63u - (unsigned)__builtin_clzll(ns);
  return (size_t)(top - 2) * PROF_TALLY_STEPS + (ns >> (top - 3)) % PROF_TALLY_STEPS;
}

void prof_tally_bucket(size_t bucket, uint64_t *from_ns, uint64_t *to_ns) {
  size_t top = bucket / PROF_TALLY_STEPS + 2;
  if (bucket < PROF_TALLY_STEPS) {
    *from_ns = bucket;
    *to_ns = bucket + 1;
    return;
  }
  *from_ns = (PROF_TALLY_STEPS + bucket % PROF_TALLY_STEPS) * (1ull << (top - 3));
  *to_ns = *from_ns + (1ull << (top - 3));
}

static struct prof_tally_pair *pair_of(struct prof_tally *self, uint32_t func, uint32_t caller,
                                       bool is_crossed) {
  /* Functions are far fewer than 2^31: their top bit is free. */
  uint64_t key = (uint64_t)caller << 32 | (uint64_t)is_crossed << 31 | func;
  uint32_t index = prof_table_get(&self->by_pair, key);
  if (index != PROF_TABLE_NONE)
    return &self->pairs[index];
  if (prof_array_reserve((void **)&self->pairs, &self->pair_capacity, self->pair_count + 1,
                         sizeof *self->pairs) ||
      prof_table_put(&self->by_pair, key, (uint32_t)self->pair_count))
    return NULL;
  self->pairs[self->pair_count] =
      (struct prof_tally_pair){.func = func, .caller = caller, .is_crossed = is_crossed};
  return &self->pairs[self->pair_count++];
}

void prof_tally_add(struct prof_tally *self, const struct prof_call_end *end) {
  struct prof_tally_row *row = &self->rows[end->func];
  struct prof_tally_pair *pair = pair_of(self, end->func, end->caller, end->is_crossed);
  row->calls++;
  if (end->spawner != PROF_NO_FUNC) {
    self->rows[end->spawner].spawned++;
    self->rows[end->spawner].spawned_ns += end->total_ns;
  }
  if (pair) {
    pair->calls++;
    pair->self_ns += end->self_ns;
    pair->total_ns += end->total_ns;
  }
  if (end->how == PROF_CALL_OPEN || end->how == PROF_CALL_UNSEEN) {
    *(end->how == PROF_CALL_OPEN ? &row->open : &row->unseen) += 1;
    return;
  }
  row->min_ns = row->timed == 0 || end->total_ns < row->min_ns ? end->total_ns : row->min_ns;
  row->max_ns = end->total_ns > row->max_ns ? end->total_ns : row->max_ns;
  row->timed++;
  row->self_ns += end->self_ns;
  row->sum_ns += end->total_ns;
  row->total_ns += end->is_outermost ? end->total_ns : 0;
  if (!row->buckets)
    row->buckets = calloc(PROF_TALLY_BUCKETS, sizeof *row->buckets);
  if (row->buckets)
    row->buckets[bucket_of(end->total_ns)]++;
}

void prof_tally_sample(struct prof_tally *self, uint32_t func) {
  if (func == PROF_NO_FUNC)
    self->outside++;
  else
    self->rows[func].samples++;
}

const struct prof_tally_row *prof_tally_at(const struct prof_tally *self, size_t func) {
  return &self->rows[func];
}

const struct prof_tally_pair *prof_tally_pairs(const struct prof_tally *self, size_t *count) {
  *count = self->pair_count;
  return self->pairs;
}

uint64_t prof_tally_samples_outside(const struct prof_tally *self) {
  return self->outside;
}

uint64_t prof_tally_quantile(const struct prof_tally_row *row, double share) {
  uint64_t wanted = (uint64_t)(share * (double)row->timed + 0.5), seen = 0, from, to, middle;
  if (!row->buckets || row->timed == 0)
    return 0;
  wanted = wanted < 1 ? 1 : wanted;
  for (size_t i = 0; i < PROF_TALLY_BUCKETS; i++) {
    seen += row->buckets[i];
    if (seen < wanted)
      continue;
    prof_tally_bucket(i, &from, &to);
    middle = from + (to - from) / 2;
    middle = middle < row->min_ns ? row->min_ns : middle;
    return middle > row->max_ns ? row->max_ns : middle;
  }
  return row->max_ns;
}
