/*
 * sleds: an addon of functions with XRay sleds, and threads that run through them: built with
 * clang -fxray-instrument. By Node-API: run(calls) gives ns of CPU time; mixed(); start() and end()
 * of eight threads; with WITH_RUST and sleds.rs, rust().
 */
#include <node_api.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define SLED __attribute__((noinline, xray_always_instrument))
#define PLAIN __attribute__((noinline, xray_never_instrument))

SLED int sled_leaf(int x) {
  __asm__ volatile("" ::: "memory");
  return x + 1;
}

/* At -O2 a jump. */
SLED int sled_tail(int x) {
  return sled_leaf(x * 2);
}

SLED int sled_fib(int n) {
  if (n < 2)
    return n;
  int one = sled_fib(n - 1), two = sled_fib(n - 2);
  __asm__ volatile("" ::: "memory");
  return one + two;
}

/* Every register that may carry an argument or a result. */
SLED double sled_many(long a, long b, long c, long d, long e, long f, double g, double h, double i,
                      double j, double k, double l, double m, double n) {
  __asm__ volatile("" ::: "memory");
  return (double)(a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f) + g + 2 * h + 3 * i + 4 * j + 5 * k +
         6 * l + 7 * m + 8 * n;
}

SLED __int128 sled_wide(int64_t high, uint64_t low) {
  __asm__ volatile("" ::: "memory");
  return (__int128)(((unsigned __int128)high << 64) | low);
}

PLAIN static int check(void) {
  double many = sled_many(1, 2, 3, 4, 5, 6, .5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5);
  __int128 wide = sled_wide(-7, 11);
  return many == 91 + .5 + 3 + 7.5 + 14 + 22.5 + 33 + 45.5 + 60 && (int64_t)(wide >> 64) == -7 &&
         (uint64_t)wide == 11;
}

static atomic_int stop, wrong;

PLAIN static void *through(void *unused) {
  while (!atomic_load(&stop))
    if (!check() || sled_tail(20) != 41 || sled_fib(5) != 5)
      atomic_fetch_add(&wrong, 1);
  return unused;
}

static pthread_t threads[8];

PLAIN static napi_value number(napi_env env, int32_t value) {
  napi_value result;
  napi_create_int32(env, value, &result);
  return result;
}

PLAIN static napi_value run(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  int32_t calls = 0, x = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  napi_get_value_int32(env, argument, &calls);
  struct timespec a, b;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
  for (int32_t i = 0; i < calls; i++)
    x = sled_leaf(x);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
  double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
  napi_create_double(env, x == calls ? ns : -1, &argument);
  return argument;
}

PLAIN static napi_value mixed(napi_env env, napi_callback_info info) {
  int32_t sum = sled_fib(10);
  (void)info;
  for (int i = 0; i < 100; i++)
    sum += sled_tail(i);
  return number(env, check() ? sum : -1);
}

PLAIN static napi_value start(napi_env env, napi_callback_info info) {
  (void)info;
  atomic_store(&stop, 0);
  for (int i = 0; i < 8; i++)
    pthread_create(&threads[i], NULL, through, NULL);
  return number(env, 8);
}

PLAIN static napi_value end(napi_env env, napi_callback_info info) {
  (void)info;
  atomic_store(&stop, 1);
  for (int i = 0; i < 8; i++)
    pthread_join(threads[i], NULL);
  return number(env, atomic_load(&wrong));
}

#ifdef WITH_RUST
uint64_t sled_rust(uint64_t count);

PLAIN static napi_value rust(napi_env env, napi_callback_info info) {
  (void)info;
  return number(env, (int32_t)sled_rust(10));
}
#endif

PLAIN napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"run", run},
#ifdef WITH_RUST
                   {"rust", rust},
#endif
                   {"mixed", mixed},
                   {"start", start},
                   {"end", end}};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL,
                         &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
