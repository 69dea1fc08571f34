#include "code/module.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/status.h"
#include "code/debugfile.h"
#include "code/image.h"
#include "code/loaded.h"
#include "code/space.h"

enum { NOTES_MAX = 4096, ARENA_MAX = 64 << 20, PAGE_BYTES = 4096 };

struct prof_modules {
  struct prof_arena texts;
  struct prof_module *rows;
  size_t count, capacity, refused;
  bool is_live; /* rows are of this very process: its memory may be asked */
};

struct prof_modules *prof_modules_create(struct prof_error *error) {
  struct prof_modules *self = calloc(1, sizeof *self);
  if (!self) {
    prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "not enough memory for the list of modules");
    return NULL;
  }
  prof_arena_init(&self->texts, ARENA_MAX);
  return self;
}

void prof_modules_free(struct prof_modules *self) {
  if (!self)
    return;
  prof_arena_free(&self->texts);
  free(self->rows);
  free(self);
}

size_t prof_modules_count(const struct prof_modules *self) {
  return self->count;
}

const struct prof_module *prof_modules_at(const struct prof_modules *self, size_t index) {
  return index < self->count ? &self->rows[index] : NULL;
}

int32_t prof_modules_find(const struct prof_modules *self, uint64_t address) {
  for (size_t i = self->count; i-- > 0;) /* the latest first: what was unmapped may be overlaid */
    if (address >= self->rows[i].start && address < self->rows[i].end)
      return (int32_t)i;
  return -1;
}

size_t prof_modules_refused(const struct prof_modules *self) {
  return self->refused;
}

static const char *copy(struct prof_modules *self, const char *text) {
  const char *made = prof_arena_copy_text(&self->texts, text, strlen(text));
  return made ? made : "";
}

/* Bias of a file whose bytes from offset on are mapped at start: by the segment that holds them. */
static bool find_bias(const struct prof_image *image, uint64_t start, uint64_t offset,
                      uint64_t *bias) {
  for (int only_code = 1; only_code >= 0; only_code--) /* the usual case first */
    for (size_t i = 0; i < image->header.e_phnum; i++) {
      const Elf64_Phdr *segment = &image->segments[i];
      uint64_t first = segment->p_offset & ~(uint64_t)(PAGE_BYTES - 1);
      if (segment->p_type != PT_LOAD || (only_code && !(segment->p_flags & PF_X)))
        continue;
      if (offset >= first &&
          offset - segment->p_offset + PAGE_BYTES < segment->p_filesz + 2 * (uint64_t)PAGE_BYTES) {
        *bias = start - offset + segment->p_offset - segment->p_vaddr;
        return true;
      }
    }
  return false;
}

struct loaded {
  uint64_t address; /* wanted */
  uint64_t bias;
  char build_id[PROF_BUILD_ID_TEXT];
  Elf64_Phdr segments[64];
  size_t segment_count;
  bool found, has_notes; /* has_notes: build_id says what memory says */
};

/* Through the kernel, which checks: a file that was cut short since it was mapped, or program
 * headers that lie, would be a SIGBUS or SIGSEGV in the build. */
static void read_notes(struct loaded *loaded, const Elf64_Phdr *note) {
  unsigned char bytes[NOTES_MAX];
  int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  ssize_t got = -1;
  if (fd < 0)
    return;
  if (note->p_memsz <= sizeof bytes)
    got = pread(fd, bytes, note->p_memsz, (off_t)(loaded->bias + note->p_vaddr));
  close(fd);
  if (got != (ssize_t)note->p_memsz)
    return;
  loaded->has_notes = true;
  if (!loaded->build_id[0])
    prof_notes_build_id(bytes, (size_t)got, loaded->build_id);
}

/* Runs under the loader's lock: the object stays while its headers are read. */
static int match_loaded(struct dl_phdr_info *info, size_t size, void *user) {
  struct loaded *loaded = user;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum && !loaded->found; i++) {
    const Elf64_Phdr *segment = &info->dlpi_phdr[i];
    if (segment->p_type == PT_LOAD &&
        loaded->address - (info->dlpi_addr + segment->p_vaddr) < segment->p_memsz + PAGE_BYTES &&
        (segment->p_flags & PF_X))
      loaded->found = true;
  }
  if (!loaded->found)
    return 0;
  loaded->bias = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum && i < 64; i++) {
    const Elf64_Phdr *segment = &info->dlpi_phdr[i];
    loaded->segments[loaded->segment_count++] = *segment;
    if (segment->p_type == PT_NOTE)
      read_notes(loaded, segment);
  }
  return 1;
}

