/*
 * journal_file: the place of a journal: FOLDER/<time>-<pid>[-N]/journal, its folders 0700 and the
 * file 0600, made by us (O_EXCL), and locked (flock) until it is closed.
 *
 * Refuses (errno) a FOLDER that is a symbolic link: as lib/output.js does for the profile.
 */
#ifndef RSPACK_PROF_SESSION_JOURNAL_FILE_H
#define RSPACK_PROF_SESSION_JOURNAL_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { PROF_BOOT_ID_BYTES = 40 };

/* The descriptor; -1, and errno. path: what was made, or was to be made; "" where no folder was. */
int prof_journal_file_open(const char *folder, uint64_t start_unix_ms, char path[PATH_MAX]);

/* At this very path. */
int prof_journal_file_create(const char *path);

/* With its folder, if nothing else is in that. */
void prof_journal_file_remove(const char *path);

/* Which start of the machine this is: the kernel's addresses are of one; "" where it does not say.
 */
void prof_journal_boot_id(char text[PROF_BOOT_ID_BYTES]);

#endif
