#include "trace/xray_patch.h"

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/membarrier.h>

#include "base/array.h"
#include "base/status.h"
#include "base/table.h"
#include "code/image.h"
#include "trace/plan.h"
#include "trace/xray_code.h"
#include "trace/xray_hit.h"
#include "trace/xray_map.h"

enum { SECTION_MAX = 1 << 28 };

struct place {
  struct stat file;
  uint64_t bias;
  int found;
};

static int find_bias(struct dl_phdr_info *info, size_t size, void *user) {
  struct place *place = user;
  struct stat stat_of;
  (void)size;
  if (stat(info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe", &stat_of) ||
      stat_of.st_ino != place->file.st_ino || stat_of.st_dev != place->file.st_dev)
    return 0;
  place->bias = info->dlpi_addr;
  place->found = 1;
  return 1;
}

static int add(struct prof_xray_patch *self, struct prof_xray_sled sled) {
  if (prof_array_reserve((void **)&self->sleds, &self->capacity, self->count + 1,
                         sizeof *self->sleds))
    return -1;
  self->sleds[self->count++] = sled;
  return 0;
}

typedef int visit_sled(void *user, const struct prof_sled *sled, uint32_t func);

/* Those of one object's functions, which `ids` has by address, until visit returns other than 0. */
static int each_sled(const char *path, const struct prof_table *ids, visit_sled *visit,
                     void *user) {
  struct prof_image image;
  const Elf64_Shdr *section;
  struct prof_sled sled;
  unsigned char *bytes = NULL;
  size_t size = 0;
  int stopped = 0;
  if (prof_image_open_file(&image, path))
    return 0;
  section = prof_image_section(&image, "xray_instr_map");
  if (section)
    bytes = prof_image_read_section(&image, section, SECTION_MAX, &size);
  for (size_t i = 0; bytes && !stopped && i < size / PROF_SLED_ENTRY_BYTES; i++) {
    uint32_t func;
    if (prof_sled_read(bytes, size, section->sh_addr, i, &sled) &&
        (func = prof_table_get(ids, sled.function)) != PROF_TABLE_NONE)
      stopped = visit(user, &sled, func);
  }
  free(bytes);
  prof_image_close(&image);
  return stopped;
}

struct finding {
  struct prof_xray_patch *patch;
  uint64_t bias;
};

static int found(void *user, const struct prof_sled *sled, uint32_t func) {
  const struct finding *finding = user;
  struct prof_xray_patch *self = finding->patch;
  unsigned char *at = (unsigned char *)(uintptr_t)(sled->address + finding->bias), unused[16];
  /* The section says where code is: what is there must say so too. */
  if (!prof_xray_x86_is_sled(sled->kind, at) || (uintptr_t)at % 2 ||
      !prof_xray_x86_patched(sled->kind, (uintptr_t)at, prof_xray_trampoline(sled->kind), 0,
                             unused)) {
    self->refused++;
    return 0;
  }
  self->functions += sled->kind == PROF_SLED_ENTRY;
  return add(self, (struct prof_xray_sled){at, func, sled->kind});
}

static int count(void *user, const struct prof_sled *sled, uint32_t func) {
  (void)func;
  *(size_t *)user += sled->kind == PROF_SLED_ENTRY;
  return 0;
}

/* By address, of one object's functions. -1 where memory ends. */
static int table_of(const struct prof_call_plan *plan, size_t object, struct prof_table *ids) {
  int failed = 0;
  for (uint32_t f = 0; f < plan->func_count; f++)
    if (plan->funcs[f].object == object)
      failed |= prof_table_put(ids, plan->funcs[f].address, f);
  return failed;
}

size_t prof_xray_patch_count_in_files(const struct prof_call_plan *plan) {
  size_t total = 0;
  for (size_t i = 0; i < plan->object_count; i++) {
    struct prof_table ids = {0};
    if (table_of(plan, i, &ids) == 0)
      each_sled(plan->objects[i].path, &ids, count, &total);
    prof_table_free(&ids);
  }
  return total;
}

int prof_xray_patch_find(struct prof_xray_patch *self, const struct prof_call_plan *plan,
                         struct prof_error *error) {
  *self = (struct prof_xray_patch){0};
  for (size_t i = 0; i < plan->object_count; i++) {
    struct place place = {.found = 0};
    struct prof_table ids = {0};
    if (fstat(plan->objects[i].fd, &place.file) || !dl_iterate_phdr(find_bias, &place) ||
        !place.found)
      continue;
    struct finding finding = {self, place.bias};
    int failed = table_of(plan, i, &ids) || each_sled(plan->objects[i].path, &ids, found, &finding);
    prof_table_free(&ids);
    if (failed) {
      prof_xray_patch_free(self);
      return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the sleds");
    }
  }
  return PROF_OK;
}

static int by_place(const void *a, const void *b) {
  const struct prof_xray_sled *one = a, *other = b;
  return one->at < other->at ? -1 : one->at > other->at;
}

/* Every page that holds a sled, each once: two where one lies on a border. */
static int protect(const struct prof_xray_patch *self, int how) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), done = 0;
  for (size_t i = 0; i < self->count; i++) {
    uintptr_t first = (uintptr_t)self->sleds[i].at & ~(page - 1);
    uintptr_t last = ((uintptr_t)self->sleds[i].at + PROF_XRAY_X86_BYTES - 1) & ~(page - 1);
    for (uintptr_t at = first; at <= last; at += page) {
      if (at < done)
        continue;
      if (mprotect((void *)at, page, how))
        return -errno;
      done = at + page;
    }
  }
  return 0;
}

