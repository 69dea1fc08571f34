/*
 * filecode: bytes of code of a process that is not this one, out of the files that it had mapped.
 *
 * Code without unwind rows is guessed through by its instructions (stack/guess.h), also in a
 * replay. Files are opened at the first byte that is asked for.
 * The caller provides paths that outlive this, of files that are the recorded ones
 * (session/elsewhere.h), and one thread. Refuses: code that is in no file (V8's own), reads across
 * the end of a mapping, more than PROF_FILECODE_MAX mappings.
 */
#ifndef RSPACK_PROF_SESSION_FILECODE_H
#define RSPACK_PROF_SESSION_FILECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROF_FILECODE_MAX = 1024 };

struct prof_filecode {
  struct prof_filecode_row {
    uint64_t start, end, offset; /* addresses; offset in the file of start */
    const char *path;
    int fd; /* -1: not opened yet, -2: it cannot be */
  } * rows;
  size_t count, capacity;
};

/* A later mapping stands before an earlier one. */
void prof_filecode_map(struct prof_filecode *self, const char *path, uint64_t start,
                       uint64_t length, uint64_t offset);
/* user: the struct; as struct prof_memory asks. */
bool prof_filecode_read(void *user, uint64_t address, uint8_t *out, unsigned count);
void prof_filecode_free(struct prof_filecode *self); /* usable afterwards */

#endif