/* Is the file the one whose image the loader mapped? By build id; without one (the rspack binding
 * has none) by the program headers, whose sizes and addresses change with any other build. */
static bool is_same(struct prof_image *image, const char *build_id, const struct loaded *loaded) {
  if (loaded->has_notes && (build_id[0] || loaded->build_id[0]))
    return strcmp(build_id, loaded->build_id) == 0;
  if (image->header.e_phnum < loaded->segment_count)
    return false;
  return memcmp(image->segments, loaded->segments,
                loaded->segment_count * sizeof *loaded->segments) == 0;
}

static void describe(struct prof_modules *self, struct prof_image *image,
                     struct prof_module *module) {
  char path[PATH_MAX];
  struct stat stat;
  if (prof_image_section(image, ".symtab"))
    module->flags |= PROF_MODULE_SYMTAB;
  if (prof_image_section(image, ".eh_frame"))
    module->flags |= PROF_MODULE_EH_FRAME;
  if (prof_image_section(image, ".debug_info"))
    module->flags |= PROF_MODULE_DEBUG_INFO;
  if (image->fd >= 0 && prof_image_is_unindexed(image))
    module->flags |= PROF_MODULE_UNINDEXED;
  if (image->fd >= 0 && fstat(image->fd, &stat) == 0) {
    module->inode = stat.st_ino;
    module->device = stat.st_dev;
  }
  if (image->fd >= 0 && !(module->flags & PROF_MODULE_DEBUG_INFO) &&
      prof_debugfile_find(image, module->path, module->build_id, path, sizeof path)) {
    module->debug_path = copy(self, path);
    module->flags |= PROF_MODULE_SYMTAB | PROF_MODULE_DEBUG_INFO;
  }
}

/* Opens what is mapped and fills bias, build id, flags, state. -1: no ELF file. */
static int examine(struct prof_modules *self, struct prof_module *module, bool is_deleted,
                   uint64_t length, uint64_t offset) {
  struct loaded loaded = {.address = module->start};
  struct prof_image image = {.fd = -1};
  char build_id[PROF_BUILD_ID_TEXT] = "";
  bool is_open, is_vdso = strcmp(module->path, "[vdso]") == 0;
  if (is_vdso && !self->is_live)
    return -1;
  if (is_vdso)
    is_open = prof_image_open_memory(&image, (const void *)module->start, length) == 0;
  else
    is_open = !is_deleted && prof_image_open_file(&image, module->path) == 0;
  if (is_open)
    prof_image_build_id(&image, build_id);
  if (self->is_live && !is_vdso)
    dl_iterate_phdr(match_loaded, &loaded);
  module->state = is_vdso   ? PROF_MODULE_IN_MEMORY
                  : is_open ? PROF_MODULE_ON_DISK
                            : PROF_MODULE_DELETED;
  if (loaded.found && is_open && !is_same(&image, build_id, &loaded))
    module->state = PROF_MODULE_REPLACED;
  if (module->state == PROF_MODULE_REPLACED || module->state == PROF_MODULE_DELETED) {
    prof_image_close(&image);
    if (!loaded.found)
      return -1;
    module->bias = loaded.bias;
    module->build_id = copy(self, loaded.build_id);
    for (size_t i = 0; i < loaded.segment_count; i++)
      if (loaded.segments[i].p_type == PT_GNU_EH_FRAME)
        module->flags |= PROF_MODULE_EH_FRAME;
    return 0;
  }
  if (!find_bias(&image, module->start, offset, &module->bias)) {
    prof_image_close(&image);
    return -1;
  }
  module->build_id = build_id; /* the debug file is looked for by the true one */
  describe(self, &image, module);
  if (!build_id[0])
    prof_image_content_id(&image, build_id);
  module->build_id = copy(self, build_id);
  prof_image_close(&image);
  return 0;
}

/* Memory that looks like a file but is none: JIT arenas in memfd or shared memory, devices. */
static bool is_no_file(const char *path) {
  return (path[0] != '/' && strcmp(path, "[vdso]") != 0) || strncmp(path, "//", 2) == 0 ||
         strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/SYSV", 5) == 0;
}

static int64_t known_row(const struct prof_modules *self, const struct prof_module *module) {
  for (size_t i = self->count; i-- > 0;) {
    const struct prof_module *row = &self->rows[i];
    if (row->bias == module->bias && row->state == module->state && row->inode == module->inode &&
        row->device == module->device && strcmp(row->path, module->path) == 0 &&
        strcmp(row->build_id, module->build_id) == 0)
      return (int64_t)i;
  }
  return -1;
}

