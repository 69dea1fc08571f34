/*
 * note: what JavaScript tells a recording that runs.
 *
 * note(handle, text, replaces) -> whether there was room: lines for its journal, in addition to
 * those before or instead of them (session/journal_notes). forget(handle, beforeNs): the samples
 * from before that time are dropped. Throw PROF_BAD_OPTION, and PROF_NOT_RUNNING without a session
 * of this environment's.
 */
#ifndef RSPACK_PROF_ADDON_NOTE_H
#define RSPACK_PROF_ADDON_NOTE_H

#include <node_api.h>

struct prof_session;

/* The session of this environment, which goes on running; NULL: none runs, and PROF_NOT_RUNNING is
 * thrown. addon.c has it. */
struct prof_session *prof_addon_session(napi_env env);

napi_value prof_addon_note(napi_env env, napi_callback_info info);
napi_value prof_addon_forget(napi_env env, napi_callback_info info);

#endif
