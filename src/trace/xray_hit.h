/*
 * xray_hit: what a patched sled calls: writes the thread's time, stack and function into a buffer
 * of the thread's own, and returns. No lock, no system call but for a thread's first hit, no
 * vector register: 10 to 30 ns.
 *
 * One thread drains all buffers. A full buffer, a hit inside a hit (a signal handler's) and
 * threads beyond PROF_XRAY_THREADS are counted as lost; nobody waits. Buffers are reused by
 * threads that come after those that ended, and never unmapped: a thread may be on its way into
 * one at any time. Refuses nothing.
 */
#ifndef RSPACK_PROF_TRACE_XRAY_HIT_H
#define RSPACK_PROF_TRACE_XRAY_HIT_H

#include <stdbool.h>
#include <stdint.h>

enum { PROF_XRAY_THREADS = 1024, PROF_XRAY_ROWS = 1 << 20 };

struct prof_xray_row {
  uint64_t ticks; /* of the time stamp counter */
  uint64_t sp;    /* of the return address */
  uint32_t func, kind;
};

/* The addresses to patch in: they save every register that a function may pass or return. */
uint64_t prof_xray_trampoline(uint8_t sled_kind);

/* From here on hits are written down; false: they fall away. */
void prof_xray_listen(bool on);

typedef void prof_xray_visit(void *user, uint32_t tid, const struct prof_xray_row *row);
/* Visits what is there, thread by thread, each in its order. */
void prof_xray_drain(prof_xray_visit *visit, void *user);
/* Threads that ended since the last call: their buffers, drained before, are free again. */
void prof_xray_reap(void (*ended)(void *user, uint32_t tid), void *user);
uint64_t prof_xray_lost(void);

/* What one hit costs here, in ns, on the calling thread: rows of PROF_XRAY_NOBODY, while listening
 * and before anybody else has a hit. */
#define PROF_XRAY_NOBODY UINT32_MAX
double prof_xray_price(void);

static inline uint64_t prof_xray_ticks(void) {
  return __builtin_ia32_rdtsc();
}

#endif
