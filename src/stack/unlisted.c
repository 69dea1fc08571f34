#include "stack/unlisted.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "code/v8name.h"

/* Code is asked about by pages, and stretches that are no further apart are one. One function's
 * code is hardly ever larger than NEAR. */
enum { PAGE = 4096, NEAR = 64 << 10 };

/* Index of the first stretch that ends at or behind address. */
static uint32_t stretch_at(const struct prof_unlisted *self, uint64_t address) {
  uint32_t i = 0;
  while (i < self->asked_count && self->asked[i].end < address)
    i++;
  return i;
}

/* Those that touch the next one, from index on, become one with it. */
static void merge(struct prof_unlisted *self, uint32_t index) {
  struct prof_v8_unlisted *at = &self->asked[index];
  while (index + 1 < self->asked_count && at[1].start <= at->end) {
    at->end = at[1].end > at->end ? at[1].end : at->end;
    self->asked_count--;
    memmove(at + 1, at + 2, (self->asked_count - index - 1) * sizeof *at);
  }
}

void prof_unlisted_ask(struct prof_unlisted *self, uint64_t address) {
  uint64_t start = address & ~(uint64_t)(PAGE - 1), end = start + PAGE;
  uint32_t index = stretch_at(self, start);
  struct prof_v8_unlisted *at = &self->asked[index];
  if (index < self->asked_count && at->start <= start && end <= at->end)
    return;
  if (index < self->asked_count && at->start <= end) {
    at->start = at->start < start ? at->start : start;
    at->end = at->end > end ? at->end : end;
    merge(self, index);
  } else {
    if (self->asked_count == PROF_V8_UNLISTED)
      return;
    memmove(at + 1, at, (self->asked_count - index) * sizeof *at);
    *at = (struct prof_v8_unlisted){start, end};
    self->asked_count++;
  }
  self->is_new = true;
}

/* One code object for each function. Which of the optimising compilers made it is not known. */
static uint32_t code_of(struct prof_unlisted *self, struct prof_space *space, uint32_t bytecode) {
  uint32_t code = prof_table_get(&self->by_bytecode, bytecode);
  if (code != PROF_TABLE_NONE)
    return code;
  code =
      prof_space_declare(space, &(struct prof_code){.kind = PROF_CODE_JIT,
                                                    .tier = PROF_TIER_TURBOFAN,
                                                    .name = prof_space_code(space, bytecode)->name,
                                                    .module = -1});
  if (code != PROF_CODE_NONE && prof_table_put(&self->by_bytecode, bytecode, code))
    code = PROF_CODE_NONE;
  return code;
}

uint32_t prof_unlisted_answer(struct prof_unlisted *self, struct prof_space *space,
                              uint64_t address, uint32_t bytecode) {
  uint32_t code = code_of(self, space, bytecode);
  if (code == PROF_CODE_NONE || prof_unlisted_find(self, address) == code ||
      self->count == PROF_UNLISTED_PLACES ||
      prof_array_reserve((void **)&self->places, &self->capacity, self->count + 1,
                         sizeof *self->places) ||
      prof_table_put(&self->by_address, address, code))
    return code;
  self->places[self->count++] = (struct prof_unlisted_place){address, code};
  self->is_sorted = false;
  return code;
}

uint32_t prof_unlisted_find(const struct prof_unlisted *self, uint64_t address) {
  uint32_t code = prof_table_get(&self->by_address, address);
  return code == PROF_TABLE_NONE ? PROF_CODE_NONE : code;
}

static int by_address(const void *left, const void *right) {
  const struct prof_unlisted_place *a = left, *b = right;
  return a->address < b->address ? -1 : a->address > b->address;
}

uint32_t prof_unlisted_near(struct prof_unlisted *self, uint64_t address) {
  uint32_t code = prof_unlisted_find(self, address);
  size_t low = 0, high = self->count;
  if (code != PROF_CODE_NONE || !self->count)
    return code;
  if (!self->is_sorted)
    qsort(self->places, self->count, sizeof *self->places, by_address);
  self->is_sorted = true;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (self->places[middle].address < address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || low == self->count)
    return PROF_CODE_NONE;
  const struct prof_unlisted_place *below = &self->places[low - 1], *above = &self->places[low];
  bool is_inside = below->code == above->code && above->address - below->address < NEAR;
  return is_inside ? below->code : PROF_CODE_NONE;
}

void prof_unlisted_free(struct prof_unlisted *self) {
  free(self->places);
  prof_table_free(&self->by_address);
  prof_table_free(&self->by_bytecode);
  memset(self, 0, sizeof *self);
}
