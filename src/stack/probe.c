#include "stack/probe.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/syscall.h"

bool prof_probe_word(uint64_t address) {
  if (address < PROF_PROBE_LOWEST || address >= PROF_PROBE_HIGHEST)
    return false;
  /* sizeof(sigset_t) in the kernel is 8: it reads exactly these bytes, then refuses `how`. */
  return prof_syscall(SYS_rt_sigprocmask, ~0L, (long)address, 0, 8, 0, 0) == -EINVAL;
}

/* By the kernel, which survives what a copy of our own would not: the page may be unmapped at any
 * moment. Where process_vm_readv is forbidden (seccomp) it is asked for first, and then copied. */
bool prof_probe_fetch(uint64_t address, uint8_t *out, unsigned count) {
  struct iovec into = {out, count}, from = {(void *)(uintptr_t)address, count};
  long pid = prof_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
  long result = prof_syscall(SYS_process_vm_readv, pid, (long)&into, 1, (long)&from, 1, 0);
  if (result != -EPERM && result != -ENOSYS)
    return result == (long)count;
  if (!prof_probe_word(address) || !prof_probe_word(address + count - 1))
    return false;
  prof_probe_copy(address, out, count);
  return true;
}

void prof_probe_copy(uint64_t address, uint8_t *out, unsigned count) {
#if defined(__x86_64__)
  __asm__ volatile("rep movsb" : "+D"(out), "+S"(address), "+c"(count)::"memory");
#else
  for (; count; count--, address++, out++) {
    uint32_t byte;
    __asm__ volatile("ldrb %w0, [%1]" : "=r"(byte) : "r"(address) : "memory");
    *out = (uint8_t)byte;
  }
#endif
}
