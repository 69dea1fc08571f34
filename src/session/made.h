/*
 * made: the records that a perf.data begins with, as perf makes them: what was there before the
 * first record of the kernel's: threads, mappings, and where the kernel stood.
 *
 * The caller provides a file whose attribute is attr.c's (the sample_id is of that layout).
 * Refuses: paths beyond PATH_MAX (cut).
 */
#ifndef RSPACK_PROF_SESSION_MADE_H
#define RSPACK_PROF_SESSION_MADE_H

#include <stdint.h>

#include "code/maps.h"
#include "perf/datasave.h"

void prof_made_thread(struct prof_datasave *save, uint32_t pid, uint32_t tid, const char *name);

/* build_id: of id_bytes, at most 20; 0: not known. */
void prof_made_mapping(struct prof_datasave *save, uint32_t pid, const struct prof_mapping *mapping,
                       const uint8_t *build_id, uint8_t id_bytes);

/* perf's reference symbol, so that names are those of this start; nothing where it is hidden. */
void prof_made_kernel(struct prof_datasave *save);

#endif
