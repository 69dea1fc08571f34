/*
 * stash: what took long to work out, kept in a file of the user's cache folder for the next
 * process: up to five parts of bytes under a name and a key.
 *
 * The caller provides the folder (absolute; made when first needed), a key that changes with
 * whatever the parts were worked out from, and checks what it reads as it would a file's bytes. A
 * build of ours reads only what the same build of ours has written (prof_stash_name), so that a
 * layout never meets another's. A file is whole or not there: written beside, then renamed, with a
 * checksum. Read into memory, not mapped: a file that shrinks is no SIGBUS in somebody's build.
 * Refuses: files and folders of another user, links, files that others may write, more than 64 MB.
 * Nobody is told of a failure: without a stash all is worked out again.
 */
#ifndef RSPACK_PROF_BASE_STASH_H
#define RSPACK_PROF_BASE_STASH_H

#include <stddef.h>
#include <stdint.h>

enum {
  PROF_STASH_PARTS = 5,
  PROF_STASH_NAME = 128,
  PROF_STASH_FILES = 16 /* in the folder: the oldest beyond these are removed */
};

struct prof_stash_part {
  void *bytes; /* read: malloc'ed, the caller's; of an empty part not NULL */
  size_t size;
};

/* A file's name from a word and a hash of what it is about. */
void prof_stash_name(char out[PROF_STASH_NAME], const char *word, uint64_t about);

/* A key that follows a file: device, inode, size, times. Never 0. */
struct stat;
uint64_t prof_stash_key(uint64_t key, const struct stat *file);

/* Fills parts; -1, and all of them empty, where there is nothing under that key. */
int prof_stash_read(const char *folder, const char *name, uint64_t key,
                    struct prof_stash_part *parts, int count);

/* 0, or -1 where it was not kept. */
int prof_stash_write(const char *folder, const char *name, uint64_t key,
                     const struct prof_stash_part *parts, int count);

void prof_stash_free(struct prof_stash_part *parts, int count);

#endif
