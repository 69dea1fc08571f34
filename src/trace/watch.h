/*
 * watch: whose events are read: a command's processes from their first instruction on, or this
 * process's threads; one ring for each CPU.
 *
 * Events are opened per thread and inherited, so nobody else's program gets a probe, although the
 * file may be mapped by many (libc). For a command they are opened on the calling thread, switched
 * on by exec: call prof_watch_add on the thread that will start the command, and start nothing else
 * from it until then. Later sets are opened on the threads that live then.
 *
 * The caller provides struct prof_os and drains the rings from one thread at a time; sets may be
 * added and dropped from another one meanwhile. Refuses: more
 * descriptors than RLIMIT_NOFILE allows, rings that do not fit into locked memory
 * (PROF_MEMORY_LOCK).
 */
#ifndef RSPACK_PROF_TRACE_WATCH_H
#define RSPACK_PROF_TRACE_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/perf_event.h>

#include "perf/os.h"
#include "perf/record.h"
#include "perf/ring.h"

struct prof_error;

struct prof_watch_set {
  int *fds;
  size_t count, capacity;
};

struct prof_watch {
  const struct prof_os *os;
  bool is_command;  /* else this process */
  int skip_tids[2]; /* the tracer's own threads; 0: none */
  int cpu_count;
  int *cpus;
  struct prof_ring *rings;
  unsigned char *scratch;
  struct prof_watch_set base;       /* silent events that own the rings, and tell of threads */
  struct prof_record_layout layout; /* of every record but samples */
  pthread_mutex_t lock;             /* of pids */
  uint32_t *pids;                   /* of the command, as seen in records */
  size_t pid_count, pid_capacity;
};

int prof_watch_open(struct prof_watch *self, const struct prof_os *os, bool is_command,
                    size_t ring_bytes, int skip_tid, struct prof_error *error);
void prof_watch_close(struct prof_watch *self);

/* is_first: of a command that has not been started. */
int prof_watch_add(struct prof_watch *self, const struct perf_event_attr *attr, bool is_first,
                   struct prof_watch_set *set, struct prof_error *error);
void prof_watch_enable(struct prof_watch *self, const struct prof_watch_set *set);
void prof_watch_disable(struct prof_watch *self, const struct prof_watch_set *set);
/* Closes its descriptors; waits for the kernel (0.1 to 0.3 s where they are probes). */
void prof_watch_drop(struct prof_watch *self, struct prof_watch_set *set);

/* One event on a process's first thread, without output, for as long as the set is there. One that
 * has ended needs none. */
void prof_watch_hold(struct prof_watch *self, const struct perf_event_attr *attr, uint32_t pid,
                     struct prof_watch_set *set);
/* The same for each process of the command that was seen so far. */
void prof_watch_hold_all(struct prof_watch *self, const struct perf_event_attr *attr,
                         struct prof_watch_set *set);

/* A process of the command, as FORK and COMM tell them; whether it is a new one. */
bool prof_watch_pid(struct prof_watch *self, uint32_t pid);

#endif
