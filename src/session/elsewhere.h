/*
 * elsewhere: the ELF images of a process that is not this one, for its unwinding: each file is
 * opened once, and .eh_frame_hdr and .eh_frame are read from disk.
 *
 * The caller provides the rows (made foreign) and one thread, and frees this after the rows.
 * Refuses: a file whose build id is not the recorded one (its addresses would name other
 * functions), files that are gone or no ELF, more than PROF_ELSEWHERE_MAX mappings.
 */
#ifndef RSPACK_PROF_SESSION_ELSEWHERE_H
#define RSPACK_PROF_SESSION_ELSEWHERE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/filecode.h"
#include "stack/rows.h"
#include "stack/unwind.h"

#define PROF_ELSEWHERE_MAX 4096

struct prof_elsewhere_file;

struct prof_elsewhere {
  struct prof_rows *rows;
  struct prof_elsewhere_file *files;
  size_t count, capacity, mapped;
  struct prof_filecode code;
  struct prof_v8_map v8; /* where the recorded process had V8's builtins */
  bool has_v8;
  bool same_kernel;                 /* the vdso is this kernel's */
  uint64_t refused, replaced, gone; /* mappings; files of another build id; files not there */
  char example[256];                /* the first replaced or missing file */
};

void prof_elsewhere_init(struct prof_elsewhere *self, struct prof_rows *rows, bool same_kernel);
void prof_elsewhere_free(struct prof_elsewhere *self);

/* Where the recorded file is: at its path, or in folder ("a/b/") under the same name and then with
 * the same build id. build_id: of the record or the file's table, bytes 0: not known. NULL: not the
 * recorded file, or none: its addresses must not be named. */
const char *prof_elsewhere_find(struct prof_elsewhere *self, const char *path, const char *folder,
                                const unsigned char *build_id, size_t bytes);

/* An accepted file's mapping, of what is at offset in it; bias as code/module.h found it. */
void prof_elsewhere_map(struct prof_elsewhere *self, const char *path, uint64_t start,
                        uint64_t length, uint64_t offset, uint64_t bias);

/* [vdso]: the rows of this process's own, where the kernel is the same. */
void prof_elsewhere_map_vdso(struct prof_elsewhere *self, uint64_t start, uint64_t length);

#endif
