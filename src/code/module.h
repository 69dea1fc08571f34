/*
 * module: the executable files mapped into a process, one row each, and their ranges in the space.
 *
 * Feed it /proc/self/maps at the start (prof_modules_load_self) and the mmap records after that, in
 * time order, from one thread (the profiler's). It opens each file once to learn bias, build id and
 * what symbols there are. A file mapped in several executable pieces at one bias is one row.
 * Live (after load_self) the mapped image's program headers and build id are compared with the
 * file's: a file that was deleted or replaced keeps its row (bias and build id from memory, state
 * says so) and its symbols on disk are refused.
 *
 * Refuses: anonymous executable memory and files that are not ELF (no row), pieces of 4 GB and
 * more, and rows beyond PROF_MODULES_MAX (counted in refused).
 */
#ifndef RSPACK_PROF_CODE_MODULE_H
#define RSPACK_PROF_CODE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_error;
struct prof_image;
struct prof_space;
struct prof_modules;
#define PROF_MODULES_MAX 65536

enum prof_module_flag {
  PROF_MODULE_SYMTAB = 1,     /* .symtab in the file or in its separate debug file */
  PROF_MODULE_EH_FRAME = 2,   /* .eh_frame */
  PROF_MODULE_DEBUG_INFO = 4, /* .debug_info, there or in the debug file */
  PROF_MODULE_UNINDEXED = 8   /* prof_image_is_unindexed; of files on disk */
};

enum prof_module_state {
  PROF_MODULE_ON_DISK,
  PROF_MODULE_IN_MEMORY, /* vdso: the mapped image is the whole file */
  PROF_MODULE_DELETED,   /* no file at the path any more */
  PROF_MODULE_REPLACED   /* the file at the path is not the one that is mapped */
};

struct prof_module {
  const char *path;       /* as mapped, without " (deleted)" */
  const char *name;       /* base name; "[vdso]" */
  const char *build_id;   /* hex; without one content_id's; "" for a file that is gone */
  const char *debug_path; /* separate debug file (.gnu_debuglink, build-id folder), NULL: none */
  uint64_t start, end;    /* lowest and highest executable address */
  uint64_t bias;          /* address = bias + virtual address of the file */
  uint64_t inode, device; /* of the file that was opened, to see that it is still the same */
  uint8_t flags;          /* enum prof_module_flag */
  uint8_t state;          /* enum prof_module_state */
};

struct prof_modules *prof_modules_create(struct prof_error *error);
void prof_modules_free(struct prof_modules *self);

/* All executable mappings of this process, into rows and into space (may be NULL). */
void prof_modules_load_self(struct prof_modules *self, struct prof_space *space);

/* One executable mapping: length bytes at start show path from file offset on. Returns the
 * module's index, or -1 where it is none. Not-executable mappings must not be passed. */
int prof_modules_mapped(struct prof_modules *self, struct prof_space *space, uint64_t start,
                        uint64_t length, uint64_t offset, const char *path);

/* A file that nothing has mapped, as the loader would put it at base, which is above all of its
 * addresses. Its module's index, or -1 where it has no code. */
int prof_modules_map_image(struct prof_modules *self, struct prof_space *space,
                           const struct prof_image *image, const char *path, uint64_t base);

/* A module of another process, as it was seen there (path, build id, bias, range, flags): its
 * index, -1 where memory ends. Its file's symbols are used where it still has that build id. */
int prof_modules_declare(struct prof_modules *self, const struct prof_module *seen);

size_t prof_modules_count(const struct prof_modules *self);
const struct prof_module *prof_modules_at(const struct prof_modules *self, size_t index);

/* The module whose executable range holds address now; -1: none. */
int32_t prof_modules_find(const struct prof_modules *self, uint64_t address);
size_t prof_modules_refused(const struct prof_modules *self);

#endif
