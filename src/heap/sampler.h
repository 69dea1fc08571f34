/*
 * sampler: which allocations are looked at, where they were made, and when they were freed.
 *
 * hooks.c tells of each allocation and free of the program's. A thread counts bytes down to its
 * next sample (distance.h); there it walks its own stack, on a stack of ours (swc leaves as little
 * as 4 KB of its own), and leaves a struct prof_stack with PROF_STACK_HEAP in `flags`, the piece's
 * size in `sp` and its number in `ticks`. A sampled piece is held by its address (live.h) until it
 * is freed; when, is kept by its number.
 *
 * One in a process, as the SIGTRAP sampler is. The caller provides the unwinder while it is armed,
 * and calls all but the two of hooks.c from one thread. No lock, no allocation, errno kept, in the
 * program's threads. Refuses: more than most_samples: `is_full`, and nothing more is taken.
 */
#ifndef RSPACK_PROF_HEAP_SAMPLER_H
#define RSPACK_PROF_HEAP_SAMPLER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "heap/live.h"
#include "stack/stack.h"
#include "stack/unwind.h"

struct prof_heap_options {
  struct prof_unwind *unwind;
  uint64_t mean_bytes;      /* between two samples of a thread */
  uint32_t max_words;       /* of a walk */
  uint32_t most_samples;    /* below 2^31 */
  void (*wake)(void *user); /* as prof_shards.wake */
  void *user;
};

/* What a thread keeps; zero is a thread that was not seen yet. */
struct prof_heap_thread {
  int64_t left_bytes;  /* to its next sample; below 0: prof_heap_passed */
  uint64_t generation; /* of which arming that is */
  uint64_t random, calls;
  bool is_ours; /* the profiler's: not looked at */
};

struct prof_heap_counters {
  uint64_t samples;
  uint64_t dropped; /* samples without room: in the buffer, or more walks at once than stacks */
  uint64_t not_followed; /* samples whose free cannot be seen: the table was full */
  uint64_t missed_frees; /* pieces whose address was handed out again: freed past the hooks */
  uint64_t calls;        /* allocations, each thread's up to its last look */
  uint64_t take_ns;      /* time in samples */
  bool is_full;
};

/* For hooks.c. */
extern _Atomic uint64_t prof_heap_generation;    /* changes at each arm and disarm */
extern struct prof_live *_Atomic prof_heap_live; /* NULL until the first arm; then for good */
void prof_heap_passed(struct prof_heap_thread *own, void *piece, uint64_t bytes);
/* Returns what undo takes; 0: it was no sample. */
uint64_t prof_heap_freed(uint64_t address);
void prof_heap_undo_free(uint64_t address, uint64_t number);
void prof_heap_reused(uint64_t address);

/* PROF_BUSY, PROF_NO_MEMORY. Arm before the slots are turned. */
int prof_heap_arm(const struct prof_heap_options *options, struct prof_error *error);

/* Once the slots are restored: until each sample that was begun has left its walk, at most a
 * second. */
bool prof_heap_wait(void);
/* Restore the slots first. Frees the buffers once nobody is inside; false: after a second somebody
 * still is, and what the options point to must stay for good, as the buffers do. */
bool prof_heap_disarm(void);
size_t prof_heap_drain(prof_stack_visit *visit, void *user);
void prof_heap_read_counters(struct prof_heap_counters *out);
uint64_t prof_heap_bytes(void); /* memory held */

/* When the sample was freed, CLOCK_MONOTONIC; 0: not yet. PROF_HEAP_UNKNOWN: that is not known. */
#define PROF_HEAP_UNKNOWN 1u
uint64_t prof_heap_freed_ns(uint32_t number);

#endif
