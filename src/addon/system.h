/*
 * system: recordings of all processes of the machine, for JavaScript: systemStart({ path, event,
 * cpus, frequency, period, callGraph, stackBytes }) -> { event, frequency, warnings },
 * systemStop(), and perfDataProcesses(path) -> { pid, samples }[].
 *
 * One at a time in a process (PROF_BUSY). Refuses what session/system.h refuses, as Errors with a
 * code.
 */
#ifndef RSPACK_PROF_ADDON_SYSTEM_H
#define RSPACK_PROF_ADDON_SYSTEM_H

#include <node_api.h>

napi_value prof_system_begin(napi_env env, napi_callback_info info);
napi_value prof_system_end(napi_env env, napi_callback_info info);
napi_value prof_perf_data_processes(napi_env env, napi_callback_info info);

#endif
