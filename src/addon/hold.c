#include "addon/hold.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

static uv_signal_t handle;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uv_loop_t *loop; /* for the once function */

/* Somebody sent a SIGTRAP. If nobody but us listens, do what it does to a process that does not. */
static void on_sigtrap(uv_signal_t *self, int number) {
  struct sigaction action;
  uv_signal_stop(self); /* the last listener's end puts the default action back */
  if (sigaction(SIGTRAP, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
    kill(getpid(), number);
  }
  uv_signal_start(self, on_sigtrap, SIGTRAP);
}

static void hold(void) {
  if (uv_signal_init(loop, &handle))
    return;
  if (uv_signal_start(&handle, on_sigtrap, SIGTRAP))
    return;
  uv_unref((uv_handle_t *)&handle);
}

void prof_hold_sigtrap(napi_env env) {
  /* A worker's loop ends before the process does; one that nobody runs holds the signal as well,
   * only without the default action. */
  bool is_main = syscall(SYS_gettid) == getpid();
  if (is_main) {
    if (napi_get_uv_event_loop(env, &loop) != napi_ok)
      return;
  } else {
    static uv_loop_t idle;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool is_ready;
    pthread_mutex_lock(&lock);
    if (!is_ready)
      is_ready = uv_loop_init(&idle) == 0;
    pthread_mutex_unlock(&lock);
    if (!is_ready)
      return;
    loop = &idle;
  }
  pthread_once(&once, hold);
}
