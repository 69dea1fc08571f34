#include "addon/isolate.h"

#include "addon/values.h"
#include "code/jit.h"

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

void prof_isolate_drop_exception(napi_env env) {
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
  prof_isolate_drop_exception(env);
  if (layout->proven)
    return;
  char version[64] = "";
  size_t length;
  napi_value text = run_script(env, "process.versions.v8");
  if (text)
    napi_get_value_string_utf8(env, text, version, sizeof version, &length);
  prof_isolate_drop_exception(env);
  prof_bytecode_from_version(version, layout);
}

bool prof_isolate_follow(napi_env env, struct prof_bytecode_layout *layout) {
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

void prof_isolate_leave(void) {
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

bool prof_isolate_join(napi_env env) {
  if (prof_jit_attach_isolate())
    return false;
  detach_at_end(env);
  return true;
}
