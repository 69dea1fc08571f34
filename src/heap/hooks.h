/*
 * hooks: malloc and its kin, as the program calls them while its slots (slots.h) are turned here.
 *
 * Each calls the real one (real.h), and counts. They may be called
 * at any time, from any thread, also long after the slots are back: then they pass calls on. Pieces
 * that libc allocates for the program within itself (strdup, getline) are not seen; a realloc is
 * the end of the old piece and a new one.
 *
 * The caller provides nothing but an armed sampler (sampler.h). Refuses nothing.
 */
#ifndef RSPACK_PROF_HEAP_HOOKS_H
#define RSPACK_PROF_HEAP_HOOKS_H

#include <stdint.h>

#include "base/status.h"
#include "heap/slots.h"

/* malloc, calloc, realloc, reallocarray, free, posix_memalign, aligned_alloc, memalign. */
extern const struct prof_slot_hook prof_hooks[];
extern const size_t prof_hook_count;

/* Finds the real ones; before the slots are turned. PROF_UNSUPPORTED_PLATFORM where there are none.
 */
int prof_hooks_prepare(struct prof_error *error);

/* Whether a slot with this address leads to the function that the hook of symbol passes on to.
 * Asked by the profiler's thread alone. */
bool prof_hooks_is_real(const char *symbol, const void *address);

/* The calling thread is the profiler's: from here on it is not looked at. */
void prof_hooks_leave_out_thread(void);

/* What a hooked malloc and its free take longer, in ps: measured here, in some 0.1 ms. */
uint64_t prof_hooks_price_ps(void);

#endif
