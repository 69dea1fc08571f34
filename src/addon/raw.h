/*
 * raw: a result -> the JavaScript object that docs/raw-profile.md describes.
 */
#ifndef RSPACK_PROF_ADDON_RAW_H
#define RSPACK_PROF_ADDON_RAW_H

#include <node_api.h>

#include "session/result.h"

/* NULL where N-API failed. Takes the rows out of the result; the rest of it, and freeing it, stays
 * the caller's. */
napi_value prof_raw_create(napi_env env, struct prof_result *result);

/* [{ code, message, fix }] */
napi_value prof_raw_notes(napi_env env, const struct prof_plan_note *notes, int count);

#endif
