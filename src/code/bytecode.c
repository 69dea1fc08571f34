#include "code/bytecode.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "code/jit.h"
#include "code/jitqueue.h"

/* Known to nobody else: it is looked for in the names of all bytecode. */
#define FUNCTION "rspackProfCalibration"
enum {
  STARTS = 8, /* addresses under which the function's bytecode was reported: at most one a move */
  SLOT_FIRST = -1,
  SLOT_LAST = -10,
  HEADER_LEAST = 0x10,
  HEADER_MOST = 0x80
};

static struct {
  atomic_bool is_on;
  pthread_mutex_t lock;
  uint64_t starts[STARTS];
  uint32_t count;
} watch = {.lock = PTHREAD_MUTEX_INITIALIZER};

const char *prof_bytecode_script(void) {
  return "(function " FUNCTION "(callback) { return callback(); })";
}

void prof_bytecode_watch_start(void) {
  pthread_mutex_lock(&watch.lock);
  watch.count = 0;
  pthread_mutex_unlock(&watch.lock);
  atomic_store(&watch.is_on, true);
}

void prof_bytecode_watch_end(void) {
  atomic_store(&watch.is_on, false);
}

void prof_bytecode_watch_event(int type, const char *name, size_t length, uint64_t start,
                               uint64_t moved_to) {
  static const char mark[] = "~" FUNCTION " ";
  if (!atomic_load_explicit(&watch.is_on, memory_order_relaxed))
    return;
  pthread_mutex_lock(&watch.lock);
  if (type == PROF_JIT_ADDED && name && memmem(name, length, mark, sizeof mark - 1)) {
    watch.starts[watch.count % STARTS] = start;
    watch.count++;
  } else if (type == PROF_JIT_MOVED) {
    for (uint32_t i = 0; i < STARTS && i < watch.count; i++)
      if (watch.starts[i] == start)
        watch.starts[i] = moved_to;
  }
  pthread_mutex_unlock(&watch.lock);
}

static bool is_interpreter(const struct prof_jit_map *map, uint64_t address) {
  for (uint32_t i = 0; i < map->interpreter_count; i++)
    if (map->interpreter[i].start <= address && address <= map->interpreter[i].end)
      return true;
  return false;
}

/* By the kernel, which survives a word that is no pointer. */
static bool read_word(uint64_t address, uint64_t *out) {
  struct iovec into = {out, sizeof *out}, from = {(void *)(uintptr_t)address, sizeof *out};
  return process_vm_readv(getpid(), &into, 1, &from, 1, 0) == (ssize_t)sizeof *out;
}

/* The frame at fp: a slot whose tagged pointer lies a plausible header below a known start. */
static bool match_frame(const uint64_t *fp, const uint64_t *least, const uint64_t *starts,
                        uint32_t start_count, struct prof_bytecode_layout *out) {
  for (int slot = SLOT_FIRST; slot >= SLOT_LAST && fp + slot >= least; slot--) {
    for (uint32_t i = 0; i < start_count; i++) {
      uint64_t header = starts[i] - (fp[slot] - 1);
      if ((fp[slot] & 3) == 1 && header >= HEADER_LEAST && header <= HEADER_MOST) {
        *out =
            (struct prof_bytecode_layout){.slot = slot, .header = (uint32_t)header, .proven = true};
        prof_v8function_calibrate(fp, fp[slot], read_word, &out->function);
        return true;
      }
    }
  }
  return false;
}

/* Frames below our callback are C++ and need not keep rbp, so the stack is searched: a pair (saved
 * frame pointer, return address into the interpreter) belongs to the callee of an interpreted
 * frame, and the saved pointer is that frame's. */
__attribute__((no_sanitize("address"))) bool
prof_bytecode_search(const uint64_t *words, size_t count, const struct prof_jit_map *map,
                     const uint64_t *starts, uint32_t start_count,
                     struct prof_bytecode_layout *out) {
  for (size_t i = 0; i + 1 < count; i++) {
    uint64_t saved = words[i], into = saved - (uintptr_t)words;
    if (saved % 8 == 0 && saved > (uintptr_t)(words + i) && into / 8 < count &&
        is_interpreter(map, words[i + 1]) &&
        match_frame(words + into / 8, words + i, starts, start_count, out))
      return true;
  }
  return false;
}

/* Bytes from address to the end of the calling thread's stack; 0 where it is on another. */
static size_t stack_left(const void *address) {
  pthread_attr_t attributes;
  void *low = NULL;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes))
    return 0;
  if (pthread_attr_getstack(&attributes, &low, &size))
    size = 0;
  pthread_attr_destroy(&attributes);
  return (uintptr_t)address - (uintptr_t)low < size ? size - ((uintptr_t)address - (uintptr_t)low)
                                                    : 0;
}

bool prof_bytecode_calibrate(const void *stack_from, size_t limit,
                             struct prof_bytecode_layout *out) {
  const uint64_t *words = (const void *)(((uintptr_t)stack_from + 7) & ~(uintptr_t)7);
  size_t left = stack_left(words);
  struct prof_jit_map *map = malloc(sizeof *map);
  uint64_t starts[STARTS];
  uint32_t start_count;
  bool found = false;
  *out = (struct prof_bytecode_layout){0};
  pthread_mutex_lock(&watch.lock);
  start_count = watch.count < STARTS ? watch.count : STARTS;
  memcpy(starts, watch.starts, sizeof starts);
  pthread_mutex_unlock(&watch.lock);
  if (limit && limit < left)
    left = limit;
  if (map && prof_jit_v8_map(map))
    found = prof_bytecode_search(words, left / sizeof *words, map, starts, start_count, out);
  free(map);
  return found;
}

bool prof_bytecode_from_version(const char *v8_version, struct prof_bytecode_layout *out) {
  /* V8 of node 18.20, 20.20, 22.23, 24.21, 25.9, 26.10, each measured by the calibration */
  static const struct {
    int major, minor;
    uint32_t header;
  } rows[] = {{10, 2, 0x38}, {11, 3, 0x36}, {12, 4, 0x40},
              {13, 6, 0x40}, {14, 1, 0x40}, {14, 6, 0x40}};
  size_t nearest = 0;
  int major = 0, minor = 0;
  if (v8_version)
    (void)sscanf(v8_version, "%d.%d", &major, &minor);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].major < major || (rows[i].major == major && rows[i].minor <= minor))
      nearest = i;
  *out = (struct prof_bytecode_layout){.slot = -4, .header = rows[nearest].header};
  return rows[nearest].major == major && rows[nearest].minor == minor;
}
