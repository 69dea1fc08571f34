#include "addon/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "addon/values.h"

napi_value prof_socket_peer(napi_env env, napi_callback_info info) {
  napi_value argument, object;
  size_t count = 1;
  int32_t fd = -1;
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count < 1 ||
      napi_get_value_int32(env, argument, &fd) != napi_ok)
    fd = -1;
  int failed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ? errno : 0;
  if (!failed && (size != sizeof peer || peer.uid == (uid_t)-1)) /* of a socket without a peer */
    failed = ENOTCONN;
  if (failed) {
    struct prof_error error;
    prof_error_set(&error, PROF_SYSTEM, failed, "getsockopt", "descriptor %d has no peer: %s", fd,
                   strerror(failed));
    return prof_value_throw(env, &error);
  }
  if (napi_create_object(env, &object) != napi_ok)
    return NULL;
  prof_value_set_number(env, object, "pid", peer.pid);
  prof_value_set_number(env, object, "uid", peer.uid);
  return object;
}
