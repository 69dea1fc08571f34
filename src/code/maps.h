/*
 * maps: the lines of /proc/PID/maps. Pure but for the reading of the file.
 *
 * Reads the whole text before the first line is handed on, so that what the visitor maps or
 * unmaps does not change what it is shown. Refuses malformed lines (left out).
 */
#ifndef RSPACK_PROF_CODE_MAPS_H
#define RSPACK_PROF_CODE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_mapping {
  uint64_t start, end, offset;
  uint64_t device, inode; /* of the file, major << 32 | minor; 0: none, or not known */
  const char *path;       /* "" for anonymous memory; valid during the visit */
  bool is_executable;
};

typedef void prof_maps_visit(void *user, const struct prof_mapping *mapping);

/* text is changed meanwhile (NULs are put into it), and afterwards as it was. */
void prof_maps_parse(char *text, prof_maps_visit *visit, void *user);

/* The whole text of such a file, for free(3); NULL with *sys_errno. */
char *prof_maps_text(const char *file, int *sys_errno);

/* Both. 0, or -1 with *sys_errno. */
int prof_maps_read(const char *file, prof_maps_visit *visit, void *user, int *sys_errno);

#endif
