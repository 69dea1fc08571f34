#include "addon/import.h"

#include <limits.h>
#include <stdlib.h>

#include "addon/arguments.h"
#include "addon/isolate.h"
#include "addon/raw.h"
#include "addon/values.h"
#include "session/replay.h"

struct import {
  napi_async_work work;
  napi_deferred deferred;
  struct prof_replay_options options;
  char path[PATH_MAX], perf_map[PATH_MAX], event[96];
  struct prof_result *result;
  struct prof_error error;
  int status;
};

/* In the thread pool. */
static void execute(napi_env env, void *data) {
  struct import *self = data;
  (void)env;
  self->status = prof_replay_file(&self->options, &self->result, &self->error);
}

static void complete(napi_env env, napi_status status, void *data) {
  struct import *self = data;
  napi_value raw = NULL;
  if (status == napi_ok && !self->status)
    raw = prof_raw_create(env, self->result);
  if (raw) {
    napi_resolve_deferred(env, self->deferred, raw);
  } else {
    if (!self->status) {
      prof_isolate_drop_exception(env);
      prof_error_set(&self->error, PROF_NO_MEMORY, 0, NULL, "no memory for the profile");
    }
    napi_reject_deferred(env, self->deferred, prof_value_error(env, &self->error));
  }
  prof_result_free(self->result);
  napi_delete_async_work(env, self->work);
  free(self);
}

static bool read_arguments(napi_env env, napi_callback_info info, struct import *self) {
  napi_value arguments[2];
  napi_valuetype type;
  size_t count = 2;
  double pid = 0;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
      !prof_argument_path(env, arguments[0], self->path) ||
      napi_typeof(env, arguments[1], &type) != napi_ok)
    return false;
  self->options.path = self->path;
  if (type == napi_undefined)
    return true;
  if (type != napi_object) {
    prof_value_throw_with(env, PROF_BAD_OPTION,
                          "importPerfData takes a path and { perfMap, event, pid }");
    return false;
  }
  if (!prof_option_text(env, arguments[1], "perfMap", self->perf_map, sizeof self->perf_map) ||
      !prof_option_text(env, arguments[1], "event", self->event, sizeof self->event) ||
      !prof_option_number(env, arguments[1], "pid", 0, UINT32_MAX, &pid))
    return false;
  self->options.perf_map = self->perf_map[0] ? self->perf_map : NULL;
  self->options.event = self->event[0] ? self->event : NULL;
  self->options.pid = (uint32_t)pid;
  return true;
}

napi_value prof_import_perf_data(napi_env env, napi_callback_info info) {
  napi_value promise, name = prof_value_text(env, "rspack-prof");
  struct import *self = calloc(1, sizeof *self);
  if (!self)
    return prof_value_throw_with(env, PROF_NO_MEMORY, "no memory to import a perf.data");
  if (!read_arguments(env, info, self)) {
    free(self);
    return NULL;
  }
  if (napi_create_async_work(env, NULL, name, execute, complete, self, &self->work) == napi_ok &&
      napi_create_promise(env, &self->deferred, &promise) == napi_ok &&
      napi_queue_async_work(env, self->work) == napi_ok)
    return promise;
  if (self->work)
    napi_delete_async_work(env, self->work);
  free(self);
  return prof_value_throw_with(env, PROF_SYSTEM, "node's thread pool takes no work");
}
