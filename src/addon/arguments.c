#include "addon/arguments.h"

#include "addon/values.h"

/* Undefined where there is none. */
static napi_valuetype type_of(napi_env env, napi_value value) {
  napi_valuetype type;
  return value && napi_typeof(env, value, &type) == napi_ok ? type : napi_undefined;
}

static napi_value property(napi_env env, napi_value object, const char *name) {
  napi_value value;
  return napi_get_named_property(env, object, name, &value) == napi_ok ? value : NULL;
}

bool prof_argument_text(napi_env env, napi_value value, const char *name, char *out, size_t size) {
  struct prof_error error;
  napi_valuetype type = type_of(env, value);
  size_t length;
  if (type == napi_undefined)
    return true;
  if (type == napi_string && napi_get_value_string_utf8(env, value, NULL, 0, &length) == napi_ok &&
      length < size)
    return napi_get_value_string_utf8(env, value, out, size, &length) == napi_ok;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be a text of less than %zu bytes", name,
                 size);
  prof_value_throw(env, &error);
  return false;
}

bool prof_argument_path(napi_env env, napi_value value, char out[PATH_MAX]) {
  out[0] = 0;
  if (!prof_argument_text(env, value, "a path", out, PATH_MAX))
    return false;
  if (!out[0])
    prof_value_throw_with(env, PROF_BAD_OPTION, "a path is needed");
  return out[0] != 0;
}

bool prof_argument_number(napi_env env, napi_value value, const char *name, double least,
                          double most, double *out) {
  struct prof_error error;
  napi_valuetype type = type_of(env, value);
  double number;
  if (type == napi_undefined)
    return true;
  if (type == napi_number && napi_get_value_double(env, value, &number) == napi_ok &&
      number >= least && number <= most) {
    *out = number;
    return true;
  }
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be a number from %g to %g", name, least,
                 most);
  prof_value_throw(env, &error);
  return false;
}

bool prof_option_text(napi_env env, napi_value object, const char *name, char *out, size_t size) {
  return prof_argument_text(env, property(env, object, name), name, out, size);
}

bool prof_option_number(napi_env env, napi_value object, const char *name, double least,
                        double most, double *out) {
  return prof_argument_number(env, property(env, object, name), name, least, most, out);
}

bool prof_option_flag(napi_env env, napi_value object, const char *name, bool *out) {
  struct prof_error error;
  napi_value value = property(env, object, name);
  napi_valuetype type = type_of(env, value);
  if (type == napi_undefined)
    return true;
  if (type == napi_boolean)
    return napi_get_value_bool(env, value, out) == napi_ok;
  prof_error_set(&error, PROF_BAD_OPTION, 0, NULL, "%s must be true or false", name);
  prof_value_throw(env, &error);
  return false;
}
