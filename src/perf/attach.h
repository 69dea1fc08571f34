/*
 * attach: one plan opened on every thread of this process x every CPU online, written into one ring
 * per CPU. Threads born later inherit the event of the thread that made them.
 *
 * A change of the rate takes another set of events, for PERF_EVENT_IOC_PERIOD reaches an event and
 * not the ones that threads inherited from it. Both sets run for a moment, and each record counts
 * in the one whose turn it was (owners.h). The set before is kept disabled, with what it had
 * counted towards its next sample, until the end: going back to it opens nothing and loses nothing.
 *
 * The caller provides a plan (choose.h), struct prof_os, and one thread at a time, the same for all
 * calls. Refuses: more descriptors than RLIMIT_NOFILE allows with PROF_FILES_RESERVE left for the
 * build (PROF_TOO_MANY_FILES), rings below PROF_RING_BYTES_MIN (PROF_MEMORY_LOCK), option values
 * out of range (PROF_BAD_OPTION).
 *
 * A thread born while a set is being opened can have both an inherited event and one of its own:
 * owners.h tells records apart.
 */
#ifndef RSPACK_PROF_PERF_ATTACH_H
#define RSPACK_PROF_PERF_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "perf/choose.h"
#include "perf/os.h"
#include "perf/record.h"
#include "perf/ring.h"

struct prof_attach;

struct prof_attach_options {
  struct prof_plan plan;
  size_t ring_bytes;  /* per CPU, a power of two; 0: chosen from the plan */
  uint64_t sig_data;  /* cookie in the UPPER 32 bits, lower 32 zero: they get the thread's id */
  int skip_tid;       /* the profiler's own thread, 0 none */
  uint32_t frequency; /* Hz to begin with; 0: the plan's */
  const char *cpus;   /* "0-1,4": these alone; NULL or "": all that are online */
};

/* Everything is opened disabled. */
int prof_attach_open(const struct prof_os *os, const struct prof_attach_options *options,
                     struct prof_attach **out, struct prof_error *error);
void prof_attach_enable(struct prof_attach *self);
void prof_attach_disable(struct prof_attach *self);
void prof_attach_close(struct prof_attach *self); /* NULL is fine; puts RLIMIT_NOFILE back */

/* Opens (and enables, when the set is) events on threads not seen yet: once, right after enable.
 * Each later call turns inheriting threads into double ones. How many threads, or a status. */
int prof_attach_scan(struct prof_attach *self);

/* Goes on at another rate: 0, or a status with the rate as it was. At most PROF_SETS_MAX rates in
 * one recording: a further one changes nothing. Confirm some milliseconds later: a thread that was
 * being born at that moment may have taken the state before from its parent. */
int prof_attach_change(struct prof_attach *self, uint32_t frequency, struct prof_error *error);
void prof_attach_confirm(struct prof_attach *self);
uint32_t prof_attach_frequency(const struct prof_attach *self);
/* The rates so far: when each began (ns, 0: from the start). */
size_t prof_attach_turns(const struct prof_attach *self);
uint64_t prof_attach_turn(const struct prof_attach *self, size_t index, uint32_t *frequency);
int prof_attach_ring_count(const struct prof_attach *self);
struct prof_ring *prof_attach_ring(struct prof_attach *self, int index); /* fd: for poll */
int prof_attach_fd_count(const struct prof_attach *self);
int prof_attach_thread_count(const struct prof_attach *self); /* with events of their own */
/* The plan as opened: with the notes of attaching. */
const struct prof_plan *prof_attach_plan(const struct prof_attach *self);
const struct prof_record_layout *prof_attach_layout(const struct prof_attach *self);
/* This record must be dropped: another event of its thread has it too. By id: tid is the thread
 * that it was written in (prof_record.writer_tid). */
bool prof_attach_drops(struct prof_attach *self, const struct prof_record *record);
bool prof_attach_is_double(const struct prof_attach *self, uint64_t id, uint32_t tid);
/* To be told of PERF_RECORD_EXIT, in time order: the kernel may use the thread's id again. */
void prof_attach_thread_ended(struct prof_attach *self, uint32_t tid);

#endif
