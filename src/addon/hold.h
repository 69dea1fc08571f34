/*
 * hold: keeps libuv from replacing our SIGTRAP handler.
 *
 * libuv installs one handler for each signal number that anybody in the process listens to, when
 * the first listener comes. Command-line tools listen to SIGTRAP among all others (signal-exit):
 * our handler would be gone in the middle of a recording, and the next sample would look like a
 * signal from outside and end the build. A listener of our own, taken before our handler is
 * installed, makes libuv's handler the one below ours, and it is never installed again. It does not
 * show in process.listeners(), and process.removeAllListeners() does not reach it.
 *
 * A SIGTRAP from outside still ends the process where nobody listens. Held until the process ends:
 * signals of ours may be queued for as long. Refuses nothing; on failure there is just no hold.
 */
#ifndef RSPACK_PROF_ADDON_HOLD_H
#define RSPACK_PROF_ADDON_HOLD_H

#include <node_api.h>

/* On the thread of env; the first call counts. */
void prof_hold_sigtrap(napi_env env);

#endif
