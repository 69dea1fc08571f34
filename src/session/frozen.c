#include "session/frozen.h"

#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

/* Most stacks end within the first; each copy waits for the process's mappings to be left alone. */
enum { FIRST_BYTES = 64 << 10, STACK_BYTES = 512 << 10 };

/* What is readable from address on: how many bytes. The kernel stops at the first hole, at a page
 * (mm/process_vm_access.c, 5.13 to 6.18). */
static size_t copy_stack(uint64_t address, unsigned char *bytes, size_t size) {
  struct iovec from = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
  struct iovec into = {.iov_base = bytes, .iov_len = size};
  ssize_t copied = process_vm_readv(getpid(), &into, 1, &from, 1, 0);
  return copied < 0 ? 0 : (size_t)copied;
}

int prof_frozen_walk(struct prof_unwind *unwind, uint32_t max_words, uint64_t ip, uint64_t sp,
                     uint64_t bp, struct prof_walk *walk) {
  unsigned char *bytes = malloc(STACK_BYTES);
  uint64_t *words = malloc(max_words * sizeof *words);
  size_t size = bytes && words ? copy_stack(sp, bytes, FIRST_BYTES) : 0;
  if (!size) {
    free(bytes);
    free(words);
    return -1;
  }
  struct prof_regs regs = {0};
  prof_regs_arrive(&regs, ip, sp, bp, bp != 0);
  struct prof_memory memory;
  prof_memory_bytes(&memory, sp, bytes, size);
  *walk = (struct prof_walk){.words = words, .capacity = max_words};
  prof_unwind_walk(unwind, &memory, &regs, walk);
  if (walk->end != PROF_WALK_COMPLETE && size == FIRST_BYTES) {
    size += copy_stack(sp + size, bytes + size, STACK_BYTES - size);
    prof_memory_bytes(&memory, sp, bytes, size);
    *walk = (struct prof_walk){.words = words, .capacity = max_words};
    prof_unwind_walk(unwind, &memory, &regs, walk);
  }
  free(bytes);
  return 0;
}
