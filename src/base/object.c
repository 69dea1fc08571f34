#include "base/object.h"

#include <link.h>

struct prof_object prof_object_of(const struct dl_phdr_info *info) {
  struct prof_object object = {.start = UINT64_MAX};
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    uint64_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
    if (segment->p_type != PT_LOAD)
      continue;
    object.start = start < object.start ? start : object.start;
    object.end = end > object.end ? end : object.end;
  }
  return object;
}

struct wanted {
  uint64_t address;
  struct prof_object object;
};

static int visit(struct dl_phdr_info *info, size_t size, void *user) {
  struct wanted *wanted = user;
  (void)size;
  wanted->object = prof_object_of(info);
  return prof_object_holds(&wanted->object, wanted->address);
}

bool prof_object_at(uint64_t address, struct prof_object *out) {
  struct wanted wanted = {.address = address};
  bool found = dl_iterate_phdr(visit, &wanted) != 0;
  if (found)
    *out = wanted.object;
  return found;
}
