/*
 * calls: function tracing for JavaScript: what a file's functions are, what tracing them takes, and
 * one tracer at a time. Shapes: docs/function-trace.md, lib/calls/native.d.ts.
 *
 * Refuses a second tracer in the process (PROF_BUSY).
 */
#ifndef RSPACK_PROF_ADDON_CALLS_H
#define RSPACK_PROF_ADDON_CALLS_H

#include <node_api.h>

/* callsSymbols(path): all functions of a file. */
napi_value prof_calls_symbols(napi_env env, napi_callback_info info);
/* callsSites(path, rows): what probes those functions would get. */
napi_value prof_calls_sites(napi_env env, napi_callback_info info);
/* callsCost(): what a hit costs here, measured (0.3 s). */
napi_value prof_calls_cost(napi_env env, napi_callback_info info);
/* callsStart(options), callsBegun(pid) right after the command was started, callsStop(). */
napi_value prof_calls_start(napi_env env, napi_callback_info info);
napi_value prof_calls_begun(napi_env env, napi_callback_info info);
/* callsSleds({ objects }): how many of those functions have sleds in their files. */
napi_value prof_calls_sleds(napi_env env, napi_callback_info info);
napi_value prof_calls_stop(napi_env env, napi_callback_info info);

#endif
