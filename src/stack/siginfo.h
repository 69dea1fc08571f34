/*
 * siginfo: what the kernel says of a sample's signal, perf's and a timer's.
 *
 * Layouts of uapi/asm-generic/siginfo.h (x86_64, aarch64). The caller is the handler. Refuses:
 * nothing.
 */
#ifndef RSPACK_PROF_STACK_SIGINFO_H
#define RSPACK_PROF_STACK_SIGINFO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef TRAP_PERF
#define TRAP_PERF 6 /* kernel 5.13 */
#endif

/* Of TRAP_PERF (_perf): glibc has named it only since 2.36. */
struct prof_siginfo {
  int signo, error, code, pad;
  void *address;
  unsigned long data; /* attr.sig_data */
  uint32_t type;      /* attr.type */
  uint32_t flags;     /* bit 0: TRAP_PERF_FLAG_ASYNC, 5.19 */
};
/* A timer's value stands where sig_data does, and two ints where the address does. */
_Static_assert(offsetof(siginfo_t, si_value) == offsetof(struct prof_siginfo, data),
               "siginfo._sifields._timer._sigval");
_Static_assert(offsetof(struct prof_siginfo, data) == 24, "siginfo._sifields._sigfault._perf.data");
_Static_assert(offsetof(struct prof_siginfo, flags) == 36,
               "siginfo._sifields._sigfault._perf.flags");

/* SIGTRAP was blocked at the overflow: what is interrupted now is later. */
static inline bool prof_siginfo_is_late(const struct prof_siginfo *info) {
  return info->code == TRAP_PERF && info->flags & 1;
}

/* Of a CPU-time timer: its periods since the last one; else 0. */
static inline uint64_t prof_siginfo_ticks(const struct prof_siginfo *info) {
  return info->code == SI_TIMER ? 1 + (uint64_t)((const siginfo_t *)info)->si_overrun : 0;
}

#endif
