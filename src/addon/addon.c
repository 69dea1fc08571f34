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

#include "addon/calls.h"
#include "addon/hold.h"
#include "addon/import.h"
#include "addon/isolate.h"
#include "addon/machine.h"
#include "addon/note.h"
#include "addon/options.h"
#include "addon/peer.h"
#include "addon/place.h"
#include "addon/raw.h"
#include "addon/recover.h"
#include "addon/stat.h"
#include "addon/symbolize.h"
#include "addon/system.h"
#include "addon/values.h"
#include "session/session.h"

/* The session and its environment. The lock is held for a few instructions only. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct prof_session *active;
static napi_env active_env;

/* The session out of `active`, if it is this environment's; the caller ends it. */
static struct prof_session *take_session(napi_env env) {
  pthread_mutex_lock(&lock);
  struct prof_session *session = active_env == env ? active : NULL;
  if (session)
    active = NULL;
  pthread_mutex_unlock(&lock);
  return session;
}

static void throw_not_running(napi_env env) {
  prof_value_throw_with(env, PROF_NOT_RUNNING, "no session runs: call start() first");
}

/* attachIsolate(): in a worker thread, while a session runs: names this isolate's code. May be
 * called again, for the next session too. */
static napi_value attach_isolate(napi_env env, napi_callback_info info) {
  (void)info;
  pthread_mutex_lock(&lock);
  bool running = active != NULL && active_env != env;
  pthread_mutex_unlock(&lock);
  return prof_value_bool(env, running && prof_isolate_join(env));
}

static void discard_at_end(void *env) {
  struct prof_session *session = take_session(env);
  if (!session)
    return;
  prof_isolate_leave();
  prof_session_discard(session);
}

static napi_value start(napi_env env, napi_callback_info info) {
  struct prof_session_options options = {0};
  struct prof_error error = {0};
  napi_value argument = prof_options_argument(env, info), handle;
  if (!argument || !prof_options_read(env, argument, &options))
    return NULL;
  pthread_mutex_lock(&lock);
  bool busy = active != NULL;
  pthread_mutex_unlock(&lock);
  if (busy) {
    return prof_value_throw_with(env, PROF_BUSY,
                                 "a session runs in this process already: stop it first");
  }
  prof_hold_sigtrap(env);
  options.has_jit = prof_isolate_follow(env, &options.bytecode);
  struct prof_session *session;
  if (prof_session_start(&options, &session, &error)) {
    /* Another environment may have won: then V8 is being followed for its session. */
    if (options.has_jit && error.status != PROF_BUSY)
      prof_isolate_leave();
    return prof_value_throw(env, &error);
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
    return prof_value_throw_with(env, PROF_NO_MEMORY, "no memory for the profile");
  napi_value raw = prof_raw_create(env, result);
  prof_result_free(result);
  return raw;
}

/* The session of this environment, for the caller to end; NULL: none runs, which is thrown. */
static struct prof_session *end_session(napi_env env) {
  struct prof_session *session = take_session(env);
  if (!session) {
    throw_not_running(env);
    return NULL;
  }
  napi_remove_env_cleanup_hook(env, discard_at_end, env);
  prof_isolate_leave();
  return session;
}

static napi_value stop_sync(napi_env env, napi_callback_info info) {
  (void)info;
  struct prof_session *session = end_session(env);
  return session ? raw_or_throw(env, prof_session_stop_sync(session)) : NULL;
}

static napi_value discard(napi_env env, napi_callback_info info) {
  (void)info;
  struct prof_session *session = end_session(env);
  if (!session)
    return NULL;
  prof_session_discard(session);
  return prof_value_undefined(env);
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
    prof_isolate_drop_exception(env);
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
  prof_value_throw_with(env, PROF_NO_MEMORY, "no memory for a promise");
  return NULL;
}

static napi_value stop(napi_env env, napi_callback_info info) {
  (void)info;
  struct promise *promise;
  struct prof_session *session = end_session(env);
  if (!session)
    return NULL;
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
  if (!session)
    throw_not_running(env);
  return session;
}

static napi_value dump(napi_env env, napi_callback_info info) {
  (void)info;
  struct promise *promise;
  struct prof_session *session = prof_addon_session(env);
  if (!session)
    return NULL;
  napi_value value = make_promise(env, &promise);
  if (value)
    prof_session_dump(session, keep_promise, promise);
  return value;
}

static napi_value dump_sync(napi_env env, napi_callback_info info) {
  (void)info;
  struct prof_session *session = prof_addon_session(env);
  return session ? raw_or_throw(env, prof_session_dump_sync(session)) : NULL;
}

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
      {"trim", prof_machine_trim},
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
