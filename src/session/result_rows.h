/*
 * result_rows: the rows of a result, as docs/raw-profile.md has them. Texts are indices into its
 * strings; -1 in a signed one: none.
 *
 * session/result.h fills and owns them. Refuses: nothing.
 */
#ifndef RSPACK_PROF_SESSION_RESULT_ROWS_H
#define RSPACK_PROF_SESSION_RESULT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
  uint64_t handler_dropped, unmatched_stacks, spared, ring_bytes, in_handler, doubles, guessed;
  uint64_t
      unlisted_refused;    /* places met in unlisted code and not asked about (stack/unlisted.h) */
  uint64_t inline_skipped; /* places without their inlined functions: DWARF's time was used up */
  uint64_t forgotten;      /* samples that were dropped on request: a watch's old builds */
  uint64_t signals;        /* that arrived while armed; samples within one system call share one */
  /* session/recording_counters.h says what these are */
  uint64_t passed_on, late, jit_dropped, unnamed_interpreter, refused_modules, refused_tables;
  uint64_t used_ns; /* CPU time of the build's threads; 0: not known */
  double cpu_ms, finish_ms, handler_ms;
  uint64_t peak_bytes;
};

#endif
