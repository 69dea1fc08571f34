/*
 * walks: what the handlers left, copied out of the shards and put into order of time.
 *
 * One thread. Refuses: a walk that there is no memory for (dropped, and counted).
 */
#ifndef RSPACK_PROF_SESSION_WALKS_H
#define RSPACK_PROF_SESSION_WALKS_H

#include <stddef.h>
#include <stdint.h>

#include "stack/stack.h"

struct prof_walks {
  unsigned char *bytes;
  size_t used_bytes, capacity_bytes;
  struct prof_walk_ref {
    uint64_t time_ns;
    size_t offset;
  } * refs;
  size_t count, capacity;
  uint64_t dropped; /* no memory */
};

/* Copies everything that waits in the sampler. */
void prof_walks_collect(struct prof_walks *self);

/* Calls visit for those with time_ns < until_ns, in order, and forgets them. */
void prof_walks_flush(struct prof_walks *self, uint64_t until_ns, prof_stack_visit *visit,
                      void *user);
void prof_walks_free(struct prof_walks *self);

#endif
