/*
 * choose: from what the user asked for to what opens here, each step down said aloud in a note.
 *
 *   hardware cycles u+k -> hardware cycles u -> cpu-clock u+k -> cpu-clock u
 *   -> timers of each thread's CPU time, where perf events are refused (cputimer.h) -> an error
 *
 * Only events that measure CPU time (cycles, ref-cycles) are replaced by cpu-clock; cache-misses or
 * instructions without a PMU are PROF_NO_PMU: another event would be another question.
 * Other steps: sigtrap -> stack dump (kernel before 5.19), precise -> imprecise, kernel part left
 * out (perf_event_paranoid; kernels 5.19 to 6.0, where sigtrap on kernel samples is not sound),
 * frequency lowered to perf_event_max_sample_rate.
 * The caller provides struct prof_os. Refuses: frequencies outside 1..PROF_FREQUENCY_MAX.
 */
#ifndef RSPACK_PROF_PERF_CHOOSE_H
#define RSPACK_PROF_PERF_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "perf/event.h"
#include "perf/os.h"

#define PROF_EVENT_DEFAULT "cycles:uk"
#define PROF_FREQUENCY_MAX 100000u /* cpu-clock's timer does no less than 10 us (kernel 6.18) */
#define PROF_STACK_BYTES_DEFAULT 8192u

enum prof_call_graph {
  PROF_CALL_GRAPH_NONE = 0,  /* leaf only */
  PROF_CALL_GRAPH_FULL = 1,  /* sigtrap; a stack dump where that is missing */
  PROF_CALL_GRAPH_DWARF = 2, /* a stack dump */
};

/* How a recording learns when threads leave a CPU: perf/switches.h. */
enum prof_switches { PROF_SWITCHES_NONE, PROF_SWITCHES_RECORDS, PROF_SWITCHES_EVENT };

struct prof_plan_note {
  char code[40];     /* "no-hardware-pmu", "kernel-excluded", "frequency-lowered", ... */
  char message[240]; /* one line */
  char fix[160];     /* one command, or "" */
};

enum { PROF_EXTRAS_MAX = 7 };

/* An event beside the first one: extras.h. */
struct prof_extra {
  struct prof_event event;
  char requested[96];
  int group; /* -1: alone */
};

struct prof_plan {
  struct prof_event event; /* what opens */
  char requested[96];
  uint32_t frequency;     /* Hz, after max_sample_rate; 0: by period_events */
  uint64_t period_events; /* of the event, between two samples; 0: by frequency */
  bool sigtrap;           /* each sample signals its own thread */
  bool kernel;            /* kernel-mode samples are taken */
  bool kernel_chain;      /* and carry their kernel callchain */
  bool fixed_clock;       /* a software clock: every sample weighs 1e9 / frequency ns */
  bool stack_dump;
  uint32_t stack_bytes; /* 0 unless stack_dump; a multiple of 8, below 65,528 */
  bool threads_only;    /* inherit_thread (5.13): without it child processes are sampled too */
  bool timers;          /* no perf event: cputimer.h; sigtrap: a timer's signal walks */
  uint64_t period_ns;   /* of such a timer */
  bool data_maps;       /* records of data mappings too: perf reads .eh_frame through them */
  bool has_pmu;
  int group; /* of the first event; -1: alone */
  struct prof_extra extras[PROF_EXTRAS_MAX];
  int extra_count;
  enum prof_switches switches; /* off-CPU time is recorded too */
  struct prof_plan_note notes[8];
  int note_count;
};

int prof_choose_plan(const struct prof_os *os, const char *event /* NULL: the default */,
                     uint32_t frequency, int call_graph, struct prof_plan *out,
                     struct prof_error *error);

/* Adds a note (fix may be ""); the ninth and later are dropped. */
__attribute__((format(printf, 4, 5))) void prof_plan_note(struct prof_plan *self, const char *code,
                                                          const char *fix, const char *format, ...);

#endif
