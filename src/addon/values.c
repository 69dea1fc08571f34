#include "addon/values.h"

#include <string.h>

struct shape {
  size_t from, to; /* bytes of the field and of the array's element */
  napi_typedarray_type type;
};

static const struct shape shapes[] = {
    [FIELD_U8] = {1, 1, napi_uint8_array},    [FIELD_U16] = {2, 2, napi_uint16_array},
    [FIELD_U32] = {4, 4, napi_uint32_array},  [FIELD_I32] = {4, 4, napi_int32_array},
    [FIELD_U64] = {8, 8, napi_float64_array}, [FIELD_I64] = {8, 8, napi_float64_array},
};

static napi_value one_column(napi_env env, const char *rows, size_t count, size_t stride,
                             enum prof_field field) {
  const struct shape *shape = &shapes[field];
  napi_value buffer, array;
  void *bytes;
  if (napi_create_arraybuffer(env, count * shape->to, &bytes, &buffer) != napi_ok)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    const char *from = rows + i * stride;
    char *to = (char *)bytes + i * shape->to;
    if (field == FIELD_U64 || field == FIELD_I64) {
      uint64_t number;
      memcpy(&number, from, sizeof number);
      double wide = field == FIELD_I64 ? (double)(int64_t)number : (double)number;
      memcpy(to, &wide, sizeof wide);
    } else {
      memcpy(to, from, shape->from);
    }
  }
  if (napi_create_typedarray(env, shape->type, count, buffer, 0, &array) != napi_ok)
    return NULL;
  return array;
}

napi_value prof_value_columns(napi_env env, const void *rows, size_t count, size_t stride,
                              const struct prof_column *columns, size_t column_count) {
  napi_value object;
  if (napi_create_object(env, &object) != napi_ok)
    return NULL;
  for (size_t i = 0; i < column_count; i++) {
    const char *first = (const char *)rows + columns[i].offset;
    prof_value_set(env, object, columns[i].name,
                   one_column(env, first, count, stride, columns[i].field));
  }
  return object;
}

napi_value prof_value_text(napi_env env, const char *text) {
  napi_value value;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok ? value : NULL;
}

void prof_value_set(napi_env env, napi_value object, const char *name, napi_value value) {
  if (object && value)
    napi_set_named_property(env, object, name, value);
}

void prof_value_set_text(napi_env env, napi_value object, const char *name, const char *text) {
  prof_value_set(env, object, name, prof_value_text(env, text));
}

void prof_value_set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  if (napi_create_double(env, number, &value) == napi_ok) {
    prof_value_set(env, object, name, value);
  }
}

void prof_value_set_bool(napi_env env, napi_value object, const char *name, bool flag) {
  prof_value_set(env, object, name, prof_value_bool(env, flag));
}

napi_value prof_value_error(napi_env env, const struct prof_error *error) {
  napi_value value, code = prof_value_text(env, prof_status_code(error->status));
  napi_value message = prof_value_text(env, error->message);
  if (!code || !message || napi_create_error(env, code, message, &value) != napi_ok)
    return NULL;
  if (error->sys_errno)
    prof_value_set_number(env, value, "errno", -error->sys_errno);
  if (error->syscall)
    prof_value_set_text(env, value, "syscall", error->syscall);
  return value;
}

napi_value prof_value_throw(napi_env env, const struct prof_error *error) {
  napi_value value = prof_value_error(env, error);
  if (value)
    napi_throw(env, value);
  return NULL;
}

napi_value prof_value_throw_with(napi_env env, int status, const char *message) {
  struct prof_error error;
  prof_error_set(&error, status, 0, NULL, "%s", message);
  return prof_value_throw(env, &error);
}

napi_value prof_value_undefined(napi_env env) {
  napi_value value;
  return napi_get_undefined(env, &value) == napi_ok ? value : NULL;
}

napi_value prof_value_null(napi_env env) {
  napi_value value;
  return napi_get_null(env, &value) == napi_ok ? value : NULL;
}

napi_value prof_value_bool(napi_env env, bool flag) {
  napi_value value;
  return napi_get_boolean(env, flag, &value) == napi_ok ? value : NULL;
}
