/*
 * file: bytes of an open file from a place on, all of them, whatever signals interrupt.
 *
 * The caller provides a descriptor that can be read by place (no pipe). Refuses nothing.
 */
#ifndef RSPACK_PROF_BASE_FILE_H
#define RSPACK_PROF_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

/* How many of size bytes from offset on are now in out: fewer where the file ends or fails. */
size_t prof_file_read_at(int fd, void *out, size_t size, uint64_t offset);

#endif
