/*
 * ledger: what a trace keeps of its calls, whether its hits come by probes or by sleds: hits are
 * matched, the calls they make are tallied and written to the file of events, functions that are
 * called too often are chosen, threads are listed, CPU time is compared with that at the start.
 *
 * The caller provides hits (to match and dropper), processes (to cpu) and the time, from one thread
 * at a time. Refuses: nothing but what there is no memory for (PROF_NO_MEMORY).
 */
#ifndef RSPACK_PROF_TRACE_LEDGER_H
#define RSPACK_PROF_TRACE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/cpu.h"
#include "trace/spill.h"
#include "trace/tracer.h"

struct prof_ledger {
  struct prof_match *match;
  struct prof_tally *tally;
  struct prof_spill spill;
  struct prof_dropper dropper;
  struct prof_cpu cpu;
  double first_cpu_ns; /* of cpu, at the start */
  struct prof_trace_thread *threads;
  size_t thread_count, thread_capacity;
  uint64_t flushed_ns, moment_ns; /* when the events were written, when the moment began */
};

/* Takes options->spill_fd over. 0, or a status: prof_ledger_free frees what there is. */
int prof_ledger_open(struct prof_ledger *self, const struct prof_tracer_options *options,
                     struct prof_error *error);
void prof_ledger_free(struct prof_ledger *self);

/* The trace begins: the first moment too, and CPU time counts from here. */
void prof_ledger_begin(struct prof_ledger *self, uint64_t now_ns);

/* Between hits, often: writes events when it is time. Whether a moment of the dropper's is over. */
bool prof_ledger_round(struct prof_ledger *self, uint64_t now_ns);

/* The thread's row, new ones without a name; NULL where memory ends. Valid until the next call. */
struct prof_trace_thread *prof_ledger_thread(struct prof_ledger *self, uint32_t pid, uint32_t tid);

/* Of the processes, since the start. */
double prof_ledger_cpu_ns(struct prof_ledger *self);

/* After the last hit: ends the calls and the file, fills of *out what is told here. Its pointers
 * live until the ledger is freed. */
void prof_ledger_close(struct prof_ledger *self, struct prof_tracer_result *out);

#endif
