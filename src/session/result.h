/*
 * result: a recording, named and folded: places become functions, and the columns are what
 * docs/raw-profile.md describes. Nothing in it points back into the recording.
 *
 * Built on the profiler's thread (symbol tables are read there), read by any one thread after that.
 * May be built while the recording goes on. Refuses: nothing; memory that ends gives NULL.
 */
#ifndef RSPACK_PROF_SESSION_RESULT_H
#define RSPACK_PROF_SESSION_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "perf/choose.h"
#include "profile/samples.h"
#include "profile/strings.h"
#include "session/recording.h"

/* Texts are indices into strings; -1 in a signed one: none. */
struct prof_result_module {
  uint32_t path, name, build_id;
  uint64_t start, end;
  uint8_t flags; /* enum prof_module_flag */
};

struct prof_result_func {
  uint32_t name, symbol, line, column;
  int32_t module, crate, file;
  uint8_t kind, tier, named; /* struct prof_named */
  int64_t address; /* one in it, as the file's symbols count; the kernel's (negative); 0: none */
};

struct prof_result_node {
  int32_t parent, func; /* -1: the root's */
  uint8_t inlined;
};

struct prof_result_thread {
  uint32_t tid, name;
  uint64_t start_ns, end_ns;
};

struct prof_result_broken {
  uint32_t object, reason;  /* where walks broke, and why */
  uint32_t samples, broken; /* with a frame in the object; broken there for the reason */
};

/* percent 0: there was none. */
struct prof_result_budget {
  double percent, cost_percent;               /* of the CPU time that the build used */
  uint64_t interrupt_ns, arrival_ns, walk_ns; /* a sample's price, see session/meter.h */
  bool is_measured;                           /* interrupt_ns; else a guess */
  struct prof_result_rate {
    uint64_t time_ns; /* from when on */
    uint32_t frequency;
  } * rates; /* the first is from the start; never none */
  size_t rate_count;
};

struct prof_result_quality {
  uint64_t samples, lost, throttled, complete, truncated, joined, broken, unnamed_leaf;
  uint64_t handler_dropped, unmatched_stacks, ring_bytes, in_handler, doubles, guessed;
  uint64_t inline_skipped; /* places without their inlined functions: DWARF's time was used up */
  uint64_t forgotten;      /* samples that were dropped on request: a watch's old builds */
  uint64_t signals;        /* that arrived while armed; samples within one system call share one */
  double cpu_ms, finish_ms, handler_ms;
  uint64_t peak_bytes;
};

struct prof_result {
  struct prof_strings strings;
  struct prof_result_module *modules;
  struct prof_result_func *funcs;
  struct prof_result_node *nodes;
  struct prof_result_thread *threads;
  struct prof_result_broken *broken;
  struct prof_sample *samples;
  size_t module_count, func_count, node_count, thread_count, broken_count, sample_count;
  size_t func_capacity, node_capacity, broken_capacity;
  struct prof_resident_row *resident; /* where it was asked for */
  size_t resident_count;
  struct prof_result_quality quality;
  struct prof_result_budget budget;
  struct prof_plan plan;
  double scaled_by[PROF_EXTRAS_MAX + 1]; /* of each event: prof_attach_scale_of */
  struct prof_plan_note notes[10];       /* beside the plan's */
  int note_count;
  uint64_t start_ns, end_ns, start_unix_ms;
  int cpus;
  uint32_t pid;
  const char *call_graph; /* meta.callGraph of a replay; NULL: as planned */
  char journal[4096];     /* its file, which the receiver removes once the profile is safe; "" */
  char command[256];      /* a replay: what was recorded; "": this process */
  char kernel[65];        /* release */
};

struct prof_result *prof_result_build(struct prof_recording *recording);
void prof_result_free(struct prof_result *self); /* NULL is fine */

#endif
