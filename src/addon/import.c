#include "addon/import.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

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
  napi_value raw = NULL, error;
  if (status == napi_ok && !self->status)
    raw = prof_raw_create(env, self->result);
  if (raw) {
    napi_resolve_deferred(env, self->deferred, raw);
  } else {
    if (!self->status) {
      napi_get_and_clear_last_exception(env, &error);
      prof_error_set(&self->error, PROF_NO_MEMORY, 0, NULL, "no memory for the profile");
    }
    napi_reject_deferred(env, self->deferred, prof_value_error(env, &self->error));
  }
  prof_result_free(self->result);
  napi_delete_async_work(env, self->work);
  free(self);
}

/* A text of fewer than size bytes; undefined leaves it empty. */
static bool read_text(napi_env env, napi_value value, char *out, size_t size, bool is_needed) {
  napi_valuetype type;
  size_t length;
  out[0] = 0;
  if (napi_typeof(env, value, &type) != napi_ok || (type == napi_undefined && is_needed))
    return false;
  if (type == napi_undefined)
    return true;
  return type == napi_string &&
         napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok && length < size &&
         napi_get_value_string_utf8(env, value, out, size, &length) == napi_ok;
}

static bool read_option(napi_env env, napi_value options, const char *name, char *out,
                        size_t size) {
  napi_value value;
  return napi_get_named_property(env, options, name, &value) == napi_ok &&
         read_text(env, value, out, size, false);
}

static bool read_arguments(napi_env env, napi_callback_info info, struct import *self) {
  napi_value arguments[2], pid;
  napi_valuetype type;
  size_t count = 2;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok ||
      !read_text(env, arguments[0], self->path, sizeof self->path, true))
    return false;
  self->options.path = self->path;
  if (napi_typeof(env, arguments[1], &type) != napi_ok)
    return false;
  if (type != napi_object)
    return type == napi_undefined;
  if (!read_option(env, arguments[1], "perfMap", self->perf_map, sizeof self->perf_map) ||
      !read_option(env, arguments[1], "event", self->event, sizeof self->event) ||
      napi_get_named_property(env, arguments[1], "pid", &pid) != napi_ok ||
      napi_typeof(env, pid, &type) != napi_ok)
    return false;
  self->options.perf_map = self->perf_map[0] ? self->perf_map : NULL;
  self->options.event = self->event[0] ? self->event : NULL;
  return type == napi_undefined || napi_get_value_uint32(env, pid, &self->options.pid) == napi_ok;
}

napi_value prof_import_perf_data(napi_env env, napi_callback_info info) {
  napi_value promise, name = prof_value_text(env, "rspack-prof");
  struct import *self = calloc(1, sizeof *self);
  struct prof_error error;
  if (!self) {
    prof_error_set(&error, PROF_NO_MEMORY, 0, NULL, "no memory to import a perf.data");
  } else if (!read_arguments(env, info, self)) {
    prof_error_set(&error, PROF_BAD_OPTION, 0, NULL,
                   "importPerfData takes a path and { perfMap, event: texts, pid: a number }");
  } else if (napi_create_async_work(env, NULL, name, execute, complete, self, &self->work) ==
                 napi_ok &&
             napi_create_promise(env, &self->deferred, &promise) == napi_ok &&
             napi_queue_async_work(env, self->work) == napi_ok) {
    return promise;
  } else {
    prof_error_set(&error, PROF_SYSTEM, 0, NULL, "node's thread pool takes no work");
  }
  free(self);
  return prof_value_throw(env, &error);
}
