/*
 * samples: what was measured, as columns: one row for each sample, plus the threads they belong to.
 *
 * The caller provides times in ascending order or calls prof_samples_sort() at the end. Each sample
 * has exactly one end. Refuses: removal of other samples than the oldest, concurrent use.
 */
#ifndef RSPACK_PROF_PROFILE_SAMPLES_H
#define RSPACK_PROF_PROFILE_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

enum prof_sample_end { PROF_END_COMPLETE, PROF_END_TRUNCATED, PROF_END_BROKEN };

enum prof_sample_flag {
  PROF_SAMPLE_JOINED = 1,  /* put together from two readings */
  PROF_SAMPLE_KERNEL = 2,  /* taken in kernel mode */
  PROF_SAMPLE_HANDLER = 4, /* taken while our own handler ran */
  PROF_SAMPLE_GUESSED = 8, /* a caller was found without unwind rows */
  PROF_SAMPLE_LAST = 16,   /* a wait with the stack of its thread's sample before */
};

struct prof_sample {
  uint64_t time_ns; /* CLOCK_MONOTONIC */
  uint64_t weight;  /* in the event's unit */
  uint64_t end_pc;  /* where a broken walk stopped, 0 for none */
  uint32_t thread;  /* index into threads */
  uint32_t node;    /* leaf, in the tree */
  uint16_t cpu;
  uint8_t end;    /* enum prof_sample_end */
  uint8_t reason; /* why it is broken: the unwinder's or the joiner's enum */
  uint8_t flags;  /* enum prof_sample_flag */
  uint8_t state;  /* enum prof_state (profile/times.h) */
  uint8_t event;  /* of several: 0 is the first */
};

struct prof_samples {
  struct prof_sample *rows;
  size_t count, capacity;
  uint64_t forgotten; /* dropped by prof_samples_forget() so far */
};

struct prof_thread_row {
  uint32_t tid;
  uint64_t start_ns, end_ns; /* 0: before or after the recording */
  char name[16];             /* comm, as it was last */
};

struct prof_threads {
  struct prof_thread_row *rows;
  size_t count, capacity;
};

int prof_samples_add(struct prof_samples *self, const struct prof_sample *sample); /* 0, -1 */
void prof_samples_sort(struct prof_samples *self);                                 /* by time */
/* Drops all samples from before this time, in whichever order they are, and gives memory back. */
void prof_samples_forget(struct prof_samples *self, uint64_t before_ns);
void prof_samples_free(struct prof_samples *self);

/* The new thread's index; UINT32_MAX where memory ends. */
uint32_t prof_threads_add(struct prof_threads *self, uint32_t tid, uint64_t start_ns,
                          const char *name);
void prof_threads_free(struct prof_threads *self);

#endif