static int add_range(struct prof_space *space, uint64_t start, uint64_t length, int32_t index) {
  struct prof_code code = {
      .kind = PROF_CODE_MODULE, .start = start, .size = length, .module = index};
  return space && prof_space_add(space, &code) == PROF_CODE_NONE ? -1 : index;
}

int prof_modules_mapped(struct prof_modules *self, struct prof_space *space, uint64_t start,
                        uint64_t length, uint64_t offset, const char *path) {
  static const char suffix[] = " (deleted)";
  size_t size = strlen(path), cut = sizeof suffix - 1;
  bool is_deleted = size > cut && strcmp(path + size - cut, suffix) == 0;
  struct prof_module module = {.start = start, .end = start + length};
  char plain[PATH_MAX];
  int64_t index;
  const char *slash;
  if (is_no_file(path) || size >= sizeof plain)
    return -1;
  if (length == 0 || length > UINT32_MAX || start > UINT64_MAX - length ||
      self->count == PROF_MODULES_MAX)
    goto refused;
  size -= is_deleted ? cut : 0;
  memcpy(plain, path, size);
  plain[size] = '\0';
  module.path = plain;
  if (examine(self, &module, is_deleted, length, offset))
    goto refused;
  index = known_row(self, &module);
  if (index >= 0) {
    struct prof_module *row = &self->rows[index];
    row->start = start < row->start ? start : row->start;
    row->end = module.end > row->end ? module.end : row->end;
    return add_range(space, start, length, (int32_t)index);
  }
  slash = strrchr(plain, '/');
  module.path = prof_arena_copy_text(&self->texts, plain, size);
  if (!module.path || prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                                         sizeof *self->rows))
    goto refused;
  module.name = slash ? module.path + (slash + 1 - plain) : module.path;
  self->rows[self->count] = module;
  return add_range(space, start, length, (int32_t)self->count++);
refused:
  self->refused++;
  return -1;
}

int prof_modules_map_image(struct prof_modules *self, struct prof_space *space,
                           const struct prof_image *image, const char *path, uint64_t base) {
  const uint64_t in_page = PAGE_BYTES - 1;
  int module = -1;
  for (size_t i = 0; i < image->header.e_phnum; i++) {
    const Elf64_Phdr *segment = &image->segments[i];
    uint64_t slack = segment->p_offset & in_page;
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || segment->p_vaddr >= base)
      continue;
    module = prof_modules_mapped(self, space, base + segment->p_vaddr - slack,
                                 (segment->p_filesz + slack + in_page) & ~in_page,
                                 segment->p_offset - slack, path);
  }
  return module;
}

int prof_modules_declare(struct prof_modules *self, const struct prof_module *seen) {
  struct prof_image image = {.fd = -1};
  char build_id[PROF_BUILD_ID_TEXT] = "";
  const char *slash = strrchr(seen->path, '/');
  if (self->count == PROF_MODULES_MAX || prof_array_reserve((void **)&self->rows, &self->capacity,
                                                            self->count + 1, sizeof *self->rows))
    return -1;
  struct prof_module *row = &self->rows[self->count];
  *row = *seen;
  row->path = copy(self, seen->path);
  row->name = slash ? row->path + (slash + 1 - seen->path) : row->path;
  row->build_id = copy(self, seen->build_id);
  row->debug_path = NULL;
  row->state = PROF_MODULE_DELETED;
  row->flags &= PROF_MODULE_EH_FRAME;
  if (!is_no_file(seen->path) && slash && prof_image_open_file(&image, row->path) == 0) {
    prof_image_build_id(&image, build_id);
    bool has_id = build_id[0] != 0;
    if (!has_id)
      prof_image_content_id(&image, build_id);
    bool is_same = build_id[0] && strcmp(build_id, row->build_id) == 0;
    row->state = is_same ? PROF_MODULE_ON_DISK : PROF_MODULE_REPLACED;
    if (is_same) {
      /* The debug file is looked for by the true id alone. */
      const char *id = row->build_id;
      row->build_id = has_id ? id : "";
      describe(self, &image, row);
      row->build_id = id;
    }
    prof_image_close(&image);
  }
  return (int)self->count++;
}

struct loading {
  struct prof_modules *modules;
  struct prof_space *space;
};

static void load_mapping(void *user, const struct prof_mapping *mapping) {
  struct loading *loading = user;
  if (mapping->is_executable)
    prof_modules_mapped(loading->modules, loading->space, mapping->start,
                        mapping->end - mapping->start, mapping->offset, mapping->path);
}

void prof_modules_load_self(struct prof_modules *self, struct prof_space *space) {
  struct loading loading = {self, space};
  self->is_live = true;
  prof_loaded_visit(load_mapping, &loading);
}
