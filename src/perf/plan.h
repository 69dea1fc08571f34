/*
 * plan: what a recording opens: the events, how stacks are taken, and what had to be given up for
 * it, each step in a note.
 *
 * perf/choose.h fills it, perf/attach.h opens it. Refuses: notes beyond the eighth (dropped).
 */
#ifndef RSPACK_PROF_PERF_PLAN_H
#define RSPACK_PROF_PERF_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/event.h"

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
  struct prof_plan_note notes[16];
  int note_count;
};

/* The event at index: 0 is the first, then the extras. What was asked for. */
static inline const struct prof_event *prof_plan_event(const struct prof_plan *self, int index) {
  return index ? &self->extras[index - 1].event : &self->event;
}
static inline const char *prof_plan_requested(const struct prof_plan *self, int index) {
  return index ? self->extras[index - 1].requested : self->requested;
}

/* Adds a note (fix may be ""); the ninth and later are dropped. */
__attribute__((format(printf, 4, 5))) void prof_plan_note(struct prof_plan *self, const char *code,
                                                          const char *fix, const char *format, ...);

#endif
