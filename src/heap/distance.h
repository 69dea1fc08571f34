/*
 * distance: how many bytes a thread allocates until its next sample.
 *
 * Sampling is a Poisson process over the bytes: distances are exponential, so that each byte has
 * the same chance whatever the sizes around it, and no pattern of the program's falls into step.
 * A piece of `size` bytes is hit with probability p = 1 - exp(-size / mean): a hit stands for
 * size / p bytes and 1 / p pieces (Horvitz and Thompson; tcmalloc and V8 do the same).
 *
 * Pure; no libm. Refuses nothing.
 */
#ifndef RSPACK_PROF_HEAP_DISTANCE_H
#define RSPACK_PROF_HEAP_DISTANCE_H

#include <stdint.h>

/* The next pseudo-random number; *state must not be 0. */
uint64_t prof_distance_random(uint64_t *state);

/* -ln(u), u = (random + 1) / 2^64 in (0, 1]; exact to 1e-6. */
double prof_distance_exponential(uint64_t random);

/* At least 1. */
int64_t prof_distance_draw(uint64_t *state, uint64_t mean_bytes);

#endif
