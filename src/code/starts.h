/*
 * starts: where a function without a symbol starts and ends, from the binary search table of
 * .eh_frame_hdr and the entries of .eh_frame that it points to.
 *
 * All places of one such function get one name then. The table is read whole (8 bytes a function),
 * the entries one by one as they are asked for. Every number of the file is hostile.
 * Takes the image over and closes it. Refuses (NULL) tables of another form than the one all
 * linkers write: sorted pairs of 4 bytes, relative to the section.
 */
#ifndef RSPACK_PROF_CODE_STARTS_H
#define RSPACK_PROF_CODE_STARTS_H

#include <stdbool.h>
#include <stdint.h>

struct prof_image;
struct prof_starts;

/* NULL: there is no table, or memory ends; image is closed in any case. */
struct prof_starts *prof_starts_open(struct prof_image *image);
void prof_starts_close(struct prof_starts *self);

/* Virtual address of the start of the function that holds a virtual address; false: none does. */
bool prof_starts_find(const struct prof_starts *self, uint64_t address, uint64_t *start);

#endif
