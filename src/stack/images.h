/*
 * images: pc -> the ELF image of this process that holds it, and its unwind sections.
 *
 * glibc 2.35 on: _dl_find_object, lock-free and async-signal-safe (3 ns). Before: a table made from
 * dl_iterate_phdr and published by the profiler's thread; an image that was unmapped since is then
 * refused by asking the kernel for its pages first, which leaves the moment between question and
 * read (nothing of the kind can be closed while a frame of it is on the walking thread's stack).
 *
 * The caller provides a thread that may allocate for refresh, add and free. Old tables are kept
 * until free, since a handler may be reading them.
 */
#ifndef RSPACK_PROF_STACK_IMAGES_H
#define RSPACK_PROF_STACK_IMAGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "stack/cfi.h"

struct prof_images_table;

struct prof_image_range {
  uint64_t start, end;
};

/* Which 2 MB pieces of the address space hold code of images: a bit each, by the piece's number
 * modulo the bits. Set bits that are not cleared again only cost time. */
enum { PROF_IMAGES_PIECE_SHIFT = 21, PROF_IMAGES_PIECES = 1 << 16 };

struct prof_images {
  _Atomic uint64_t code_pieces[PROF_IMAGES_PIECES / 64];
  int (*find_object)(void *pc, void *result);    /* NULL: not in this glibc */
  struct prof_images_table *_Atomic mapped;      /* what dl_iterate_phdr said last */
  struct prof_images_table *_Atomic added;       /* given by prof_images_add */
  struct prof_images_table *old;                 /* replaced ones */
  struct prof_image_range libc[2];               /* libc, and libpthread before 2.34 */
  struct prof_image_range own;                   /* the library that this code is in; 0: none */
  _Atomic uint64_t largest_start, largest_bytes; /* but the program itself; 0: none */
  bool is_foreign;                               /* of another process: only what was added */
};

void prof_images_init(struct prof_images *self);
void prof_images_free(struct prof_images *self);
int prof_images_refresh(struct prof_images *self, struct prof_error *error);
/* What it overlaps goes: something was unmapped there. */
int prof_images_add(struct prof_images *self, uint64_t start, uint64_t end,
                    const struct prof_cfi_image *image, struct prof_error *error);

/* What was added and overlaps [start, end) goes: it was unmapped. */
void prof_images_drop(struct prof_images *self, uint64_t start, uint64_t end);

/* From now on nothing of this process is found, and one thread does everything. */
void prof_images_foreign(struct prof_images *self);

/* Quickly: false where no image that was mapped at the last refresh has code. */
static inline bool prof_images_may_be_code(const struct prof_images *self, uint64_t address) {
  uint64_t piece = address >> PROF_IMAGES_PIECE_SHIFT & (PROF_IMAGES_PIECES - 1);
  return atomic_load_explicit(&self->code_pieces[piece / 64], memory_order_relaxed) >> piece % 64 &
         1;
}

/* false: pc is in no image. An image without .eh_frame_hdr has empty sections. */
bool prof_images_find(const struct prof_images *self, uint64_t pc, struct prof_cfi_image *out);

#endif
