/*
 * addon: the functions that JavaScript calls. This folder alone knows JavaScript values; what the
 * functions take and give is written down in docs/raw-profile.md.
 *
 * Relies on Node-API 8. May be loaded by several environments (worker threads); the session is the
 * process's, and belongs to the environment that started it.
 */
#include <dlfcn.h>
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "addon/calls.h"
#include "addon/hold.h"
#include "addon/import.h"
#include "addon/machine.h"
#include "addon/note.h"
#include "addon/peer.h"
#include "addon/place.h"
#include "addon/raw.h"
#include "addon/recover.h"
#include "addon/stat.h"
#include "addon/symbolize.h"
#include "addon/system.h"
#include "addon/values.h"
#include "code/bytecode.h"
#include "code/jit.h"
#include "perf/choose.h"
#include "session/session.h"

enum { MAX_MAX_FRAMES = 65536 };

/* The session and its environment. The lock is held for a few instructions only. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct prof_session *active;
static napi_env active_env;

static napi_value fail(napi_env env, const struct prof_error *error) {
  napi_value value = prof_value_error(env, error);
  if (value)
    napi_throw(env, value);
  return NULL;
}

static napi_value fail_with(napi_env env, int status, const char *message) {
  struct prof_error error;
  prof_error_set(&error, status, 0, NULL, "%s", message);
  return fail(env, &error);
}

static napi_value undefined(napi_env env) {
  napi_value value;
  return napi_get_undefined(env, &value) == napi_ok ? value : NULL;
}

/* The session out of `active`, if it is this environment's; the caller ends it. */
static struct prof_session *take_session(napi_env env) {
  pthread_mutex_lock(&lock);
  struct prof_session *session = active_env == env ? active : NULL;
  if (session)
    active = NULL;
  pthread_mutex_unlock(&lock);
  return session;
}

static napi_value not_running(napi_env env) {
  return fail_with(env, PROF_NOT_RUNNING, "no session runs: call start() first");
}

/* --- arguments --- */

static bool read_number(napi_env env, napi_value object, const char *name, double least,
                        double most, double *out) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type == napi_undefined) {
    return true;
  }
  double number;
  if (type == napi_number && napi_get_value_double(env, value, &number) == napi_ok &&
      number >= least && number <= most) {
    *out = number;
    return true;
  }
  struct prof_error error;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be a number from %g to %g", name, least,
                 most);
  fail(env, &error);
  return false;
}

static bool read_text(napi_env env, napi_value object, const char *name, char *out, size_t size) {
  napi_value value;
  napi_valuetype type;
  size_t length;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type == napi_undefined) {
    return true;
  }
  if (type == napi_string && napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok &&
      length < size) {
    return napi_get_value_string_utf8(env, value, out, size, &length) == napi_ok;
  }
  struct prof_error error;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be a text of less than %zu bytes", name,
                 size);
  fail(env, &error);
  return false;
}

static bool read_flag(napi_env env, napi_value object, const char *name, bool *out) {
  napi_value value;
  napi_valuetype type;
  if (napi_get_named_property(env, object, name, &value) != napi_ok ||
      napi_typeof(env, value, &type) != napi_ok || type == napi_undefined)
    return true;
  if (type == napi_boolean)
    return napi_get_value_bool(env, value, out) == napi_ok;
  struct prof_error error;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be true or false", name);
  fail(env, &error);
  return false;
}

static bool read_call_graph(napi_env env, napi_value object, int *out) {
  char text[16] = "full";
  if (!read_text(env, object, "callGraph", text, sizeof text))
    return false;
  static const char *const names[] = {[PROF_CALL_GRAPH_NONE] = "none",
                                      [PROF_CALL_GRAPH_FULL] = "full",
                                      [PROF_CALL_GRAPH_DWARF] = "dwarf"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, names[i]) == 0) {
      *out = i;
      return true;
    }
  }
  fail_with(env, PROF_BAD_OPTION, "callGraph must be 'full', 'dwarf' or 'none'");
  return false;
}

