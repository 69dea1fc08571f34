/*
 * isolate: has V8 tell of this isolate's code, and finds by experiment where an interpreted frame
 * keeps its bytecode (code/bytecode.h).
 *
 * To be called on the isolate's own thread. An experiment that throws does not throw into the
 * build.
 */
#ifndef RSPACK_PROF_ADDON_ISOLATE_H
#define RSPACK_PROF_ADDON_ISOLATE_H

#include <node_api.h>
#include <stdbool.h>

#include "code/bytecode.h"

/* From here on V8 tells of its code; false: it cannot, here. */
bool prof_isolate_follow(napi_env env, struct prof_bytecode_layout *layout);
void prof_isolate_leave(void);

/* In a worker thread, for the session of another; until the worker ends. */
bool prof_isolate_join(napi_env env);

void prof_isolate_drop_exception(napi_env env);

#endif
