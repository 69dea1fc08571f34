/*
 * stat: counters for JavaScript: count*() of docs/raw-profile.md.
 *
 * Counters live on the JavaScript thread that opened them; one that is dropped without countClose()
 * is closed with its handle. Refuses: a handle of something else (ERR_PROF_BAD_OPTION).
 */
#ifndef RSPACK_PROF_ADDON_STAT_H
#define RSPACK_PROF_ADDON_STAT_H

#include <node_api.h>

/* Adds countOpen, countEnable, countDisable, countRead, countClose and childrenUsage to exports. */
void prof_stat_register(napi_env env, napi_value exports);

#endif