static bool read_options(napi_env env, napi_value object, struct prof_session_options *out) {
  double period = 0, frequency = PROF_DEFAULT_FREQUENCY, frames = PROF_MAX_FRAMES_DEFAULT,
         stack = 0, ring = 0, drain = 0, budget = 0, mean = 0, cap = PROF_ALLOCATIONS_CAP_PERCENT;
  if (!read_text(env, object, "event", out->event, sizeof out->event) ||
      !read_text(env, object, "raw", out->raw, sizeof out->raw) ||
      !read_text(env, object, "journal", out->journal, sizeof out->journal) ||
      !read_text(env, object, "about", out->about, sizeof out->about) ||
      !read_text(env, object, "cpus", out->cpus, sizeof out->cpus) ||
      !read_number(env, object, "period", 1, 0x1p53, &period) ||
      !read_call_graph(env, object, &out->call_graph) ||
      !read_flag(env, object, "offCpu", &out->off_cpu) ||
      !read_flag(env, object, "memory", &out->memory) ||
      !read_flag(env, object, "faultPeriod", &out->fault_period) ||
      !read_number(env, object, "allocationBytes", 1, 0x1p40, &mean) ||
      !read_number(env, object, "allocationCap", 0, 100, &cap) ||
      !read_number(env, object, "frequency", 1, PROF_FREQUENCY_MAX, &frequency) ||
      !read_number(env, object, "maxFrames", 1, MAX_MAX_FRAMES, &frames) ||
      !read_number(env, object, "stackBytes", 256, 65528, &stack) ||
      !read_number(env, object, "ringBytes", 65536, 1 << 26, &ring) ||
      !read_number(env, object, "drainMs", 1, 10000, &drain) ||
      !read_number(env, object, "budget", PROF_BUDGET_PERCENT_MIN, PROF_BUDGET_PERCENT_MAX,
                   &budget)) {
    return false;
  }
  out->frequency = (uint32_t)frequency;
  out->period_events = (uint64_t)period;
  out->max_frames = (uint32_t)frames;
  out->stack_bytes = (uint32_t)stack & ~7u;
  out->ring_bytes = (size_t)ring;
  out->drain_ms = (uint32_t)drain;
  out->budget_percent = budget;
  out->allocations.mean_bytes = (uint64_t)mean;
  out->allocations.cap_percent = cap;
  return true;
}

/* The first argument, an object; an empty one where it is missing. */
static napi_value first_argument(napi_env env, napi_callback_info info) {
  napi_value argument;
  napi_valuetype type = napi_undefined;
  size_t count = 1;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok)
    return NULL;
  if (count)
    napi_typeof(env, argument, &type);
  if (type != napi_object && type != napi_string && napi_create_object(env, &argument) != napi_ok) {
    return NULL;
  }
  return argument;
}

/* --- V8 --- */

static napi_value calibrate_here(napi_env env, napi_callback_info info) {
  struct prof_bytecode_layout *layout;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, (void **)&layout) == napi_ok) {
    prof_bytecode_calibrate(__builtin_frame_address(0), 0, layout);
  }
  return NULL;
}

static napi_value run_script(napi_env env, const char *source) {
  napi_value script = prof_value_text(env, source), value = NULL;
  return script && napi_run_script(env, script, &value) == napi_ok ? value : NULL;
}

/* An experiment that throws must not throw into the build. */
static void drop_exception(napi_env env) {
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) {
    napi_get_and_clear_last_exception(env, &exception);
  }
}

static void find_bytecode(napi_env env, struct prof_bytecode_layout *layout) {
  napi_value callback, function = run_script(env, prof_bytecode_script()), global;
  if (function && napi_get_global(env, &global) == napi_ok &&
      napi_create_function(env, "rspackProfCalibrate", NAPI_AUTO_LENGTH, calibrate_here, layout,
                           &callback) == napi_ok) {
    napi_call_function(env, global, function, 1, &callback, NULL);
  }
  drop_exception(env);
  if (layout->proven)
    return;
  char version[64] = "";
  size_t length;
  napi_value text = run_script(env, "process.versions.v8");
  if (text)
    napi_get_value_string_utf8(env, text, version, sizeof version, &length);
  drop_exception(env);
  prof_bytecode_from_version(version, layout);
}

