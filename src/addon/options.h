/*
 * options: the object that start() is given, as a session's options.
 *
 * What lies outside its bounds is refused: a JavaScript exception is pending then. What is missing
 * stays as it is.
 */
#ifndef RSPACK_PROF_ADDON_OPTIONS_H
#define RSPACK_PROF_ADDON_OPTIONS_H

#include <node_api.h>
#include <stdbool.h>

#include "session/session.h"

/* The first argument where it is an object or a text; an empty object where it is missing. */
napi_value prof_options_argument(napi_env env, napi_callback_info info);

bool prof_options_read(napi_env env, napi_value object, struct prof_session_options *out);

#endif
