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

/* What stands from index on moves `by` places, -1 over the one before. */
static void move(struct prof_unlisted *self, uint32_t index, int by) {
  uint32_t count = self->asked_count - index, to = index + (uint32_t)by;
  memmove(&self->asked[to], &self->asked[index], count * sizeof *self->asked);
  memmove(&self->met_ns[to], &self->met_ns[index], count * sizeof *self->met_ns);
  self->asked_count += (uint32_t)by;
}

static void give_back(struct prof_unlisted *self, uint32_t index) {
  move(self, index + 1, -1);
  self->turns++;
}

/* Those that touch the next one, from index on, become one with it. */
static void merge(struct prof_unlisted *self, uint32_t index) {
  struct prof_v8_unlisted *at = &self->asked[index];
  while (index + 1 < self->asked_count && at[1].start <= at->end) {
    at->end = at[1].end > at->end ? at[1].end : at->end;
    move(self, index + 2, -1);
  }
}

/* The one that rests longest makes room, if it has rested at all. */
static bool make_room(struct prof_unlisted *self) {
  uint32_t oldest = 0;
  if (self->asked_count < PROF_V8_UNLISTED)
    return true;
  for (uint32_t i = 1; i < self->asked_count; i++)
    oldest = self->met_ns[i] < self->met_ns[oldest] ? i : oldest;
  if (self->now_ns - self->met_ns[oldest] < PROF_UNLISTED_SPARE_NS ||
      self->turns == PROF_UNLISTED_TURNS)
    return false;
  give_back(self, oldest);
  return true;
}

void prof_unlisted_round(struct prof_unlisted *self, uint64_t now_ns) {
  self->now_ns = now_ns;
  for (uint32_t i = self->asked_count; i-- > 0 && self->turns < PROF_UNLISTED_TURNS;)
    if (now_ns - self->met_ns[i] >= PROF_UNLISTED_REST_NS)
      give_back(self, i);
}

/* Whether the place is in a stretch that is asked about. */
static bool meet(struct prof_unlisted *self, uint64_t address) {
  uint32_t index = stretch_at(self, address + 1);
  if (index == self->asked_count || self->asked[index].start > address)
    return false;
  self->met_ns[index] = self->now_ns;
  return true;
}

void prof_unlisted_ask(struct prof_unlisted *self, uint64_t address) {
  uint64_t start = address & ~(uint64_t)(PAGE - 1), end = start + PAGE;
  if (meet(self, address))
    return;
  uint32_t index = stretch_at(self, start);
  struct prof_v8_unlisted *at = &self->asked[index];
  if (index < self->asked_count && at->start <= end) {
    at->start = at->start < start ? at->start : start;
    at->end = at->end > end ? at->end : end;
    merge(self, index);
  } else {
    if (!make_room(self)) {
      self->refused++;
      return;
    }
    index = stretch_at(self, start);
    move(self, index, 1);
    self->asked[index] = (struct prof_v8_unlisted){start, end};
  }
  self->met_ns[index] = self->now_ns;
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
  meet(self, address);
  if (code == PROF_CODE_NONE || prof_table_get(&self->by_address, address) == code)
    return code;
  if (self->count == PROF_UNLISTED_PLACES ||
      prof_array_reserve((void **)&self->places, &self->capacity, self->count + 1,
                         sizeof *self->places) ||
      prof_table_put(&self->by_address, address, code)) {
    self->refused++;
    return code;
  }
  self->places[self->count++] = (struct prof_unlisted_place){address, code};
  self->is_sorted = false;
  return code;
}

uint32_t prof_unlisted_find(struct prof_unlisted *self, uint64_t address) {
  uint32_t code = prof_table_get(&self->by_address, address);
  if (code == PROF_TABLE_NONE)
    return PROF_CODE_NONE;
  meet(self, address);
  return code;
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
