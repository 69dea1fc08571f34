/* What compilers make of calls: built once for each set of flags, FLAVOUR being part of the name.
 * Every function is called with stepping on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NOINLINE __attribute__((noinline, noclone))

int JOIN(fixture, FLAVOUR)(int rounds);

static volatile int sink;
static jmp_buf place;

/* Depths that change fast: every call of it returns after a tree of others. */
static NOINLINE int tree(int depth, int seed) {
  char local[32];
  memset(local, seed, sizeof local);
  if (depth == 0)
    return local[seed & 31];
  return tree(depth - 1, seed * 3) + (seed & 1 ? tree(depth / 2, seed) : 1);
}

static NOINLINE int deep(int depth) {
  int below = depth ? deep(depth - 1) : 0;
  sink = below;
  return below + 1;
}

static NOINLINE int odd(int n, int sum);
static NOINLINE int even(int n, int sum) {
  return n == 0 ? sum : odd(n - 1, sum + 1);
}
static NOINLINE int odd(int n, int sum) {
  return n == 0 ? -sum : even(n - 1, sum + 2);
}

static NOINLINE int many(int a, int b, int c, int d, int e, int f, int g, int h, ...) {
  va_list list;
  va_start(list, h);
  int sum = a + b + c + d + e + f + g + h + va_arg(list, int);
  va_end(list);
  return sum;
}

/* gcc realigns the stack here, and keeps the CFA in memory. */
static NOINLINE int aligned(int n) {
  _Alignas(64) volatile char block[128];
  char *room = __builtin_alloca((size_t)n + 1);
  memset(room, n, (size_t)n + 1);
  block[n & 127] = room[n];
  return block[n & 127] + tree(2, n);
}

static int by_number(const void *left, const void *right) {
  return *(const int *)left - *(const int *)right;
}

/* The call is the function's last instruction: the return address is behind its end. */
static NOINLINE _Noreturn void leave(int value) {
  longjmp(place, value);
}
static NOINLINE _Noreturn void fail(int value) {
  sink = value;
  leave(value | 1);
}
static NOINLINE int escape(int depth) {
  char local[48];
  memset(local, depth, sizeof local);
  if (depth == 0)
    fail(local[3]);
  return escape(depth - 1) + local[depth];
}

static NOINLINE int libc(int n) {
  static char from[700], into[700];
  char text[64];
  int numbers[24];
  struct timespec now;
  for (int i = 0; i < 24; i++)
    numbers[i] = (i * 7919 + n) % 31;
  qsort(numbers, 24, sizeof *numbers, by_number);
  for (size_t size = 0; size < 600; size = size * 3 / 2 + 1) {
    memset(from, n + 1, size);
    memcpy(into + 3, from, size);
    memmove(into + 1, into, size);
    from[size] = 0;
    sink = memchr(from, 0, size + 1) != NULL;
    sink = (int)strlen(from) + memcmp(from, into, size) + (strchr(from, 'x') != NULL);
  }
  clock_gettime(CLOCK_MONOTONIC, &now); /* vdso */
  sink = (int)time(NULL);
  free(calloc((size_t)n + 1, 10));
  return snprintf(text, sizeof text, "%d %g %s", n, n * 0.1, "text") + numbers[3];
}

int JOIN(fixture, FLAVOUR)(int rounds) {
  int sum = 0;
  for (int i = 0; i < rounds; i++) {
    sum += tree(7, i * 2 + 1) + even(9, i) + many(1, 2, 3, 4, 5, 6, 7, 8, i) + aligned(i);
    sum += deep(i * 40) + libc(i);
    if (!setjmp(place))
      sum += escape(5);
  }
  return sum;
}
