/*
 * import: importPerfData(path, { perfMap, event, pid }) -> Promise<raw>: a perf.data by the
 * pipeline.
 *
 * Runs in node's thread pool: a replay measures nothing, and may take seconds. Refuses: what
 * session/replay.h refuses (the promise is rejected), arguments of other types (thrown).
 */
#ifndef RSPACK_PROF_ADDON_IMPORT_H
#define RSPACK_PROF_ADDON_IMPORT_H

#include <node_api.h>

napi_value prof_import_perf_data(napi_env env, napi_callback_info info);

#endif
