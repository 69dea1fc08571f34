#include "perf/owners.h"

#include <stdlib.h>

#include "base/array.h"

#define TID_BITS 22 /* PID_MAX_LIMIT of 64-bit kernels is 1 << 22 */
#define TIDS_MAX (1u << TID_BITS)

_Static_assert(PROF_SETS_MAX < 1 << (31 - TID_BITS), "a set and a thread id share 32 bits");

int prof_owners_add_set(struct prof_owners *self, int set) {
  self->direct[set] = calloc(TIDS_MAX / 64, sizeof *self->direct[set]); /* touched where tids are */
  return self->direct[set] ? 0 : -1;
}

void prof_owners_drop_set(struct prof_owners *self, int set) {
  free(self->direct[set]);
  self->direct[set] = NULL;
}

void prof_owners_free(struct prof_owners *self) {
  for (int i = 0; i < PROF_SETS_MAX; i++)
    prof_owners_drop_set(self, i);
  prof_table_free(&self->owner);
  prof_table_free(&self->heirs);
  free(self->turns);
}

int prof_owners_add(struct prof_owners *self, int set, uint64_t id, uint32_t tid) {
  return prof_table_put(&self->owner, id, (uint32_t)set << TID_BITS | (tid & (TIDS_MAX - 1)));
}

bool prof_owners_has(const struct prof_owners *self, int set, uint32_t tid) {
  return tid < TIDS_MAX && self->direct[set] && (self->direct[set][tid / 64] >> tid % 64 & 1);
}

void prof_owners_put(struct prof_owners *self, int set, uint32_t tid, bool has) {
  uint64_t bit = 1ull << tid % 64;
  if (tid >= TIDS_MAX || !self->direct[set])
    return;
  if (has)
    self->direct[set][tid / 64] |= bit;
  else
    self->direct[set][tid / 64] &= ~bit;
}

void prof_owners_ended(struct prof_owners *self, uint32_t tid) {
  for (int i = 0; i < PROF_SETS_MAX; i++)
    prof_owners_put(self, i, tid, false);
}

static uint64_t heir_key(int set, uint32_t tid) {
  return (uint64_t)set << 32 | tid;
}

bool prof_owners_is_second(struct prof_owners *self, uint64_t id, uint32_t tid, bool may_choose) {
  uint32_t owner = prof_table_get(&self->owner, id);
  int set = (int)(owner >> TID_BITS);
  if (owner == PROF_TABLE_NONE || prof_owners_has(self, set, tid))
    return false;
  uint32_t chosen = prof_table_get(&self->heirs, heir_key(set, tid));
  if (chosen != PROF_TABLE_NONE && chosen != 0)
    return chosen != (owner & (TIDS_MAX - 1));
  if (may_choose) /* where memory ends, none is chosen and both count */
    prof_table_put(&self->heirs, heir_key(set, tid), owner & (TIDS_MAX - 1));
  return false;
}

/* The table takes nothing out: 0 is no thread. */
void prof_owners_born(struct prof_owners *self, uint32_t tid) {
  for (int i = 0; i < PROF_SETS_MAX; i++)
    if (prof_table_get(&self->heirs, heir_key(i, tid)) != PROF_TABLE_NONE)
      prof_table_put(&self->heirs, heir_key(i, tid), 0);
}

int prof_owners_reserve_turn(struct prof_owners *self) {
  return prof_array_reserve((void **)&self->turns, &self->turn_capacity, self->turn_count + 1,
                            sizeof *self->turns);
}

void prof_owners_turn(struct prof_owners *self, int set, uint64_t from_ns) {
  self->turns[self->turn_count++] = (struct prof_turn){.from_ns = from_ns, .set = (uint32_t)set};
}

bool prof_owners_is_double(const struct prof_owners *self, uint64_t id, uint32_t tid) {
  uint32_t owner = prof_table_get(&self->owner, id);
  int set = owner == PROF_TABLE_NONE ? 0 : (int)(owner >> TID_BITS);
  return prof_owners_has(self, set, tid) &&
         (owner == PROF_TABLE_NONE || (owner & (TIDS_MAX - 1)) != tid);
}

bool prof_owners_is_out_of_turn(const struct prof_owners *self, uint64_t id, uint64_t time_ns) {
  size_t i = self->turn_count; /* records come late by milliseconds: nearly always the last */
  uint32_t owner = prof_table_get(&self->owner, id);
  if (i < 2 || owner == PROF_TABLE_NONE)
    return false;
  while (--i > 0 && self->turns[i].from_ns > time_ns)
    ;
  return self->turns[i].set != owner >> TID_BITS;
}
