/*
 * debugfile: where the separate debug information of an ELF file is.
 *
 * Looks, as gdb does, for /usr/lib/debug/.build-id/ab/cdef.debug, then the .gnu_debuglink name
 * beside the file, in .debug/ under it, and under /usr/lib/debug. A candidate counts only if its
 * build id is the file's (or, where the file has none, the link's CRC-32 fits). Refuses:
 * debuginfod, which would have the profiler wait for a network.
 */
#ifndef RSPACK_PROF_CODE_DEBUGFILE_H
#define RSPACK_PROF_CODE_DEBUGFILE_H

#include <stdbool.h>
#include <stddef.h>

struct prof_image;

/* path: of the file; build_id: its own, "" where it has none. false: none found. */
bool prof_debugfile_find(struct prof_image *image, const char *path, const char *build_id,
                         char *out, size_t capacity);

/* Is a found path one of those that packages of debug symbols install? */
bool prof_debugfile_is_distribution(const char *path);

#endif
