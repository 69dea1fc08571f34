/*
 * peer: socketPeer(fd) -> { pid, uid } of the process at the other end of a connected Unix socket,
 * as the kernel noted them (SO_PEERCRED): at connect() for the one who was called, at listen() for
 * the one who calls. Node tells neither.
 *
 * The caller provides the number of an open descriptor. Refuses with an Error with a code: no
 * number, no socket, none of a peer. pid is 0 where the peer lives in a pid namespace that cannot
 * be seen from here.
 */
#ifndef RSPACK_PROF_ADDON_PEER_H
#define RSPACK_PROF_ADDON_PEER_H

#include <node_api.h>

napi_value prof_socket_peer(napi_env env, napi_callback_info info);

#endif
