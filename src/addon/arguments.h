/*
 * arguments: what JavaScript gives -> C values. Of an argument by its name in messages, of an
 * option by its name in the object.
 *
 * What is undefined leaves *out as it is. What is of another type, too long or out of its bounds is
 * never cut to fit: false, and PROF_BAD_OPTION is thrown.
 */
#ifndef RSPACK_PROF_ADDON_ARGUMENTS_H
#define RSPACK_PROF_ADDON_ARGUMENTS_H

#include <limits.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>

/* A text of less than size bytes. */
bool prof_argument_text(napi_env env, napi_value value, const char *name, char *out, size_t size);
bool prof_argument_number(napi_env env, napi_value value, const char *name, double least,
                          double most, double *out);
/* A path has to be there. */
bool prof_argument_path(napi_env env, napi_value value, char out[PATH_MAX]);

bool prof_option_text(napi_env env, napi_value object, const char *name, char *out, size_t size);
bool prof_option_number(napi_env env, napi_value object, const char *name, double least,
                        double most, double *out);
bool prof_option_flag(napi_env env, napi_value object, const char *name, bool *out);

#endif
