/*
 * waits: a node addon whose threads wait in known ways for known times, and tell the truth about
 * it.
 *
 * waits(rounds, ms) -> { name: [waited ns, wall ns], ... }: threads "waits-sleep" (nanosleep),
 * "waits-lock" (a mutex that another holds), "waits-read" (a pipe that another writes to late) and
 * "waits-burn" (never waits). Each measures its own calls by CLOCK_MONOTONIC and counts the calls
 * that were cut short: result.errors, which a profiler must not raise.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <node_api.h>

#define NOINLINE __attribute__((noinline, noclone))
enum { NS_PER_MS = 1000000, KINDS = 4 };

static int rounds;
static long wait_ns;
static _Atomic int errors;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t held, tried;
static int pipe_fds[2];

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void pause_ns(long ns) {
  struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
  if (nanosleep(&time, NULL))
    errors++;
}

NOINLINE void waits_sleep(void) {
  pause_ns(wait_ns);
}

NOINLINE void waits_lock(void) {
  pthread_mutex_lock(&mutex);
  pthread_mutex_unlock(&mutex);
}

NOINLINE void waits_read(void) {
  char byte;
  if (read(pipe_fds[0], &byte, 1) != 1)
    errors++;
}

NOINLINE void waits_burn(void) {
  uint64_t start = now_ns();
  while (now_ns() - start < (uint64_t)wait_ns)
    ;
}

struct kind {
  const char *name;
  void (*wait)(void);
  pthread_t thread;
  uint64_t waited_ns, wall_ns;
};

static struct kind kinds[KINDS] = {{.name = "waits-sleep", .wait = waits_sleep},
                                   {.name = "waits-lock", .wait = waits_lock},
                                   {.name = "waits-read", .wait = waits_read},
                                   {.name = "waits-burn", .wait = waits_burn}};

static void *run_kind(void *argument) {
  struct kind *kind = argument;
  pthread_setname_np(pthread_self(), kind->name);
  uint64_t start = now_ns();
  kind->waited_ns = 0;
  for (int i = 0; i < rounds; i++) {
    if (kind->wait == waits_lock)
      while (sem_wait(&held))
        ;
    uint64_t before = now_ns();
    kind->wait();
    kind->waited_ns += now_ns() - before;
    if (kind->wait == waits_lock)
      sem_post(&tried);
  }
  kind->wall_ns = now_ns() - start;
  return NULL;
}

static void *hold(void *unused) {
  (void)unused;
  for (int i = 0; i < rounds; i++) {
    pthread_mutex_lock(&mutex);
    sem_post(&held);
    pause_ns(wait_ns);
    pthread_mutex_unlock(&mutex);
    while (sem_wait(&tried))
      ;
  }
  return NULL;
}

static void *write_late(void *unused) {
  (void)unused;
  for (int i = 0; i < rounds; i++) {
    pause_ns(wait_ns);
    if (write(pipe_fds[1], "x", 1) != 1)
      errors++;
  }
  return NULL;
}

static void set(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

static napi_value waits(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  size_t count = 2;
  double round_count = 1, ms = 1;
  pthread_t helpers[2];
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_double(env, values[0], &round_count);
  napi_get_value_double(env, values[1], &ms);
  rounds = (int)round_count;
  wait_ns = (long)(ms * NS_PER_MS);
  errors = 0;
  sem_init(&held, 0, 0);
  sem_init(&tried, 0, 0);
  napi_create_object(env, &result);
  if (pipe(pipe_fds))
    return result;
  pthread_create(&helpers[0], NULL, hold, NULL);
  pthread_create(&helpers[1], NULL, write_late, NULL);
  for (int i = 0; i < KINDS; i++)
    pthread_create(&kinds[i].thread, NULL, run_kind, &kinds[i]);
  for (int i = 0; i < KINDS; i++)
    pthread_join(kinds[i].thread, NULL);
  for (int i = 0; i < 2; i++)
    pthread_join(helpers[i], NULL);
  for (int i = 0; i < KINDS; i++) {
    napi_value pair;
    napi_create_object(env, &pair);
    set(env, pair, "waitedNs", (double)kinds[i].waited_ns);
    set(env, pair, "wallNs", (double)kinds[i].wall_ns);
    napi_set_named_property(env, result, kinds[i].name, pair);
  }
  set(env, result, "errors", errors);
  close(pipe_fds[0]);
  close(pipe_fds[1]);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "waits", NAPI_AUTO_LENGTH, waits, NULL, &function);
  napi_set_named_property(env, exports, "waits", function);
  return exports;
}
