/*
 * cputimer: threads sampled without perf events: a POSIX timer of each thread's own CPU time, whose
 * signal the thread itself gets (stack/sampler.h walks). For where perf_event_open is refused, or
 * has no descriptors or locked memory left. Needs no privilege, no descriptor, no ring.
 *
 * What is less than with events: the kernel looks at these timers at its tick only (CONFIG_HZ, 100
 * to 1000 a second; kernel 2.6 to 6.18), so no higher rate; a sample in the kernel is taken as the
 * system call returns, without kernel frames; new threads are found by looking for them, and have
 * no samples until then (unseen_ns says how much that was). From 5.11 on (x86_64, task work) the
 * signal is sent on the way back to user mode and interrupts no system call.
 *
 * The caller provides struct prof_os, a handler that stands before the first scan, and one thread.
 * Refuses: events that are no measure of CPU time, the kernel's part alone (prof_cputimer_plan is
 * false then).
 */
#ifndef RSPACK_PROF_PERF_CPUTIMER_H
#define RSPACK_PROF_PERF_CPUTIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "perf/choose.h"
#include "perf/os.h"

struct prof_cputimers;

/* The kernel's tick. */
uint64_t prof_cputimer_tick_ns(void);

/* The plan of timers in wanted's place, with notes of why (errno of what failed: EACCES, EPERM,
 * ENOSYS, EMFILE, ENFILE, ENOMEM for locked memory, ENOENT for a hidden /proc) and what to do.
 * false: timers are no answer to what was asked, or are refused too. */
bool prof_cputimer_plan(const struct prof_os *os, const struct prof_plan *wanted, int why,
                        struct prof_plan *out);

struct prof_cputimer_counts {
  uint64_t unseen_ns; /* CPU time of threads before they were found */
  uint64_t refused;   /* threads without a timer: RLIMIT_SIGPENDING */
  uint64_t threads;   /* that ever had one */
  int swept_errno;    /* of opening /proc: threads are looked for by number, and have no names; 0 */
};

/* sig_data: cookie in the upper 32 bits, as attach.h has it. Nothing runs before the first scan. */
int prof_cputimers_open(const struct prof_os *os, const struct prof_plan *plan, uint64_t sig_data,
                        int skip_tid, struct prof_cputimers **out, struct prof_error *error);

/* Starts timers of new threads, puts those of ended ones away. Some 100 us for 100 threads. */
typedef void prof_cputimers_visit(void *user, uint32_t tid, bool is_born);
void prof_cputimers_scan(struct prof_cputimers *self, prof_cputimers_visit *visit, void *user);

void prof_cputimers_stop(struct prof_cputimers *self); /* all timers; signals may be under way */
struct prof_cputimer_counts prof_cputimers_counts(const struct prof_cputimers *self);
void prof_cputimers_close(struct prof_cputimers *self); /* NULL is fine */

#endif
