/*
 * cfi_index: unwind sections whose linker wrote no sorted table -> a struct prof_cfi_image.
 *
 * `gcc -static` and `ld --no-eh-frame-hdr` leave .eh_frame without one. Code that was built with
 * -fno-asynchronous-unwind-tables -g has its rows in .debug_frame alone (DWARF 5, 6.4.1), which
 * is not mapped and has other headers: its entries are written anew as .eh_frame has them.
 *
 * The caller provides the sections' bytes as they stand in the file, and frees hdr.bytes and
 * frame.bytes of the result, whose addresses are the file's: a bias may be added to both. Not for
 * a handler: allocates. Refuses: 64-bit DWARF, entries with an augmentation that is not .eh_frame's
 * and what does not lie within 2 GB; DW_CFA_set_loc in .debug_frame (no compiler here writes it)
 * makes that function's rows bad. All of these are left out.
 */
#ifndef RSPACK_PROF_STACK_CFI_INDEX_H
#define RSPACK_PROF_STACK_CFI_INDEX_H

#include "stack/cfi.h"

/* Either section may be empty; .debug_frame's address does not matter. False: no function is in
 * them, or memory ended; out is empty then. */
bool prof_cfi_index(const struct prof_cfi_section *eh_frame,
                    const struct prof_cfi_section *debug_frame, struct prof_cfi_image *out);

#endif
