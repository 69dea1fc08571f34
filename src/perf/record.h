/*
 * record: the bytes of one perf record -> a struct. Pure; nothing is copied: pointers in the result
 * point into the record and live as long as it does.
 *
 * The caller provides the layout that the event was opened with (prof_record_layout_of) and a
 * header of which header->size bytes can be read. Field order: linux/perf_event.h, kernel 6.18.
 * Refuses (-1, the caller counts): whatever does not fit into header->size, callchains, dumps and
 * strings included. Types it does not know are fine: type, time, pid, tid, cpu and id are set.
 */
#ifndef RSPACK_PROF_PERF_RECORD_H
#define RSPACK_PROF_PERF_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/perf_event.h>

#include "base/arch.h"

struct prof_record_layout {
  uint64_t sample_type, read_format, regs_user, branch_sample_type;
  bool sample_id_all;
};

struct prof_record_sample {
  uint64_t ip, period;
  bool in_kernel;
  const uint64_t *kernel_chain; /* innermost first, without context markers */
  uint32_t chain_count;
  const uint64_t *user_chain; /* the same for PERF_CONTEXT_USER (perf.data of others) */
  uint32_t user_chain_count;
  bool has_user_regs; /* of a 64-bit thread */
  uint64_t user_ip, user_sp, user_bp;
  struct prof_regs user_regs;
  const unsigned char *stack; /* starts at user_sp */
  uint32_t stack_bytes;       /* of them valid (dyn_size) */
};

struct prof_record {
  uint32_t type;       /* PERF_RECORD_* */
  uint16_t misc;       /* PERF_RECORD_MISC_* */
  uint64_t time_ns;    /* 0 where the record has none */
  uint32_t pid, tid;   /* of whom it tells: the renamed, mapped, born or ended thread */
  uint32_t writer_tid; /* the thread it was written in: a parent's for FORK, the namer's for COMM */
  uint32_t cpu;
  uint64_t id; /* of the event; 0 where the record has none */
  union {
    struct prof_record_sample sample; /* SAMPLE */
    struct {
      uint64_t start, length, offset;
      const char *path;
      bool executable;
      const unsigned char *build_id; /* NULL unless MMAP2 carries it */
      uint8_t build_id_bytes;        /* at most 20 */
    } mmap;                          /* MMAP, MMAP2 */
    struct {
      const char *name;
      bool exec;
    } comm;
    struct {
      uint32_t ppid, ptid;
    } task; /* FORK, EXIT */
    struct {
      uint64_t count;
    } lost; /* LOST, LOST_SAMPLES */
    struct {
      bool out, preempted;
    } context_switch; /* SWITCH, SWITCH_CPU_WIDE */
  };
};

void prof_record_layout_of(const struct perf_event_attr *attr, struct prof_record_layout *out);

/* The time alone, as decode has it, for who orders records first. 0, or -1. */
int prof_record_time(const struct prof_record_layout *layout,
                     const struct perf_event_header *header, uint64_t *time_ns);
int prof_record_decode(const struct prof_record_layout *layout,
                       const struct perf_event_header *header, struct prof_record *out);

#endif
