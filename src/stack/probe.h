/*
 * probe: this process's memory asked for and copied without ever faulting, word by word or a few
 * bytes; what memory.h's windows rest on.
 *
 * A page is asked for with a system call that cannot succeed (rt_sigprocmask with an invalid `how`:
 * the kernel copies the set first, so EFAULT says unreadable, EINVAL readable; checked on 6.18, the
 * same order since 2.6), so that no SIGSEGV handler is needed. It also honours protection keys,
 * which the kernel resets on signal entry.
 *
 * The caller provides nothing. Async-signal-safe, no lock, errno untouched.
 * Refuses: addresses that cannot be user space's.
 */
#ifndef RSPACK_PROF_STACK_PROBE_H
#define RSPACK_PROF_STACK_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* First and last but one address that user space can have: nothing of ours is below (and a NULL set
 * is never looked at), and above is the kernel's (four levels of pages). */
#define PROF_PROBE_LOWEST 0x1000ull
#if defined(__x86_64__)
#define PROF_PROBE_HIGHEST 0x7ffffffff000ull
#else
#define PROF_PROBE_HIGHEST 0xfffffffff000ull
#endif

/* Whether the 8 bytes at address can be read now. */
bool prof_probe_word(uint64_t address);

/* Copies count (<= 4,096) bytes that may vanish meanwhile; false: they cannot be read. */
bool prof_probe_fetch(uint64_t address, uint8_t *out, unsigned count);

/* Copies bytes that were probed. By hand: TSan would see a race with V8's compiler, or with the
 * program's data where a stale word was taken for code. */
void prof_probe_copy(uint64_t address, uint8_t *out, unsigned count);

#endif