/* From here on V8 tells of its code; false: it cannot, here. */
static bool follow_v8(napi_env env, struct prof_bytecode_layout *layout) {
  if (prof_jit_start(NULL))
    return false;
  prof_bytecode_watch_start();
  bool attached = prof_jit_attach_isolate() == PROF_OK;
  if (attached)
    find_bytecode(env, layout);
  prof_bytecode_watch_end();
  if (!attached)
    prof_jit_stop();
  return attached;
}

static void leave_v8(void) {
  prof_jit_detach_isolate();
  prof_jit_stop();
}

static void detach_worker(void *unused) {
  (void)unused;
  prof_jit_detach_isolate();
}

/* Once for each environment: node ends the process at a hook that is there already. */
static void detach_at_end(napi_env env) {
  static int is_hooked;
  void *before = NULL;
  if (napi_get_instance_data(env, &before) != napi_ok || before)
    return;
  if (napi_set_instance_data(env, &is_hooked, NULL, NULL) == napi_ok)
    napi_add_env_cleanup_hook(env, detach_worker, NULL);
}

/* attachIsolate(): in a worker thread, while a session runs: names this isolate's code. May be
 * called again, for the next session too. */
static napi_value attach_isolate(napi_env env, napi_callback_info info) {
  napi_value value;
  (void)info;
  pthread_mutex_lock(&lock);
  bool running = active != NULL && active_env != env;
  pthread_mutex_unlock(&lock);
  bool attached = running && prof_jit_attach_isolate() == PROF_OK;
  if (attached)
    detach_at_end(env);
  return napi_get_boolean(env, attached, &value) == napi_ok ? value : NULL;
}

/* --- the session --- */

static void discard_at_end(void *env) {
  struct prof_session *session = take_session(env);
  if (!session)
    return;
  leave_v8();
  prof_session_discard(session);
}

static napi_value start(napi_env env, napi_callback_info info) {
  struct prof_session_options options = {0};
  struct prof_error error = {0};
  napi_value argument = first_argument(env, info), handle;
  if (!argument || !read_options(env, argument, &options))
    return NULL;
  pthread_mutex_lock(&lock);
  bool busy = active != NULL;
  pthread_mutex_unlock(&lock);
  if (busy) {
    return fail_with(env, PROF_BUSY, "a session runs in this process already: stop it first");
  }
  prof_hold_sigtrap(env);
  options.has_jit = follow_v8(env, &options.bytecode);
  struct prof_session *session;
  if (prof_session_start(&options, &session, &error)) {
    /* Another environment may have won: then V8 is being followed for its session. */
    if (options.has_jit && error.status != PROF_BUSY)
      leave_v8();
    return fail(env, &error);
  }
  pthread_mutex_lock(&lock);
  active = session;
  active_env = env;
  pthread_mutex_unlock(&lock);
  napi_add_env_cleanup_hook(env, discard_at_end, env);
  return napi_create_object(env, &handle) == napi_ok ? handle : NULL;
}

static napi_value raw_or_throw(napi_env env, struct prof_result *result) {
  if (!result)
    return fail_with(env, PROF_NO_MEMORY, "no memory for the profile");
  napi_value raw = prof_raw_create(env, result);
  prof_result_free(result);
  return raw;
}

static struct prof_session *end_session(napi_env env) {
  struct prof_session *session = take_session(env);
  if (!session)
    return NULL;
  napi_remove_env_cleanup_hook(env, discard_at_end, env);
  leave_v8();
  return session;
}

static napi_value stop_sync(napi_env env, napi_callback_info info) {
  (void)info;
  struct prof_session *session = end_session(env);
  return session ? raw_or_throw(env, prof_session_stop_sync(session)) : not_running(env);
}

static napi_value discard(napi_env env, napi_callback_info info) {
  (void)info;
  struct prof_session *session = end_session(env);
  if (session)
    prof_session_discard(session);
  return session ? undefined(env) : not_running(env);
}

/* A promise that the profiler's thread will keep. */
struct promise {
  napi_deferred deferred;
  napi_threadsafe_function call;
  struct prof_result *result;
};

