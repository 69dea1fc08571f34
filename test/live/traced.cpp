/*
 * traced: a program whose calls are known to the last one, for function tracing: `traced MODE`.
 *
 *   calls    recursion, tail calls, exceptions, longjmp, a thread that ends in the middle, calls
 *            that never return; prints what it did and exits with 7
 *   loop N   N calls of a function in a loop
 *   threads N  8 threads, each with N calls
 *   jumps N  N times a switch by a table, and tail calls through a virtual table and a pointer
 *   spin     calls for ten seconds, or until it is killed
 */
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <pthread.h>
#include <unistd.h>

#define TRACED extern "C" __attribute__((noinline, noclone))

TRACED int traced_fib(int n) {
  if (n < 2)
    return n;
  int one = traced_fib(n - 1), two = traced_fib(n - 2);
  __asm__ volatile("" ::: "memory"); /* or half of the calls become a loop */
  return one + two;
}

TRACED int traced_leaf(int x) {
  __asm__ volatile("" ::: "memory");
  return x + 1;
}

/* Compiled with -O2, the call at the end is a jump. */
TRACED int traced_tail(int x) {
  __asm__ volatile("" ::: "memory");
  return traced_leaf(x * 2);
}

TRACED int traced_thrower(int x) {
  if (x % 2)
    throw x;
  return x;
}

TRACED int traced_passed(int x) {
  int got = traced_thrower(x);
  __asm__ volatile("" ::: "memory");
  return got + 1;
}

TRACED int traced_catcher(int x) {
  try {
    return traced_passed(x);
  } catch (int caught) {
    return -caught;
  }
}

static jmp_buf place;
static volatile int bottom;

TRACED void traced_jumper(int depth) {
  if (depth == bottom)
    longjmp(place, 1);
  else if (depth > bottom)
    traced_jumper(depth - 1);
  __asm__ volatile("" ::: "memory");
}

TRACED int traced_lander(void) {
  if (setjmp(place))
    return 1;
  traced_jumper(3);
  return 0;
}

TRACED void *traced_thread(void *unused) {
  traced_leaf(1);
  pthread_exit(unused);
}

TRACED void traced_last(void) {
  std::printf("done\n");
  std::fflush(stdout);
  _exit(7);
}

/* Dense enough for a table of jumps (gcc 12, -O1 -fPIC: movslq, add, jmp *%reg). */
TRACED int traced_switch(int x) {
  switch (x % 8) {
  case 0:
    return traced_leaf(x);
  case 1:
    __asm__ volatile("" ::: "memory");
    return x * 3;
  case 2:
    return traced_leaf(x) + x;
  case 3:
    return 17 - x;
  case 4:
    return traced_leaf(x * 5);
  case 5:
    return x / 7;
  case 6:
    return x ^ 0x55;
  default:
    return traced_leaf(x) ^ x;
  }
}

struct Shape {
  virtual int area(int x) = 0;
  virtual ~Shape() = default;
};

struct Square : Shape {
  __attribute__((noinline)) int area(int x) override {
    return traced_leaf(x) * x;
  }
};

static Square square;
static Shape *volatile shape = &square;
static int (*volatile by_pointer)(int) = traced_leaf;

/* jmp *(%rax) */
TRACED int traced_virtual(Shape *one, int x) {
  __asm__ volatile("" ::: "memory");
  return one->area(x);
}

/* jmp *%rax */
TRACED int traced_pointer(int x) {
  int (*call)(int) = by_pointer;
  __asm__ volatile("" ::: "memory");
  return call(x + 1);
}

TRACED int traced_jumps(long times) {
  int sum = 0;
  for (int i = 0; i < times; i++)
    sum += traced_switch(i) + traced_virtual(shape, i) + traced_pointer(i);
  return sum;
}

static void calls() {
  int sum = traced_fib(10), caught = 0;
  for (int i = 0; i < 100; i++)
    sum += traced_tail(i);
  for (int i = 0; i < 10; i++)
    caught += traced_catcher(i) < 0;
  int landed = traced_lander();
  pthread_t thread;
  pthread_create(&thread, nullptr, traced_thread, nullptr);
  pthread_join(thread, nullptr);
  std::printf("sum %d caught %d landed %d\n", sum, caught, landed);
  traced_last();
}

static void *many(void *count) {
  int x = 0;
  for (long i = 0; i < reinterpret_cast<long>(count); i++)
    x = traced_leaf(x);
  return nullptr;
}

int main(int count, char **words) {
  const char *mode = count > 1 ? words[1] : "";
  long n = count > 2 ? std::atol(words[2]) : 0;
  if (std::strcmp(mode, "calls") == 0) {
    calls();
  } else if (std::strcmp(mode, "loop") == 0) {
    many(reinterpret_cast<void *>(n));
  } else if (std::strcmp(mode, "jumps") == 0) {
    std::printf("%d\n", traced_jumps(n));
  } else if (std::strcmp(mode, "threads") == 0) {
    pthread_t threads[8];
    for (pthread_t &thread : threads)
      pthread_create(&thread, nullptr, many, reinterpret_cast<void *>(n));
    for (pthread_t &thread : threads)
      pthread_join(thread, nullptr);
  } else if (std::strcmp(mode, "spin") == 0) {
    for (time_t end = std::time(nullptr) + 10; std::time(nullptr) < end;)
      many(reinterpret_cast<void *>(1000));
  } else {
    return 2;
  }
  return 0;
}
