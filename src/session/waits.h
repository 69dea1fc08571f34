/*
 * waits: what a recording keeps of threads that are off their CPU: session/offcpu's own.
 */
#ifndef RSPACK_PROF_SESSION_WAITS_H
#define RSPACK_PROF_SESSION_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/samples.h"
#include "profile/times.h"

struct prof_waits_thread {
  struct prof_times times;
  struct prof_sample held;  /* a wait that has its stack and lasts still */
  struct prof_sample asked; /* the same, with the stack that was read at asked_ns */
  uint64_t asked_ns;        /* 0: it was not */
  bool is_held;
  bool has_begun; /* the recording knows of it */
};

struct prof_waits {
  struct prof_waits_thread *rows; /* by the thread's row in the profile */
  size_t count, capacity;
  uint64_t look_ns;     /* when sleepers were looked at last */
  uint64_t switches;    /* that were seen */
  uint64_t without;     /* waits for which the event gave no sample: its record was lost */
  uint64_t asked, read; /* sleeping threads whose stack was asked for; was got */
};

#endif
