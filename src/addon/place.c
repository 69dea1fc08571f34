#include "addon/place.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "addon/values.h"

/* A v8::Local<T>: one pointer, to the handle; NULL where it is empty. `self` is what `this` is. */
typedef void *local;

/* Room for any v8::ScriptOrigin: its own functions build it here. 64 bytes at most on node 26. */
enum { ORIGIN_WORDS = 32 };

static struct {
  void *(*current_isolate)(void);
  int (*line)(local self);
  int (*column)(local self);
  local (*bound)(local self);
  /* A class of more than two words is returned where the first argument points (Itanium ABI). */
  void *(*origin)(local *result, local self);
} v8;
static bool is_known;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool find(void *function, const char *name) {
  void *found = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &found, sizeof found);
  return found != NULL;
}

static void find_all(void) {
  is_known = find(&v8.current_isolate, "_ZN2v87Isolate10GetCurrentEv") &&
             find(&v8.line, "_ZNK2v88Function19GetScriptLineNumberEv") &&
             find(&v8.column, "_ZNK2v88Function21GetScriptColumnNumberEv") &&
             find(&v8.bound, "_ZNK2v88Function16GetBoundFunctionEv") &&
             find(&v8.origin, "_ZNK2v88Function15GetScriptOriginEv");
}

static bool is_type(napi_env env, napi_value value, napi_valuetype wanted) {
  napi_valuetype type;
  return value && napi_typeof(env, value, &type) == napi_ok && type == wanted;
}

/* The innermost target of a bound function; the function itself where it is none. */
static napi_value target_of(napi_env env, napi_value function) {
  for (int i = 0; i < 8; i++) {
    napi_value target = (napi_value)v8.bound((local)function);
    if (!is_type(env, target, napi_function))
      break;
    function = target;
  }
  return function;
}

napi_value prof_place_of(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value function;
  if (napi_get_cb_info(env, info, &count, &function, NULL, NULL) != napi_ok)
    return NULL;
  pthread_once(&once, find_all);
  if (!is_known)
    return prof_value_undefined(env);
  if (!is_type(env, function, napi_function))
    return prof_value_null(env);
  function = target_of(env, function);
  int line = v8.line((local)function);
  int column = v8.column((local)function);
  if (line < 0 || column < 0) /* Function::kLineOffsetNotFound */
    return prof_value_null(env);
  local origin[ORIGIN_WORDS] = {0};
  v8.origin(origin, (local)function);
  napi_value name = (napi_value)origin[origin[0] == v8.current_isolate() ? 1 : 0];
  napi_value parts[3], place;
  parts[0] = name;
  if (!is_type(env, name, napi_string) || napi_create_int32(env, line + 1, &parts[1]) != napi_ok ||
      napi_create_int32(env, column + 1, &parts[2]) != napi_ok ||
      napi_create_array_with_length(env, 3, &place) != napi_ok) {
    return prof_value_null(env);
  }
  for (uint32_t i = 0; i < 3; i++)
    napi_set_element(env, place, i, parts[i]);
  return place;
}
