#include "perf/attr.h"

#include <string.h>
#include <time.h>

#include "base/arch.h"

void prof_attr_fill(const struct prof_plan *plan, uint64_t sig_data, struct perf_event_attr *out) {
  memset(out, 0, sizeof *out);
  out->size = sizeof *out;
  out->type = plan->event.type;
  out->config = plan->event.config;
  out->config1 = plan->event.config1;
  out->config2 = plan->event.config2;
  out->exclude_user = plan->event.exclude_user;
  out->exclude_kernel = plan->event.exclude_kernel;
  out->exclude_hv = plan->event.exclude_hv;
  out->precise_ip = plan->event.precise_ip & 3;
  out->freq = !plan->period_events;
  out->sample_freq = plan->period_events ? plan->period_events : plan->frequency;
  /* Hardware events may have to share counters; this tells for how long each had one. */
  if (plan->event.is_hardware)
    out->read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  out->disabled = 1;
  out->inherit = 1;
  /* IDENTIFIER: the id at a fixed place of every record; inherited events carry their parent's. */
  out->sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |
                     PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_REGS_USER;
  /* A software event with a period and PERF_SAMPLE_PERIOD samples each time that it happens
   * (kernel 6.18, perf_swevent_event): the weight is known without. */
  if (plan->period_events)
    out->sample_type &= ~(uint64_t)PERF_SAMPLE_PERIOD;
  /* Frame pointer, stack pointer and pc tell which user code a kernel sample belongs to and where
   * its stack is; rows of a dump's frames may name any register. */
  out->sample_regs_user = plan->stack_dump ? PROF_ARCH_PERF_ALL : PROF_ARCH_PERF_PLACE;
  /* With dumps even an empty one: perf unwinds a file's dumps only beside callchains. */
  if (plan->kernel_chain || plan->stack_dump) {
    out->sample_type |= PERF_SAMPLE_CALLCHAIN;
    out->exclude_callchain_user = 1; /* frame pointers: wrong through Rust and C++ */
    out->exclude_callchain_kernel = !plan->kernel_chain;
  }
  if (plan->stack_dump) {
    out->sample_type |= PERF_SAMPLE_STACK_USER;
    out->sample_stack_user = plan->stack_bytes;
  }
  out->use_clockid = 1;
  out->clockid = CLOCK_MONOTONIC; /* that of process.hrtime, marks and V8's events */
  /* Side-band records by every event: one about a thread is written only to the events of that
   * thread on this CPU, which is one (or doubles, dropped by id like samples). */
  out->sample_id_all = 1;
  out->mmap = 1;
  out->mmap2 = 1;
  out->mmap_data = plan->data_maps;
  out->comm = 1;
  out->comm_exec = 1;
  out->task = 1;
  out->context_switch = plan->switches == PROF_SWITCHES_RECORDS;
  out->watermark = 1;   /* with wakeup_watermark 0: poll wakes when half of the ring is full */
  if (plan->stack_dump) /* each sample: what its dump lacks is read before the thread has moved on
                         */
    out->wakeup_watermark = 1;
  if (plan->threads_only) {
    out->inherit_thread = 1; /* children of fork are not ours */
    out->remove_on_exec = 1; /* nor is what a program becomes; sigtrap demands it */
  }
  if (plan->sigtrap) {
    out->sigtrap = 1;
    out->sig_data = sig_data;
  }
}
