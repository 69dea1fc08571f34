/*
 * The names that Debian's libstdc++ and libgcc (gcc 12, for glibc) ask for and musl 1.2.3 has not,
 * and the one of a newer libstdc++ that node 26 asks for: with it before them, programs for musl
 * run that want Alpine's libstdc++. For tests: destructors of threads are not called, and there is
 * one thread as far as libstdc++ knows (it takes the slower, safe way then). musl-gcc -shared -fPIC
 * -o ld-linux-x86-64.so.2 names.c   which is what libstdc++ asks for
 */
#define _GNU_SOURCE
#include <link.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded; /* 0: there may be several */
unsigned __cpu_model[16];    /* libgcc: no features, the plain code */

int __cpu_indicator_init(void) {
  return 0;
}

uint32_t arc4random(void) {
  uint32_t value = 0;
  return getrandom(&value, sizeof value, 0) == sizeof value ? value : 0;
}

size_t __strftime_l(char *text, size_t size, const char *format, const struct tm *time,
                    locale_t locale) {
  return strftime_l(text, size, format, time, locale);
}

int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *library) {
  (void)destroy, (void)object, (void)library;
  return 0;
}

/* glibc 2.35, bits/dl_find_object.h, x86_64. */
struct found {
  unsigned long long flags;
  void *start, *end, *map, *eh_frame_hdr;
  unsigned long long reserved[7];
};

struct search {
  uintptr_t address;
  struct found *found;
};

static int visit(struct dl_phdr_info *object, size_t size, void *user) {
  struct search *search = user;
  uintptr_t low = UINTPTR_MAX, high = 0, header = 0;
  (void)size;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    uintptr_t start = object->dlpi_addr + segment->p_vaddr;
    if (segment->p_type == PT_GNU_EH_FRAME)
      header = start;
    if (segment->p_type != PT_LOAD)
      continue;
    low = start < low ? start : low;
    high = start + segment->p_memsz > high ? start + segment->p_memsz : high;
  }
  if (search->address < low || search->address >= high || !header)
    return 0;
  *search->found =
      (struct found){.start = (void *)low, .end = (void *)high, .eh_frame_hdr = (void *)header};
  return 1;
}

int _dl_find_object(void *address, struct found *found) {
  struct search search = {(uintptr_t)address, found};
  return dl_iterate_phdr(visit, &search) ? 0 : -1;
}

/* std::string::_M_replace_cold of libstdc++ 14: len1 bytes at `at` become those at `text`, which
 * may lie in the same string; `rest` bytes follow. */
void _ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE15_M_replace_coldEPcmPKcmm(
    void *string, char *at, size_t len1, const char *text, size_t len2, size_t rest) {
  char *copy = malloc(len2 + 1);
  (void)string;
  if (!copy)
    abort();
  memcpy(copy, text, len2);
  memmove(at + len2, at + len1, rest);
  memcpy(at, copy, len2);
  free(copy);
}
