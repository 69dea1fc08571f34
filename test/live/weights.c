/*
 * weights: a node addon that burns CPU time in known shares, and tells the truth about it.
 *
 * Each function returns what it used, by the kernel's own account of the thread's CPU time
 * (CLOCK_THREAD_CPUTIME_ID, nanoseconds; user and system time by getrusage), so that a profile
 * taken meanwhile can be compared. The functions' names are what the tests look for. Refuses: more
 * than 64 threads at once.
 */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <node_api.h>

#define NOINLINE __attribute__((noinline, noclone))
enum { THREADS_MAX = 64, NS_PER_MS = 1000000 };

static uint64_t cpu_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* About 10 us of arithmetic that no compiler can leave out. */
static inline void spin(void) {
  for (volatile int i = 0; i < 8000; i++)
    ;
}

/* The body is inlined into each: the samples are the named function's own. */
#define BURN(name)                                                                                 \
  static NOINLINE uint64_t name(uint64_t ns) {                                                     \
    uint64_t start = cpu_ns(), now = start;                                                        \
    while (now - start < ns) {                                                                     \
      spin();                                                                                      \
      now = cpu_ns();                                                                              \
    }                                                                                              \
    return now - start;                                                                            \
  }
BURN(weights_burn_a)
BURN(weights_burn_b)
BURN(weights_burn_c)
BURN(weights_burn_short)

static uint64_t (*const burns[3])(uint64_t) = {weights_burn_a, weights_burn_b, weights_burn_c};

/* Nearly all of it in the kernel: clearing pages for /dev/zero's readers. */
static NOINLINE uint64_t weights_burn_kernel(uint64_t ns) {
  static unsigned char bytes[1 << 18];
  int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
  uint64_t start = cpu_ns(), now = start;
  while (now - start < ns) {
    if (read(fd, bytes, sizeof bytes) < 0)
      break;
    now = cpu_ns();
  }
  close(fd);
  return now - start;
}

/* ---- threads */

struct share {
  pthread_t thread;
  char name[16];
  uint64_t ns, used_ns;
};

static void *run_share(void *argument) {
  struct share *share = argument;
  pthread_setname_np(pthread_self(), share->name);
  share->used_ns = weights_burn_a(share->ns);
  return NULL;
}

static void *run_short(void *argument) {
  struct share *share = argument;
  weights_burn_short(share->ns);
  share->used_ns = cpu_ns(); /* from the thread's birth */
  return NULL;
}

/* ---- counting: an event of the same kind that only counts, on this thread and all it makes */

