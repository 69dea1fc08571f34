/*
 * fuzz: what the targets share. Each fuzz_NAME.c has one LLVMFuzzerTestOneInput; libFuzzer drives
 * it
 * (`make run`), or replay.c, which feeds it the kept corpus under any compiler (`make replay`).
 */
#ifndef RSPACK_PROF_TEST_FUZZ_H
#define RSPACK_PROF_TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An exact copy on the heap: a read past its end is seen. The caller frees. */
static inline void *fuzz_copy(const uint8_t *data, size_t size) {
  void *copy = malloc(size ? size : 1);
  if (!copy)
    abort();
  return memcpy(copy, data, size);
}

/* The bytes as a file; path is one that it can be opened by. The caller closes. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[32]) {
  int fd = memfd_create("fuzz", MFD_CLOEXEC);
  if (fd < 0 || write(fd, data, size) != (ssize_t)size)
    abort();
  snprintf(path, 32, "/proc/self/fd/%d", fd);
  return fd;
}

/* Keeps a value, so that the reads that lead to it are not optimised away. */
static inline void fuzz_use(uint64_t value) {
  __asm__ volatile("" : : "r"(value) : "memory");
}

static inline void fuzz_use_text(const char *text) {
  fuzz_use(text ? strlen(text) : 0);
}

#endif
