/*
 * object: where an ELF object that the dynamic linker has loaded stands in memory.
 *
 * The caller holds no lock of the dynamic linker's but its own (prof_object_at). Refuses nothing:
 * an object that loads nothing has start above end.
 */
#ifndef RSPACK_PROF_BASE_OBJECT_H
#define RSPACK_PROF_BASE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

struct dl_phdr_info;

struct prof_object {
  uint64_t start, end; /* of its first segment, and of its last one's end; not rounded to pages */
};

/* For the callback of dl_iterate_phdr. */
struct prof_object prof_object_of(const struct dl_phdr_info *info);

static inline bool prof_object_holds(const struct prof_object *self, uint64_t address) {
  return address >= self->start && address < self->end;
}

/* The one that holds address; false: none does. */
bool prof_object_at(uint64_t address, struct prof_object *out);

#endif
