/*
 * recover: recoverJournal(path) -> { raw, about, notes }: the journal of a process that ended
 * without its profile, named here and now (some 100 ms). isJournalHeld(path) -> whether its process
 * lives. Throws what session/recover.h refuses.
 */
#ifndef RSPACK_PROF_ADDON_RECOVER_H
#define RSPACK_PROF_ADDON_RECOVER_H

#include <node_api.h>

napi_value prof_recover_journal(napi_env env, napi_callback_info info);
napi_value prof_is_journal_held(napi_env env, napi_callback_info info);

#endif
