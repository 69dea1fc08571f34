/* Loaded and closed while every instruction is stepped. */
#include <string.h>

int plugin_work(int (*back)(int), int n);

__attribute__((constructor)) static void born(void) {
  static volatile int count;
  count++;
}

static __attribute__((noinline)) int inner(int (*back)(int), int n) {
  char local[24];
  memset(local, n, sizeof local);
  return back(n) + local[5];
}

int plugin_work(int (*back)(int), int n) {
  return n == 0 ? inner(back, 4) : plugin_work(back, n - 1) + 1;
}
