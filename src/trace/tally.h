/*
 * tally: calls that ended -> figures by function, and by function and caller. Pure.
 *
 * Durations are kept as histograms of 8 steps for each power of two (a figure read from them is at
 * most 1/16 off), so that memory does not grow with the calls. `total` counts time in which some
 * call of the function is open once, however deep it recurses.
 * The caller provides the number of functions. Refuses nothing; -1 where memory ends.
 */
#ifndef RSPACK_PROF_TRACE_TALLY_H
#define RSPACK_PROF_TRACE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/match.h"

enum { PROF_TALLY_STEPS = 8, PROF_TALLY_BUCKETS = 64 * PROF_TALLY_STEPS };

struct prof_tally_row {
  uint64_t calls, timed; /* timed: those whose end was seen */
  uint64_t unseen, open; /* left unseen; open at the end: calls = timed + unseen + open */
  uint64_t self_ns, total_ns, sum_ns, min_ns, max_ns; /* sum: of all durations, nested ones too */
  uint64_t samples;             /* by the clock, with this the innermost traced function */
  uint64_t spawned, spawned_ns; /* jobs that it handed over, and what they took elsewhere */
  uint32_t *buckets;            /* PROF_TALLY_BUCKETS; NULL before the first duration */
};

struct prof_tally_pair {
  uint32_t func, caller; /* caller PROF_NO_FUNC: none is traced */
  bool is_crossed;       /* by way of a job that `caller` handed over */
  uint64_t calls, self_ns, total_ns;
};

struct prof_tally;

struct prof_tally *prof_tally_create(size_t func_count);
void prof_tally_free(struct prof_tally *self);
void prof_tally_add(struct prof_tally *self, const struct prof_call_end *end);
void prof_tally_sample(struct prof_tally *self, uint32_t func); /* PROF_NO_FUNC: in none */

const struct prof_tally_row *prof_tally_at(const struct prof_tally *self, size_t func);
const struct prof_tally_pair *prof_tally_pairs(const struct prof_tally *self, size_t *count);
uint64_t prof_tally_samples_outside(const struct prof_tally *self);

/* share 0..1 -> the duration that this share of the timed calls does not exceed. */
uint64_t prof_tally_quantile(const struct prof_tally_row *row, double share);
/* The range of one bucket: [from, to). */
void prof_tally_bucket(size_t bucket, uint64_t *from_ns, uint64_t *to_ns);

#endif
