/*
 * symbolize: symbolize(file, Float64Array of virtual addresses) -> { buildId, hasSymbols, names },
 * names as { name, symbol, crate, kind } or null for an address without a symbol. For profiles that
 * were recorded where the symbols were not.
 *
 * Blocks for as long as it takes (20 ms for the table of a large binding, then microseconds each).
 * Throws an Error with a code for a file that is no ELF.
 */
#ifndef RSPACK_PROF_ADDON_SYMBOLIZE_H
#define RSPACK_PROF_ADDON_SYMBOLIZE_H

#include <node_api.h>

napi_value prof_symbolize_file(napi_env env, napi_callback_info info);

#endif