static void sync_cores(void) {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0) == 0)
    return;
  syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
  syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
}

static void store_first(unsigned char *at, const unsigned char *first) {
  uint16_t both;
  memcpy(&both, first, sizeof both);
  __atomic_store_n((uint16_t *)(void *)at, both, __ATOMIC_SEQ_CST);
}

static int begin(struct prof_xray_patch *self, struct prof_error *error) {
  qsort(self->sleds, self->count, sizeof *self->sleds, by_place);
  int failed = protect(self, PROT_READ | PROT_WRITE | PROT_EXEC);
  if (failed) {
    protect(self, PROT_READ | PROT_EXEC);
    return prof_error_set(error, PROF_PERMISSION, -failed, "mprotect",
                          "this system lets no program change its own code (SELinux's execmod, "
                          "or a seccomp filter): trace with probes, as root");
  }
  return PROF_OK;
}

int prof_xray_patch_apply(struct prof_xray_patch *self, struct prof_error *error) {
  unsigned char bytes[PROF_XRAY_X86_BYTES];
  int status = begin(self, error);
  if (status)
    return status;
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < self->count; i++) {
      const struct prof_xray_sled *sled = &self->sleds[i];
      prof_xray_x86_patched(sled->kind, (uintptr_t)sled->at, prof_xray_trampoline(sled->kind),
                            sled->func, bytes);
      if (pass == 0)
        memcpy(sled->at + PROF_XRAY_X86_FIRST, bytes + PROF_XRAY_X86_FIRST,
               PROF_XRAY_X86_BYTES - PROF_XRAY_X86_FIRST);
      else
        store_first(sled->at, bytes);
    }
    sync_cores();
  }
  protect(self, PROT_READ | PROT_EXEC);
  return PROF_OK;
}

int prof_xray_patch_undo(struct prof_xray_patch *self, struct prof_error *error) {
  unsigned char first[PROF_XRAY_X86_FIRST];
  int status = begin(self, error);
  if (status)
    return status;
  /* Entries first: who was seen to come in is seen to leave. */
  for (int pass = 0; pass < 2; pass++) {
    for (size_t i = 0; i < self->count; i++) {
      if ((self->sleds[i].kind == PROF_SLED_ENTRY) != (pass == 0))
        continue;
      prof_xray_x86_unpatched(self->sleds[i].kind, first);
      store_first(self->sleds[i].at, first);
    }
    sync_cores();
  }
  protect(self, PROT_READ | PROT_EXEC);
  return PROF_OK;
}

int prof_xray_patch_drop(struct prof_xray_patch *self, const struct prof_call_plan *plan,
                         struct prof_error *error) {
  struct prof_xray_patch gone = {0};
  size_t kept = 0;
  int status = PROF_OK;
  for (size_t i = 0; i < self->count && !status; i++)
    if (plan->funcs[self->sleds[i].func].is_dropped && add(&gone, self->sleds[i]))
      status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the sleds");
  if (!status)
    status = prof_xray_patch_undo(&gone, error);
  for (size_t i = 0; i < self->count && !status; i++)
    if (!plan->funcs[self->sleds[i].func].is_dropped)
      self->sleds[kept++] = self->sleds[i];
  if (!status)
    self->count = kept;
  prof_xray_patch_free(&gone);
  return status;
}

void prof_xray_patch_free(struct prof_xray_patch *self) {
  free(self->sleds);
  *self = (struct prof_xray_patch){0};
}
