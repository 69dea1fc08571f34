#include "session/session.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "perf/extras.h"
#include "perf/switches.h"
#include "session/recording.h"

/* docs/decisions/002 has the figures. */
enum {
  DRAIN_MS = 50,
  DRAIN_TIMERS_MS = 20, /* without perf events a new thread is seen by looking for it */
};

enum command { COMMAND_DUMP, COMMAND_FORGET, COMMAND_STOP, COMMAND_DISCARD };

struct request {
  enum command command;
  prof_session_done *done;
  void *user;
  uint64_t asked_ns;
  uint64_t before_ns; /* COMMAND_FORGET */
  struct request *next;
};

struct prof_session {
  struct prof_session_options options;
  struct prof_recording recording;
  uv_loop_t loop;
  uv_timer_t timer;
  uv_async_t control;
  uv_poll_t *polls; /* one for each ring */
  uv_mutex_t lock;
  struct request *first; /* under lock */
  struct request ending; /* of the last request, which must not fail for want of memory */
  uv_sem_t started;
  int status;
  struct prof_error *error; /* the starter's, until started */
};

static atomic_flag is_running = ATOMIC_FLAG_INIT;

static void on_timer(uv_timer_t *timer) {
  struct prof_session *self = timer->data;
  prof_recording_drain(&self->recording);
}

static void on_ring(uv_poll_t *poll, int status, int events) {
  struct prof_session *self = poll->data;
  /* All events of the ring are gone (their threads ended): it would report that for ever. */
  if (status < 0 || events & UV_DISCONNECT)
    uv_poll_stop(poll);
  if (self->recording.options.plan.stack_dump) /* at each sample; the timer does the rest */
    prof_recording_take(&self->recording);
  else
    prof_recording_drain(&self->recording);
}

static void close_handle(uv_handle_t *handle, void *user) {
  (void)user;
  if (!uv_is_closing(handle))
    uv_close(handle, NULL);
}

static struct prof_result *build_result(struct prof_session *self, uint64_t asked_ns) {
  struct prof_result *result = prof_result_build(&self->recording);
  if (result) {
    result->quality.finish_ms = (double)(uv_hrtime() - asked_ns) / 1e6;
    result->quality.cpu_ms = (double)prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1e6;
    if (!result->end_ns)
      result->end_ns = uv_hrtime();
  }
  return result;
}

static void serve(struct prof_session *self, struct request *request) {
  if (request->command == COMMAND_DUMP) {
    prof_recording_drain(&self->recording);
    request->done(request->user, build_result(self, request->asked_ns));
    return;
  }
  if (request->command == COMMAND_FORGET) {
    if (self->recording.journal.fd >= 0)
      prof_journal_flush(&self->recording);
    prof_samples_forget(&self->recording.samples, request->before_ns);
    prof_journal_forgot(&self->recording);
    return;
  }
  prof_recording_finish(&self->recording);
  struct prof_result *result = NULL;
  if (request->command == COMMAND_STOP)
    result = build_result(self, request->asked_ns);
  if (request->command == COMMAND_DISCARD)
    prof_journal_remove(&self->recording.journal);
  uv_walk(&self->loop, close_handle, NULL);
  /* From here on a new session may start; what is left of this one is only put away. */
  atomic_flag_clear(&is_running);
  request->done(request->user, result);
}

static struct request *next_request(struct prof_session *self) {
  uv_mutex_lock(&self->lock);
  struct request *request = self->first;
  if (request)
    self->first = request->next;
  uv_mutex_unlock(&self->lock);
  return request;
}

static void on_control(uv_async_t *control) {
  struct prof_session *self = control->data;
  struct request *request = next_request(self);
  if (!request)
    prof_recording_drain(&self->recording); /* a handler has asked for it */
  for (; request; request = next_request(self)) {
    struct request served = *request;
    if (request != &self->ending)
      free(request);
    serve(self, &served);
  }
}

