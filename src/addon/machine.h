/*
 * machine: what this machine has, without a session: events() -> {name, type, description,
 * available, reason}[], and probe(event?) -> what start() would open, without opening it (for
 * doctor). And trim(), for a process's end.
 *
 * Refuses nothing; what fails is thrown as an Error with a code.
 */
#ifndef RSPACK_PROF_ADDON_MACHINE_H
#define RSPACK_PROF_ADDON_MACHINE_H

#include <node_api.h>

enum { PROF_DEFAULT_FREQUENCY = 1000 };

napi_value prof_machine_events(napi_env env, napi_callback_info info);
napi_value prof_machine_probe(napi_env env, napi_callback_info info);

/* trim(): gives back to the system what malloc keeps of freed memory, this process's whole. */
napi_value prof_machine_trim(napi_env env, napi_callback_info info);

#endif
