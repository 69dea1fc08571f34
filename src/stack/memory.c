#include "stack/memory.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

#include "base/syscall.h"
#include "stack/probe.h"

#define PAGE 4096ull  /* the smallest protection granule, whatever the page size in use */
#define GROW_PAGES 64 /* further away is another stack: 256 KB, ten times swc's frames */
#define CLIMBS 4      /* to the top of the thread's own stack, that failed */

static uint64_t page_of(uint64_t address) {
  return address & ~(PAGE - 1);
}

static bool probe(struct prof_memory *self, uint64_t address) {
  self->probes++;
  return prof_probe_word(address);
}

void prof_memory_live(struct prof_memory *self) {
  memset(self, 0, sizeof *self);
  self->walk = 1;
  self->is_live = self->has_code = true;
}

void prof_memory_bytes(struct prof_memory *self, uint64_t address, const void *bytes, size_t size) {
  memset(self, 0, sizeof *self);
  self->window[0].start = address;
  self->window[0].span = size < 8 ? 0 : size - 7;
  self->bias = (uint64_t)(uintptr_t)bytes - address;
}

static void set_window(struct prof_window *window, uint64_t start, uint64_t end) {
  window->start = start;
  window->span = end - start - 7;
}

static uint64_t window_end(const struct prof_window *window) {
  return window->span ? window->start + window->span + 7 : 0;
}

/* An address in the highest page of the stack that the kernel (main thread: the random bytes above
 * the environment) or glibc (others: the thread's control block is on top of its stack) gave. */
static uint64_t find_home_top(void) {
  uint64_t thread_pointer;
  if (prof_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0) == prof_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0))
    return getauxval(AT_RANDOM);
#if defined(__x86_64__)
  __asm__("movq %%fs:0, %0" : "=r"(thread_pointer));
#else
  __asm__("mrs %0, tpidr_el0" : "=r"(thread_pointer));
#endif
  return thread_pointer;
}

void prof_memory_begin(struct prof_memory *self, uint64_t stack_pointer) {
  uint64_t page = page_of(stack_pointer);
  if (!self->is_live)
    return;
  if (!self->home_top)
    self->home_top = find_home_top();
  if (++self->walk == PAGE) {
    memset(self->code_pages, 0, sizeof self->code_pages);
    self->walk = 1;
  }
  self->window[0].span = self->window[1].span = 0;
  if (page >= self->home_start && page < self->home_end)
    set_window(&self->window[0], page, self->home_end);
}

/* How far up from `from` pages are readable, up to and with the one at `last`. */
static uint64_t readable_up_to(struct prof_memory *self, uint64_t from, uint64_t last) {
  while (from <= last && probe(self, from))
    from += PAGE;
  return from;
}

/* The window reaches into the stack's last pages: the rest (thread-local storage, arguments and
 * environment), which no walk reads, is climbed once. A guard page in between says that the window
 * is on another stack. */
static void remember_home(struct prof_memory *self) {
  uint64_t start = self->window[0].start, end = window_end(&self->window[0]);
  uint64_t top = page_of(self->home_top);
  if (!self->home_end && top >= end && top - end < GROW_PAGES * PAGE && self->climbs < CLIMBS) {
    self->climbs++;
    end = readable_up_to(self, end, top);
  }
  if (top < start || top >= end)
    return;
  if (!self->home_end || start < self->home_start)
    self->home_start = start;
  if (end > self->home_end)
    self->home_end = end;
}

/* Up to and with the page at last. What was readable before a page that is not stays. */
static bool grow(struct prof_memory *self, uint64_t last) {
  struct prof_window *window = &self->window[0];
  uint64_t end = window_end(window);
  bool ok = true;
  while (ok && end <= last) {
    if (end == self->home_start && self->home_end)
      end = self->home_end;
    else if ((ok = probe(self, end)))
      end += PAGE;
  }
  set_window(window, window->start, end);
  remember_home(self);
  return ok;
}

/* Whether pages that a walk skips are worth asking for: those of the thread's own stack are known
 * from then on. Large frames on other stacks have many that nobody reads. */
static bool leads_home(const struct prof_memory *self, uint64_t end) {
  uint64_t home = self->home_end ? self->home_start : self->home_top;
  return home >= end && home - end < GROW_PAGES * PAGE;
}

bool prof_memory_reach(struct prof_memory *self, uint64_t address) {
  struct prof_window *window = self->window;
  uint64_t page = page_of(address), last = page_of(address + 7), end;
  if (!self->is_live && self->fetch)
    return self->fetch(self, address);
  if (!self->is_live || address < PROF_PROBE_LOWEST || address >= PROF_PROBE_HIGHEST)
    return false;
  if (address - window[1].start < window[1].span) {
    struct prof_window other = window[1];
    window[1] = window[0];
    window[0] = other;
    return true;
  }
  end = window_end(&window[0]);
  if (end && address >= window[0].start && last - end < GROW_PAGES * PAGE &&
      (page <= end || leads_home(self, end)))
    return grow(self, last);
  if (page >= self->home_start && last < self->home_end) {
    window[1] = window[0];
    set_window(&window[0], page, self->home_end);
    return true;
  }
  if (!probe(self, page) || (last != page && !probe(self, last)))
    return false;
  window[1] = window[0];
  set_window(&window[0], page, last + PAGE);
  remember_home(self);
  return true;
}

bool prof_memory_code(struct prof_memory *self, uint64_t address, uint8_t *out, unsigned count) {
  uint64_t page = page_of(address), last = page_of(address + count - 1);
  if (!self->has_code || address < PROF_PROBE_LOWEST || address >= PROF_PROBE_HIGHEST)
    return false;
  if (self->code)
    return self->code(self->code_user, address, out, count);
  for (; page <= last; page += PAGE) {
    uint64_t *known = &self->code_pages[page / PAGE % 64];
    if (*known == (page | self->walk))
      continue;
    if (!probe(self, page))
      return false;
    *known = page | self->walk;
  }
  prof_probe_copy(address, out, count);
  return true;
}
