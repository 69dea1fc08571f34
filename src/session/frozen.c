#include "session/frozen.h"

#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

enum { STACK_BYTES = 1 << 20, PAGE_BYTES = 4096, DWARF_RBP = 6, DWARF_RSP = 7, DWARF_RA = 16 };

/* What is readable from address on, page by page: one call stops at the first hole. */
static size_t copy_stack(uint64_t address, unsigned char *bytes, size_t size) {
  enum { PIECES = STACK_BYTES / PAGE_BYTES + 1 };
  struct iovec from[PIECES];
  size_t pieces = 0, left = size;
  while (left && pieces < PIECES) {
    size_t length = PAGE_BYTES - (address & (PAGE_BYTES - 1));
    if (length > left)
      length = left;
    from[pieces++] = (struct iovec){.iov_base = (void *)(uintptr_t)address, .iov_len = length};
    address += length;
    left -= length;
  }
  struct iovec into = {.iov_base = bytes, .iov_len = size};
  ssize_t copied = process_vm_readv(getpid(), &into, 1, from, pieces, 0);
  return copied < 0 ? 0 : (size_t)copied;
}

int prof_frozen_walk(struct prof_unwind *unwind, uint32_t max_frames, uint64_t ip, uint64_t sp,
                     uint64_t bp, struct prof_walk *walk) {

  unsigned char *bytes = malloc(STACK_BYTES);
  uint64_t *words = malloc(max_frames * sizeof *words);
  size_t size = bytes && words ? copy_stack(sp, bytes, STACK_BYTES) : 0;
  if (!size) {
    free(bytes);
    free(words);
    return -1;
  }
  struct prof_regs regs = {.valid = 1u << DWARF_RBP | 1u << DWARF_RSP | 1u << DWARF_RA};
  regs.r[DWARF_RBP] = bp;
  regs.r[DWARF_RSP] = sp;
  regs.r[DWARF_RA] = ip;
  struct prof_memory memory;
  prof_memory_bytes(&memory, sp, bytes, size);
  *walk = (struct prof_walk){.words = words, .capacity = max_frames};
  prof_unwind_walk(unwind, &memory, &regs, walk);
  free(bytes);
  return 0;
}