static void settle(napi_env env, napi_value unused, void *context, void *data) {
  struct promise *promise = data;
  napi_value value = NULL;
  (void)unused;
  (void)context;
  if (env && promise->result)
    value = prof_raw_create(env, promise->result);
  if (env && value) {
    napi_resolve_deferred(env, promise->deferred, value);
  } else if (env) {
    struct prof_error error;
    prof_error_set(&error, PROF_NO_MEMORY, 0, NULL, "no memory for the profile");
    drop_exception(env);
    napi_reject_deferred(env, promise->deferred, prof_value_error(env, &error));
  }
  prof_result_free(promise->result);
  free(promise);
}

/* On the profiler's thread. */
static void keep_promise(void *user, struct prof_result *result) {
  struct promise *promise = user;
  napi_threadsafe_function call = promise->call;
  promise->result = result;
  if (napi_call_threadsafe_function(call, promise, napi_tsfn_nonblocking) != napi_ok) {
    prof_result_free(result);
    free(promise);
  }
  napi_release_threadsafe_function(call, napi_tsfn_release);
}

static napi_value make_promise(napi_env env, struct promise **out) {
  struct promise *promise = calloc(1, sizeof *promise);
  napi_value value, name = prof_value_text(env, "rspack-prof");
  bool has_call = promise && name &&
                  napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL,
                                                  settle, &promise->call) == napi_ok;
  if (has_call && napi_create_promise(env, &promise->deferred, &value) == napi_ok) {
    *out = promise;
    return value;
  }
  if (has_call)
    napi_release_threadsafe_function(promise->call, napi_tsfn_abort);
  free(promise);
  fail_with(env, PROF_NO_MEMORY, "no memory for a promise");
  return NULL;
}

static napi_value stop(napi_env env, napi_callback_info info) {
  (void)info;
  struct promise *promise;
  struct prof_session *session = end_session(env);
  if (!session)
    return not_running(env);
  napi_value value = make_promise(env, &promise);
  if (value)
    prof_session_stop(session, keep_promise, promise);
  else
    prof_session_discard(session);
  return value;
}

struct prof_session *prof_addon_session(napi_env env) {
  pthread_mutex_lock(&lock);
  struct prof_session *session = active_env == env ? active : NULL;
  pthread_mutex_unlock(&lock);
  return session;
}

static napi_value dump(napi_env env, napi_callback_info info) {
  (void)info;
  struct promise *promise;
  struct prof_session *session = prof_addon_session(env);
  if (!session)
    return not_running(env);
  napi_value value = make_promise(env, &promise);
  if (value)
    prof_session_dump(session, keep_promise, promise);
  return value;
}

static napi_value dump_sync(napi_env env, napi_callback_info info) {
  (void)info;
  struct prof_session *session = prof_addon_session(env);
  return session ? raw_or_throw(env, prof_session_dump_sync(session)) : not_running(env);
}

/* --- the module --- */

/* The signal handler and V8's callback outlive any one environment: never unmap this library. */
static void pin_library(void) {
  Dl_info info;
  if (dladdr((void *)pin_library, &info))
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE);
}

NAPI_MODULE_INIT() {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"start", start},
      {"stop", stop},
      {"stopSync", stop_sync},
      {"dump", dump},
      {"dumpSync", dump_sync},
      {"discard", discard},
      {"forget", prof_addon_forget},
      {"note", prof_addon_note},
      {"attachIsolate", attach_isolate},
      {"callsSymbols", prof_calls_symbols},
      {"callsSites", prof_calls_sites},
      {"callsCost", prof_calls_cost},
      {"callsStart", prof_calls_start},
      {"callsBegun", prof_calls_begun},
      {"callsSleds", prof_calls_sleds},
      {"callsStop", prof_calls_stop},
      {"events", prof_machine_events},
      {"probe", prof_machine_probe},
      {"importPerfData", prof_import_perf_data},
      {"functionPlace", prof_place_of},
      {"socketPeer", prof_socket_peer},
      {"systemStart", prof_system_begin},
      {"systemStop", prof_system_end},
      {"perfDataProcesses", prof_perf_data_processes},
      {"recoverJournal", prof_recover_journal},
      {"isJournalHeld", prof_is_journal_held},
      {"symbolize", prof_symbolize_file},
  };
  pin_library();
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL,
                             &function) != napi_ok) {
      return NULL;
    }
    prof_value_set(env, exports, functions[i].name, function);
  }
  prof_stat_register(env, exports);
  return exports;
}