static int open_loop(struct prof_session *self, struct prof_error *error) {
  int failed = uv_loop_init(&self->loop);
  if (!failed)
    failed = uv_async_init(&self->loop, &self->control, on_control);
  if (!failed)
    failed = uv_timer_init(&self->loop, &self->timer);
  if (!failed)
    return PROF_OK;
  return prof_error_set(error, PROF_SYSTEM, -failed, NULL, "the profiler's loop: %s",
                        uv_strerror(failed));
}

/* uv_async_send is async-signal-safe (libuv's documentation). */
static void wake_from_handler(void *user) {
  struct prof_session *self = user;
  uv_async_send(&self->control);
}

static int open_recording(struct prof_session *self, struct prof_error *error) {
  struct prof_recording_options options = {
      .max_words = 2 * self->options.max_frames, /* an interpreted frame takes two */
      .ring_bytes = self->options.ring_bytes,
      .cpus = self->options.cpus,
      .skip_tid = (int)syscall(SYS_gettid),
      .has_jit = self->options.has_jit,
      .bytecode = self->options.bytecode,
      .budget_percent = self->options.budget_percent,
      .memory = self->options.memory,
      .allocations = self->options.allocations,
      .journal = self->options.journal[0] ? self->options.journal : NULL,
      .about = self->options.about,
      .stash = self->options.stash,
      .raw_path = self->options.raw[0] ? self->options.raw : NULL,
      .wake = wake_from_handler,
      .wake_user = self,
  };
  const char *event = self->options.event[0] ? self->options.event : NULL;
  int status =
      prof_extras_choose(&prof_os_real, event, self->options.frequency, self->options.period_events,
                         self->options.call_graph, &options.plan, error);
  if (!status && options.plan.stack_dump && self->options.stack_bytes) {
    options.plan.stack_bytes = self->options.stack_bytes;
  }
  if (!status && self->options.off_cpu)
    status = prof_switches_choose(&prof_os_real, &options.plan, error);
  if (!status && self->options.fault_period)
    prof_extras_prefer_fault_period(&options.plan);
  options.plan.data_maps = options.raw_path != NULL;
  return status ? status : prof_recording_start(&self->recording, &options, error);
}

static void watch_rings(struct prof_session *self) {
  int count =
      self->recording.attach ? prof_attach_ring_count(self->recording.attach) : 0; /* timers */
  self->polls = calloc((size_t)count + 1, sizeof *self->polls);
  for (int i = 0; self->polls && i < count; i++) {
    uv_poll_t *poll = &self->polls[i];
    int fd = prof_attach_ring(self->recording.attach, i)->fd;
    /* A ring that cannot be polled is read by the timer all the same. */
    if (uv_poll_init(&self->loop, poll, fd))
      continue;
    poll->data = self;
    uv_poll_start(poll, UV_READABLE | UV_DISCONNECT, on_ring);
  }
  self->control.data = self->timer.data = self;
  uint64_t drain_ms = self->options.drain_ms   ? self->options.drain_ms
                      : self->recording.timers ? DRAIN_TIMERS_MS
                                               : DRAIN_MS;
  uv_timer_start(&self->timer, on_timer, drain_ms, drain_ms);
}

static void destroy(struct prof_session *self) {
  if (self->recording.is_held)
    return; /* a thread stands in a walk: what it reads stays */
  free(self->polls);
  uv_sem_destroy(&self->started);
  uv_mutex_destroy(&self->lock);
  free(self);
}

static void run(void *argument) {
  struct prof_session *self = argument;
  prctl(PR_SET_NAME, "rspack-prof");
  int status = open_loop(self, self->error);
  if (!status) {
    status = open_recording(self, self->error);
    if (status) {
      uv_walk(&self->loop, close_handle, NULL);
      uv_run(&self->loop, UV_RUN_DEFAULT);
      uv_loop_close(&self->loop);
    }
  }
  if (!status)
    watch_rings(self);
  self->status = status;
  uv_sem_post(&self->started);
  if (status)
    return; /* the starter destroys it */
  uv_run(&self->loop, UV_RUN_DEFAULT);
  uv_loop_close(&self->loop);
  prof_symbols_save(self->recording.symbols); /* nobody waits any more */
  prof_kept_save(&self->recording);
  prof_recording_free(&self->recording);
  destroy(self);
}

