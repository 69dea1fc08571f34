#include "addon/note.h"

#include <stdbool.h>
#include <stdlib.h>

#include "addon/values.h"
#include "base/status.h"
#include "session/session.h"

napi_value prof_addon_note(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3, bytes = 0;
  bool replaces = false, has_room = false;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 3 ||
      napi_get_value_string_utf8(env, arguments[1], NULL, 0, &bytes) != napi_ok ||
      napi_get_value_bool(env, arguments[2], &replaces) != napi_ok)
    return prof_value_throw_with(env, PROF_BAD_OPTION,
                                 "note() takes a text and whether it replaces all before");
  struct prof_session *session = prof_addon_session(env);
  if (!session)
    return NULL;
  char *text = bytes <= PROF_JOURNAL_NOTES_BYTES ? malloc(bytes + 1) : NULL;
  if (text && napi_get_value_string_utf8(env, arguments[1], text, bytes + 1, &bytes) == napi_ok)
    has_room = prof_session_note(session, text, bytes, replaces);
  free(text);
  return prof_value_bool(env, has_room);
}

napi_value prof_addon_forget(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  int64_t before_ns;
  if (napi_get_cb_info(env, info, &count, arguments, NULL, NULL) != napi_ok || count < 2 ||
      napi_get_value_int64(env, arguments[1], &before_ns) != napi_ok || before_ns < 0)
    return prof_value_throw_with(env, PROF_BAD_OPTION, "forget() takes a time in ns");
  struct prof_session *session = prof_addon_session(env);
  if (!session)
    return NULL;
  prof_session_forget(session, (uint64_t)before_ns);
  return prof_value_undefined(env);
}
