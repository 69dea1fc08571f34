/*
 * frozen: walks the stack of a thread that is blocked in the kernel, from another thread.
 *
 * The stack is copied by process_vm_readv, which gives an error and no fault where the thread wakes
 * up and ends meanwhile. The caller makes sure afterwards that no walk of the thread's own arrived.
 * Refuses: more than 512 KB of stack, stacks switched to other mappings (a broken walk).
 */
#ifndef RSPACK_PROF_SESSION_FROZEN_H
#define RSPACK_PROF_SESSION_FROZEN_H

#include <stdint.h>

#include "stack/unwind.h"

/* bp 0: it is not known, and frames that need it end the walk. 0 with walk->words malloc'ed (the
 * caller frees), or -1: still running, gone, no memory. */
int prof_frozen_walk(struct prof_unwind *unwind, uint32_t max_words, uint64_t ip, uint64_t sp,
                     uint64_t bp, struct prof_walk *walk);

#endif
