/*
 * sampler: the SIGTRAP handler by which each sampled thread walks its own live stack.
 *
 * The kernel sends the signal for an event with attr.sigtrap (5.13 on; 5.19 on it is also safe
 * where SIGTRAP is blocked) and attr.sig_data = prof_sampler_cookie() plus anything in the lower
 * half; or for a timer with that as its value (perf/cputimer.h). The handler takes no lock,
 * allocates nothing, keeps errno, blocks every signal while it runs, and passes on each SIGTRAP
 * that is not ours (stack/trap). Threads that have no alternate signal stack get one at their first
 * sample, for the handler must not need their own. One sampler in a process: the handler has no
 * argument of its own.
 *
 * The caller provides the unwinder for as long as the sampler is armed, and drains from one thread.
 * After disarm the handler stays installed, for signals may still be queued to threads that are
 * blocked in the kernel: it swallows ours and passes on the others.
 * Refuses: two samplers at once.
 */
#ifndef RSPACK_PROF_STACK_SAMPLER_H
#define RSPACK_PROF_STACK_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "stack/stack.h"
#include "stack/unwind.h"

struct prof_sampler_options {
  struct prof_unwind *unwind;
  uint32_t max_words;       /* of a walk; a deeper stack is truncated */
  size_t buffer_bytes;      /* for walks that were not drained yet, all CPUs together */
  void (*wake)(void *user); /* as prof_shards.wake */
  void *user;
};

struct prof_sampler_counters {
  uint64_t signals;    /* ours, while armed: walked or dropped */
  uint64_t dropped;    /* no room in the buffer or on the signal stack, more than 4,096 threads */
  uint64_t spared;     /* of the signals: one frame alone, see stack/fair.h */
  uint64_t handler_ns; /* CPU time in the handler (stack/spent.h) */
  uint64_t passed_on;  /* SIGTRAPs that were not ours */
  size_t buffer_bytes;
};

/* Upper 32 bits; the lower are 0, for the caller to use. */
uint64_t prof_sampler_cookie(void);

/* Installs the handler where it is not, and begins to take signals. PROF_BUSY when armed already,
 * PROF_NO_MEMORY, PROF_SYSTEM. Arm before the events are enabled. */
int prof_sampler_arm(const struct prof_sampler_options *options, struct prof_error *error);

/* Ends it: from now on our signals are swallowed. Disable the events first. Frees the buffers once
 * no handler is inside. False: after a second one still is (its thread found no CPU, say), and the
 * buffers, the unwinder and all that it reads must stay for ever. */
bool prof_sampler_disarm(void);

/* As prof_shards_drain (stack/shards.h). */
size_t prof_sampler_drain(prof_stack_visit *visit, void *user);

/* A thread has ended (PERF_RECORD_EXIT): its slot may be given to another. */
void prof_sampler_thread_ended(uint32_t tid);

/* Whether the installed SIGTRAP handler is still ours; if not, somebody has replaced it, and the
 * events must be disabled, for their signals would end up there. */
bool prof_sampler_owns_signal(void);

void prof_sampler_counters(struct prof_sampler_counters *out);

#endif
