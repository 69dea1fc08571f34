/*
 * values: C values -> JavaScript values, for the shapes that the addon hands out.
 *
 * Every function returns NULL once N-API has failed (an exception is pending or the environment is
 * ending); passing NULL on is fine, so that a caller checks once, at the end.
 */
#ifndef RSPACK_PROF_ADDON_VALUES_H
#define RSPACK_PROF_ADDON_VALUES_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* One column of a table of rows: the field at offset, as one typed array. */
struct prof_column {
  const char *name;
  size_t offset; /* of the field in the row */
  enum prof_field {
    FIELD_U8,
    FIELD_U16,
    FIELD_U32,
    FIELD_I32,
    FIELD_U64, /* -> Float64Array */
    FIELD_I64  /* the same */
  } field;
};

/* { name: typed array, .. } of count rows that lie stride bytes apart. */
napi_value prof_value_columns(napi_env env, const void *rows, size_t count, size_t stride,
                              const struct prof_column *columns, size_t column_count);

napi_value prof_value_text(napi_env env, const char *text);
void prof_value_set(napi_env env, napi_value object, const char *name, napi_value value);
void prof_value_set_text(napi_env env, napi_value object, const char *name, const char *text);
void prof_value_set_number(napi_env env, napi_value object, const char *name, double number);
void prof_value_set_bool(napi_env env, napi_value object, const char *name, bool flag);

/* An Error with code and, where they are known, errno (negative, as node has it) and syscall. */
napi_value prof_value_error(napi_env env, const struct prof_error *error);

/* Throws that, for a function to return: NULL. */
napi_value prof_value_throw(napi_env env, const struct prof_error *error);
napi_value prof_value_throw_with(napi_env env, int status, const char *message);

napi_value prof_value_undefined(napi_env env);
napi_value prof_value_null(napi_env env);
napi_value prof_value_bool(napi_env env, bool flag);

#endif
