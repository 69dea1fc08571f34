/*
 * owners: which thread an event was opened for, which threads have events of their own, and which
 * of several sets of events counts at a time. From that: which records are there twice.
 *
 * The id of an inherited event's records is its parent's: so a record is a double when its thread
 * has an event of its own in that set and the id is another thread's. The children of such a thread
 * inherit both of its events and have none of their own: of theirs, those of the owner that is seen
 * first count. While one set takes over from another both are enabled: a record counts where it is
 * of the set whose turn it was.
 *
 * The caller provides event ids as the kernel gives them (never used twice) and one thread.
 * Refuses: sets beyond PROF_SETS_MAX.
 */
#ifndef RSPACK_PROF_PERF_OWNERS_H
#define RSPACK_PROF_PERF_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"

#define PROF_SETS_MAX 8

/* From from_ns on (CLOCK_MONOTONIC) the set counts. */
struct prof_turn {
  uint64_t from_ns;
  uint32_t set;
};

struct prof_owners {
  struct prof_table owner;         /* event id -> set and thread */
  uint64_t *direct[PROF_SETS_MAX]; /* bit per thread id: it has events of its own */
  struct prof_table heirs;         /* set and thread without events of its own -> owner */
  struct prof_turn *turns;         /* ascending */
  size_t turn_count, turn_capacity;
};

int prof_owners_add_set(struct prof_owners *self, int set); /* 0, or -1 where memory ends */
void prof_owners_drop_set(struct prof_owners *self, int set);
void prof_owners_free(struct prof_owners *self);

/* An event of the set was opened for the thread. 0, or -1 where memory ends. */
int prof_owners_add(struct prof_owners *self, int set, uint64_t id, uint32_t tid);
/* All events of the thread in this set are open, or not any more. */
void prof_owners_put(struct prof_owners *self, int set, uint32_t tid, bool has);
void prof_owners_ended(struct prof_owners *self, uint32_t tid);
bool prof_owners_has(const struct prof_owners *self, int set, uint32_t tid);

/* Room for one more turn, so that taking it cannot fail. */
int prof_owners_reserve_turn(struct prof_owners *self);
void prof_owners_turn(struct prof_owners *self, int set, uint64_t from_ns);

bool prof_owners_is_double(const struct prof_owners *self, uint64_t id, uint32_t tid);
/* Of a thread that has inherited from several: not of the owner that counts. Chooses it where none
 * was and may_choose (not on the thread's end: its id may be used again). */
bool prof_owners_is_second(struct prof_owners *self, uint64_t id, uint32_t tid, bool may_choose);
/* A thread is born: what is known of an earlier one with its id is forgotten. */
void prof_owners_born(struct prof_owners *self, uint32_t tid);
/* Not of the set whose turn it was. Before the first turn that is the first one's. */
bool prof_owners_is_out_of_turn(const struct prof_owners *self, uint64_t id, uint64_t time_ns);

#endif
