/*
 * space: which code stands at an address now: ranges -> code ids, changed in time order.
 *
 * The caller is one thread (the profiler's): it applies every change up to a sample's time, then
 * looks the sample's addresses up; the space remembers nothing about time. Names are borrowed (an
 * arena that lives as long). Ids are never reused: a place stays true when its range ends or moves.
 *
 * Two layers: modules below, all else above; V8's builtins lie inside the node image and are found
 * first. An alias says that a range (an isolate's copy of the builtins) is to be looked up
 * elsewhere. A new module trims modules (as mmap does) and ends the code it covers, builtins
 * excepted; new code ends the code it overlaps: V8 reuses memory without a word. An add that
 * repeats a live range (same start, size, kind, module, name: V8 lists twice) gives its id.
 *
 * Refuses: empty ranges, ranges that wrap or are over 4 GiB, adds beyond memory: PROF_CODE_NONE.
 */
#ifndef RSPACK_PROF_CODE_SPACE_H
#define RSPACK_PROF_CODE_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code/place.h"

struct prof_space;

struct prof_space *prof_space_create(void); /* NULL where memory ends */
void prof_space_free(struct prof_space *self);
uint32_t prof_space_add(struct prof_space *self, const struct prof_code *code); /* its id */
/* An id without a range: for places that are known by id alone (session/recover.h). */
uint32_t prof_space_declare(struct prof_space *self, const struct prof_code *code);
void prof_space_remove(struct prof_space *self, uint64_t start);           /* code, then module */
void prof_space_move(struct prof_space *self, uint64_t from, uint64_t to); /* keeps the id */
void prof_space_unmap(struct prof_space *self, uint64_t start, uint64_t size); /* both layers */

/* Addresses in [start, start + size) mean those from `to` on. 0, or -1 for a bad range or memory.
 * canonical: the address that is meant (itself outside an alias). */
int prof_space_alias(struct prof_space *self, uint64_t start, uint64_t size, uint64_t to);
uint64_t prof_space_canonical(const struct prof_space *self, uint64_t address);

/* false: nothing known there, *out is untouched (see prof_space_place). */
bool prof_space_find(const struct prof_space *self, uint64_t address, struct prof_place *out);
/* As find, but never fails: kernel addresses get id 1, unknown ones id 0 and an offset that
 * prof_space_address() turns back into the address (0 when more than 2^20 are unknown). */
struct prof_place prof_space_place(struct prof_space *self, uint64_t address);
uint64_t prof_space_address(const struct prof_space *self, struct prof_place place);

/* Valid as long as the space; start is that of now. NULL for an id that does not exist. */
const struct prof_code *prof_space_code(const struct prof_space *self, uint32_t id);
size_t prof_space_count(const struct prof_space *self); /* ids given, the reserved ones included */
size_t prof_space_live(const struct prof_space *self);  /* ranges that can be found now */
/* Another once an address may stand for other code than before (unknown ones do not count). */
uint64_t prof_space_generation(const struct prof_space *self);
const char *prof_code_kind_name(uint8_t kind);

#endif