/* The profiler's thread takes none of the build's signals. */
static int create_thread(struct prof_session *self) {
  sigset_t all, before;
  uv_thread_t thread;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = uv_thread_create(&thread, run, self);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  /* Nobody waits for its end: closing the events may take long (see prof_recording_free). */
  if (!failed)
    pthread_detach(thread);
  return failed;
}

int prof_session_start(const struct prof_session_options *options, struct prof_session **out,
                       struct prof_error *error) {
  if (atomic_flag_test_and_set(&is_running)) {
    return prof_error_set(error, PROF_BUSY, 0, NULL,
                          "a session runs in this process already: stop it first");
  }
  struct prof_session *self = calloc(1, sizeof *self);
  if (!self) {
    atomic_flag_clear(&is_running);
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for a session");
  }
  self->options = *options;
  self->error = error;
  uv_mutex_init(&self->lock);
  uv_sem_init(&self->started, 0);
  int failed = create_thread(self);
  int status;
  if (failed) {
    status = prof_error_set(error, PROF_SYSTEM, -failed, "pthread_create",
                            "the profiler's thread could not be started: %s", uv_strerror(failed));
  } else {
    uv_sem_wait(&self->started);
    status = self->status;
  }
  if (status) {
    destroy(self);
    atomic_flag_clear(&is_running);
    return status;
  }
  *out = self;
  return PROF_OK;
}

static void put_request(struct prof_session *self, struct request *request) {
  request->asked_ns = uv_hrtime();
  uv_mutex_lock(&self->lock);
  struct request **last = &self->first;
  while (*last)
    last = &(*last)->next;
  *last = request;
  /* Under the lock: the thread frees the session only after it has taken the request out. */
  uv_async_send(&self->control);
  uv_mutex_unlock(&self->lock);
}

static void ask(struct prof_session *self, enum command command, prof_session_done *done,
                void *user) {
  struct request *request = &self->ending;
  if (command == COMMAND_DUMP)
    request = malloc(sizeof *request);
  if (!request) {
    done(user, NULL);
    return;
  }
  *request = (struct request){.command = command, .done = done, .user = user};
  put_request(self, request);
}

void prof_session_forget(struct prof_session *self, uint64_t before_ns) {
  struct request *request = malloc(sizeof *request);
  if (!request)
    return; /* the next one drops as much */
  *request = (struct request){.command = COMMAND_FORGET, .before_ns = before_ns};
  put_request(self, request);
}

bool prof_session_note(struct prof_session *self, const char *text, size_t bytes, bool replaces) {
  return prof_journal_notes_add(&self->recording.journal.notes, text, bytes, replaces);
}

void prof_session_dump(struct prof_session *self, prof_session_done *done, void *user) {
  ask(self, COMMAND_DUMP, done, user);
}

void prof_session_stop(struct prof_session *self, prof_session_done *done, void *user) {
  ask(self, COMMAND_STOP, done, user);
}

struct waiter {
  uv_sem_t sem;
  struct prof_result *result;
};

static void wake(void *user, struct prof_result *result) {
  struct waiter *waiter = user;
  waiter->result = result;
  uv_sem_post(&waiter->sem);
}

static struct prof_result *ask_and_wait(struct prof_session *self, enum command command) {
  struct waiter waiter = {0};
  uv_sem_init(&waiter.sem, 0);
  ask(self, command, wake, &waiter);
  uv_sem_wait(&waiter.sem);
  uv_sem_destroy(&waiter.sem);
  return waiter.result;
}

struct prof_result *prof_session_dump_sync(struct prof_session *self) {
  return ask_and_wait(self, COMMAND_DUMP);
}

struct prof_result *prof_session_stop_sync(struct prof_session *self) {
  return ask_and_wait(self, COMMAND_STOP);
}

void prof_session_discard(struct prof_session *self) {
  prof_result_free(ask_and_wait(self, COMMAND_DISCARD));
}
