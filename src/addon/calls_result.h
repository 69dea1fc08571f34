/*
 * calls_result: what a tracer found -> JavaScript values (lib/calls/native.d.ts has the shapes).
 * As values.h: NULL once N-API has failed.
 */
#ifndef RSPACK_PROF_ADDON_CALLS_RESULT_H
#define RSPACK_PROF_ADDON_CALLS_RESULT_H

#include <node_api.h>

struct prof_call_plan;
struct prof_tracer_result;

/* The functions, in the order of their ids. */
napi_value prof_calls_functions(napi_env env, const struct prof_call_plan *plan);
napi_value prof_calls_result(napi_env env, const struct prof_call_plan *plan,
                             const struct prof_tracer_result *result);

#endif
