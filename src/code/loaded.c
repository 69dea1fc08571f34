#include "code/loaded.h"

#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

struct listing {
  prof_maps_visit *visit;
  void *user;
  const char *program; /* whose name in the list is "" */
};

static int visit_object(struct dl_phdr_info *info, size_t size, void *user) {
  struct listing *listing = user;
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  const char *path = info->dlpi_name;
  (void)size;
  if (!path[0])
    path = listing->program;
  else if (info->dlpi_addr == getauxval(AT_SYSINFO_EHDR))
    path = "[vdso]"; /* as /proc calls it, not linux-vdso.so.1 */
  for (size_t i = 0; path && i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    uint64_t start = info->dlpi_addr + segment->p_vaddr, end = start + segment->p_memsz;
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
      continue;
    struct prof_mapping mapping = {.start = start & ~(page - 1),
                                   .end = (end + page - 1) & ~(page - 1),
                                   .offset = segment->p_offset & ~(page - 1),
                                   .path = path,
                                   .is_executable = true};
    listing->visit(listing->user, &mapping);
  }
  return 0;
}

bool prof_loaded_visit(prof_maps_visit *visit, void *user) {
  char program[PATH_MAX];
  int sys_errno;
  if (prof_maps_read("/proc/self/maps", visit, user, &sys_errno) == 0)
    return true;
  /* What execve was given: relative to a folder that may not be ours any more. */
  const char *given = (const char *)getauxval(AT_EXECFN);
  struct listing listing = {visit, user, given && realpath(given, program) ? program : NULL};
  dl_iterate_phdr(visit_object, &listing);
  return false;
}

static int add_changes(struct dl_phdr_info *info, size_t size, void *user) {
  uint64_t *changes = user;
  (void)size;
  *changes = info->dlpi_adds + info->dlpi_subs;
  return 1; /* the same in each entry (glibc 2.4 on) */
}

uint64_t prof_loaded_generation(void) {
  uint64_t changes = 0;
  dl_iterate_phdr(add_changes, &changes);
  return changes;
}