static int counter_open(uint64_t type, uint64_t config) {
  struct perf_event_attr attr = {.size = sizeof attr,
                                 .type = (uint32_t)type,
                                 .config = config,
                                 .inherit = 1,
                                 .inherit_thread = 1};
  return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* ---- for JavaScript */

static double number_at(napi_env env, napi_value array, uint32_t index) {
  napi_value value;
  double number = 0;
  if (napi_get_element(env, array, index, &value) == napi_ok)
    napi_get_value_double(env, value, &number);
  return number;
}

static napi_value array_of(napi_env env, const double *numbers, uint32_t count) {
  napi_value array, value;
  napi_create_array(env, &array);
  for (uint32_t i = 0; i < count; i++) {
    napi_create_double(env, numbers[i], &value);
    napi_set_element(env, array, i, value);
  }
  return array;
}

static void arguments(napi_env env, napi_callback_info info, napi_value *values, size_t count) {
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
}

/* functions([ms, ms, ms], slices) -> [ns, ns, ns] used by weights_burn_a, _b, _c, in turns. */
static napi_value functions(napi_env env, napi_callback_info info) {
  napi_value values[2];
  double used[3] = {0}, slices = 1;
  arguments(env, info, values, 2);
  napi_get_value_double(env, values[1], &slices);
  for (int slice = 0; slice < (int)slices; slice++)
    for (uint32_t i = 0; i < 3; i++)
      used[i] += (double)burns[i]((uint64_t)(number_at(env, values[0], i) * NS_PER_MS / slices));
  return array_of(env, used, 3);
}

/* threads([ms, ...]) -> [ns, ...]: threads "share-0", "share-1", ... at the same time. */
static napi_value threads(napi_env env, napi_callback_info info) {
  static struct share shares[THREADS_MAX];
  napi_value values[1];
  double used[THREADS_MAX];
  uint32_t count = 0;
  arguments(env, info, values, 1);
  napi_get_array_length(env, values[0], &count);
  if (count > THREADS_MAX)
    count = THREADS_MAX;
  for (uint32_t i = 0; i < count; i++) {
    shares[i].ns = (uint64_t)(number_at(env, values[0], i) * NS_PER_MS);
    shares[i].name[0] = 0;
    memcpy(shares[i].name, "share-", 6);
    shares[i].name[6] = (char)('0' + i % 10);
    pthread_create(&shares[i].thread, NULL, run_share, &shares[i]);
  }
  for (uint32_t i = 0; i < count; i++) {
    pthread_join(shares[i].thread, NULL);
    used[i] = (double)shares[i].used_ns;
  }
  return array_of(env, used, count);
}

/* shortThreads(count, ms) -> [ns of the threads from birth to their last line, ns of this thread
 * in weights_burn_b meanwhile]: one thread after the other, 1 to 5 ms each. */
static napi_value short_threads(napi_env env, napi_callback_info info) {
  napi_value values[1];
  double count = 0, used[2] = {0};
  arguments(env, info, values, 1);
  napi_get_value_double(env, values[0], &count);
  for (int i = 0; i < (int)count; i++) {
    struct share share = {.ns = (uint64_t)(1 + i % 5) * NS_PER_MS};
    if (pthread_create(&share.thread, NULL, run_short, &share))
      break;
    used[1] += (double)weights_burn_b(NS_PER_MS);
    pthread_join(share.thread, NULL);
    used[0] += (double)share.used_ns;
  }
  return array_of(env, used, 2);
}

/* kernel(ms user, ms kernel) -> [ns in weights_burn_a, ns in weights_burn_kernel, ns of system
 * time in all, ns of user time in all]. */
static napi_value kernel(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct rusage before, after;
  double used[4] = {0};
  arguments(env, info, values, 1);
  getrusage(RUSAGE_THREAD, &before);
  for (int slice = 0; slice < 20; slice++) {
    used[0] += (double)weights_burn_a((uint64_t)(number_at(env, values[0], 0) * NS_PER_MS / 20));
    used[1] +=
        (double)weights_burn_kernel((uint64_t)(number_at(env, values[0], 1) * NS_PER_MS / 20));
  }
  getrusage(RUSAGE_THREAD, &after);
  used[2] = (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e9 +
            (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) * 1e3;
  used[3] = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1e9 +
            (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) * 1e3;
  return array_of(env, used, 4);
}

/* counter(type, config) -> descriptor, or -1; count(descriptor) -> its value, and closes it. */
static napi_value counter(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  double type = 0, config = 0;
  arguments(env, info, values, 2);
  napi_get_value_double(env, values[0], &type);
  napi_get_value_double(env, values[1], &config);
  napi_create_int32(env, counter_open((uint64_t)type, (uint64_t)config), &result);
  return result;
}

static napi_value count(napi_env env, napi_callback_info info) {
  napi_value values[1], result;
  int32_t fd = -1;
  uint64_t value = 0;
  arguments(env, info, values, 1);
  napi_get_value_int32(env, values[0], &fd);
  ssize_t got = read(fd, &value, sizeof value);
  close(fd);
  napi_create_double(env, got == sizeof value ? (double)value : -1, &result);
  return result;
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback call;
  } all[] = {{"functions", functions}, {"threads", threads}, {"shortThreads", short_threads},
             {"kernel", kernel},       {"counter", counter}, {"count", count}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    napi_value function;
    napi_create_function(env, all[i].name, NAPI_AUTO_LENGTH, all[i].call, NULL, &function);
    napi_set_named_property(env, exports, all[i].name, function);
  }
  return exports;
}
