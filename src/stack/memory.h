/*
 * memory: the words of one stack, live in this process or out of a captured dump, read without
 * ever faulting.
 *
 * Live: pages are asked for (stack/probe.h) before they are touched. The part of the thread's
 * own stack above a stack pointer once seen stays known from walk to walk, since it cannot go away
 * while the thread runs on it; everything else (stacks of makecontext and `stacker`) is asked for
 * anew in every walk.
 *
 * The caller provides: one struct per thread, initialised on or for that thread (never handed on to
 * a thread that came later), used only there. Async-signal-safe, no lock, errno untouched.
 * Refuses: reads of anything but 8 bytes (prof_memory_read) or a few bytes of code.
 */
#ifndef RSPACK_PROF_STACK_MEMORY_H
#define RSPACK_PROF_STACK_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_window {
  uint64_t start; /* first readable address */
  uint64_t span;  /* 8-byte reads may start at start .. start + span - 1; 0: empty */
};

struct prof_memory {
  struct prof_window window[2];  /* of this walk: the stack in use, and one other */
  uint64_t bias;                 /* address + bias is where its bytes are; 0 when live */
  uint64_t home_start, home_end; /* live: known part of the thread's own stack */
  uint64_t home_top;             /* live: an address in its highest page; 0 not yet known */
  unsigned climbs;               /* live: tries to reach that page */
  uint64_t code_pages[64]; /* live: pages of code found readable, each with the walk's number */
  uint64_t walk;           /* live: counts walks, 1 .. 4095, in a page address's low bits */
  uint64_t probes;         /* counter: system calls made */
  bool is_live, has_code;  /* code can be read: live, its dump, or by this: */
  bool (*code)(void *user, uint64_t address, uint8_t *out, unsigned count); /* another process's */
  void *code_user;
  /* A dump's, NULL none: moves window[0] and bias to where address is; false: unreadable. */
  bool (*fetch)(struct prof_memory *self, uint64_t address);
};

/* This process's memory, as seen from the calling thread. */
void prof_memory_live(struct prof_memory *self);

/* A dump: size bytes that were at address. */
void prof_memory_bytes(struct prof_memory *self, uint64_t address, const void *bytes, size_t size);

/* Called by the walk: forgets the windows that may have gone stale since the last one. */
void prof_memory_begin(struct prof_memory *self, uint64_t stack_pointer);

/* The way out of line: moves or grows a window so that it holds address; false: unreadable. */
bool prof_memory_reach(struct prof_memory *self, uint64_t address);

/* count (<= 128) bytes of code of this process; false when unreadable, or for a dump. */
bool prof_memory_code(struct prof_memory *self, uint64_t address, uint8_t *out, unsigned count);

#if defined(__x86_64__)
#define PROF_MEMORY_LOAD "movq (%1), %0"
#else
#define PROF_MEMORY_LOAD "ldr %0, [%1]"
#endif

static inline bool prof_memory_read(struct prof_memory *self, uint64_t address, uint64_t *out) {
  if (address - self->window[0].start >= self->window[0].span && !prof_memory_reach(self, address))
    return false;
  /* By hand, so that no sanitizer takes a look at foreign frames for an error. */
  __asm__(PROF_MEMORY_LOAD : "=r"(*out) : "r"(address + self->bias) : "memory");
  return true;
}

/* How many words from address on are known to be readable: at least 1 after a read of it. */
static inline uint64_t prof_memory_words(const struct prof_memory *self, uint64_t address) {
  uint64_t from = address - self->window[0].start;
  return from < self->window[0].span ? (self->window[0].span - from + 7) / 8 : 0;
}

/* One of them. */
static inline uint64_t prof_memory_word(const struct prof_memory *self, uint64_t address) {
  uint64_t word;
  __asm__ volatile(PROF_MEMORY_LOAD : "=r"(word) : "r"(address + self->bias));
  return word;
}

#endif
