/*
 * perfmap: reads /tmp/perf-PID.map ("START SIZE NAME", hex, one a line) as it grows: the fallback
 * where V8's functions are not exported and node runs with --perf-basic-prof.
 *
 * The caller polls prof_perfmap_read from the thread that owns the space. Lines that are no such
 * line are counted and skipped, a line still being written is left for the next read. Refuses: a
 * path that is a symbolic link or no regular file, or that belongs to another user than this
 * process's or root (anybody may create names in /tmp).
 */
#ifndef RSPACK_PROF_CODE_PERFMAP_H
#define RSPACK_PROF_CODE_PERFMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "code/space.h"

enum { PROF_PERFMAP_LINE_BYTES = 16 * 1024 }; /* longer lines are skipped and counted */

struct prof_perfmap {
  int fd; /* -1: not open */
  uint64_t added, skipped;
  size_t held;     /* bytes of an unfinished line */
  int is_overlong; /* the rest of the line is to be skipped */
  char line[PROF_PERFMAP_LINE_BYTES];
};

/* path NULL: /tmp/perf-<this process>.map. PROF_BAD_FILE or PROF_SYSTEM. */
int prof_perfmap_open(struct prof_perfmap *self, const char *path, struct prof_error *error);
void prof_perfmap_close(struct prof_perfmap *self);

/* What was written since the last call. Returns the entries added. */
size_t prof_perfmap_read(struct prof_perfmap *self, struct prof_space *space,
                         struct prof_arena *names);

/* The parser alone: bytes of the file in order, cut anywhere. */
size_t prof_perfmap_feed(struct prof_perfmap *self, const char *bytes, size_t size,
                         struct prof_space *space, struct prof_arena *names);

#endif
