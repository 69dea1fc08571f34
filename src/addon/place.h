/*
 * place: where a JavaScript function stands in its source: (fn) -> [file, line, column] as V8 has
 * them, line and column from 1, which is how V8 names the function's code too; null for what has no
 * source (native functions) and what is no function. A bound function's target counts.
 *
 * Node-API has no such call. This relies on a napi_value being a v8::Local (a pointer to a handle),
 * on five mangled symbols of the node executable, and on v8::ScriptOrigin beginning with the name
 * (node 22 and later) or with the isolate and then the name (before): which of both is seen by
 * comparing with the current isolate. Checked on node 18.20, 20.20, 22.23, 24.21, 25.9, 26.10. The
 * caller (lib/phases/places.js) asks for a function of its own first, and believes nothing where
 * the answer is wrong. Refuses: undefined where a symbol is missing.
 */
#ifndef RSPACK_PROF_ADDON_PLACE_H
#define RSPACK_PROF_ADDON_PLACE_H

#include <node_api.h>

napi_value prof_place_of(napi_env env, napi_callback_info info);

#endif
