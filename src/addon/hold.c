#include "addon/hold.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

static uv_signal_t handle;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool is_held; /* under lock */

/* Somebody sent a SIGTRAP. If nobody but us listens, do what it does to a process that does not. */
static void on_sigtrap(uv_signal_t *self, int number) {
  struct sigaction action;
  uv_signal_stop(self); /* the last listener's end puts the default action back */
  if (sigaction(SIGTRAP, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
    kill(getpid(), number);
  }
  uv_signal_start(self, on_sigtrap, SIGTRAP);
}

static bool hold(uv_loop_t *loop) {
  if (uv_signal_init(loop, &handle) || uv_signal_start(&handle, on_sigtrap, SIGTRAP))
    return false;
  uv_unref((uv_handle_t *)&handle);
  return true;
}

void prof_hold_sigtrap(napi_env env) {
  /* A worker's loop ends before the process does; one that nobody runs holds the signal as well,
   * only without the default action. */
  static uv_loop_t idle;
  uv_loop_t *loop = &idle;
  bool is_main = syscall(SYS_gettid) == getpid();
  pthread_mutex_lock(&lock);
  if (!is_held) {
    bool has_loop =
        is_main ? napi_get_uv_event_loop(env, &loop) == napi_ok : uv_loop_init(&idle) == 0;
    is_held = has_loop && hold(loop);
  }
  pthread_mutex_unlock(&lock);
}
