#include "addon/recover.h"

#include "addon/arguments.h"
#include "addon/raw.h"
#include "addon/values.h"
#include "session/recover.h"

static bool read_path(napi_env env, napi_callback_info info, char path[PATH_MAX]) {
  napi_value argument;
  size_t count = 1;
  return napi_get_cb_info(env, info, &count, &argument, NULL, NULL) == napi_ok &&
         prof_argument_path(env, argument, path);
}

napi_value prof_recover_journal(napi_env env, napi_callback_info info) {
  char path[PATH_MAX];
  struct prof_recovered recovered;
  struct prof_error error = {0};
  napi_value out;
  if (!read_path(env, info, path))
    return NULL;
  if (prof_recover_file(path, &recovered, &error)) {
    return prof_value_throw(env, &error);
  }
  bool made = napi_create_object(env, &out) == napi_ok;
  if (made) {
    prof_value_set(env, out, "raw", prof_raw_create(env, recovered.result));
    prof_value_set_text(env, out, "about", recovered.about ? recovered.about : "");
    prof_value_set_text(env, out, "notes", recovered.notes ? recovered.notes : "");
  }
  prof_recovered_free(&recovered);
  return made ? out : NULL;
}

napi_value prof_is_journal_held(napi_env env, napi_callback_info info) {
  char path[PATH_MAX];
  return read_path(env, info, path) ? prof_value_bool(env, prof_recover_is_held(path)) : NULL;
}
