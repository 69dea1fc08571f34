#include "session/elsewhere.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "base/array.h"
#include "code/image.h"
#include "session/unindexed.h"

enum { SECTION_BYTES = 256 << 20, SYMBOLS_BYTES = 256 << 20 };

struct prof_elsewhere_file {
  char *path;
  char build_id[PROF_BUILD_ID_TEXT];
  bool is_there, is_counted, is_libc, is_linker;
  struct prof_cfi_image sections; /* addresses as in the file: the bias is added at the mapping */
  uint64_t blob_start, blob_end;  /* V8's builtins, as in the file; 0: none */
};

void prof_elsewhere_init(struct prof_elsewhere *self, struct prof_rows *rows, bool same_kernel) {
  *self = (struct prof_elsewhere){.rows = rows, .same_kernel = same_kernel};
}

void prof_elsewhere_free(struct prof_elsewhere *self) {
  for (size_t i = 0; i < self->count; i++) {
    free(self->files[i].path);
    prof_unindexed_drop(&self->files[i].sections);
  }
  free(self->files);
  prof_filecode_free(&self->code);
  memset(self, 0, sizeof *self);
}

static void read_section(struct prof_image *image, const char *name, struct prof_cfi_section *out) {
  const Elf64_Shdr *section = prof_image_section(image, name);
  size_t size;
  if (!section)
    return;
  out->bytes = prof_image_read_section(image, section, SECTION_BYTES, &size);
  out->size = out->bytes ? size : 0;
  out->address = section->sh_addr;
}

/* The builtins have no unwind rows but symbols of their own ("Builtins_Abort"), in one run. */
static void find_blob(struct prof_image *image, struct prof_elsewhere_file *file) {
  const Elf64_Shdr *table = prof_image_section(image, ".symtab");
  const Elf64_Shdr *names = table ? prof_image_section_at(image, table->sh_link) : NULL;
  size_t table_bytes = 0, name_bytes = 0;
  Elf64_Sym *symbols =
      names ? prof_image_read_section(image, table, SYMBOLS_BYTES, &table_bytes) : NULL;
  char *texts = symbols ? prof_image_read_section(image, names, SYMBOLS_BYTES, &name_bytes) : NULL;
  static const char prefix[] = "Builtins_";
  for (size_t i = 0; texts && i < table_bytes / sizeof *symbols; i++) {
    const Elf64_Sym *symbol = &symbols[i];
    if (symbol->st_name + sizeof prefix > name_bytes ||
        memcmp(texts + symbol->st_name, prefix, sizeof prefix - 1) != 0)
      continue;
    /* unsized in some versions: the last builtin is then believed to be a page long */
    uint64_t size = symbol->st_size ? symbol->st_size : 4096;
    if (!file->blob_start || symbol->st_value < file->blob_start)
      file->blob_start = symbol->st_value;
    if (symbol->st_value + size > file->blob_end)
      file->blob_end = symbol->st_value + size;
  }
  free(symbols);
  free(texts);
}

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* Read once; NULL where memory ends. */
static struct prof_elsewhere_file *file_at(struct prof_elsewhere *self, const char *path) {
  struct prof_image image;
  for (size_t i = 0; i < self->count; i++)
    if (strcmp(self->files[i].path, path) == 0)
      return &self->files[i];
  if (self->count == PROF_ELSEWHERE_MAX ||
      prof_array_reserve((void **)&self->files, &self->capacity, self->count + 1,
                         sizeof *self->files))
    return NULL;
  struct prof_elsewhere_file *file = &self->files[self->count];
  const char *name = base_name(path);
  *file = (struct prof_elsewhere_file){.path = strdup(path)};
  if (!file->path)
    return NULL;
  self->count++;
  file->is_libc = strncmp(name, "libc.so", 7) == 0 || strncmp(name, "libc-2", 6) == 0;
  file->is_linker = strncmp(name, "ld-", 3) == 0;
  if (prof_image_open_file(&image, path))
    return file;
  file->is_there = true;
  prof_image_build_id(&image, file->build_id);
  if (!prof_unindexed_read(&image, &file->sections)) {
    read_section(&image, ".eh_frame_hdr", &file->sections.hdr);
    read_section(&image, ".eh_frame", &file->sections.frame);
  }
  if (strncmp(name, "node", 4) == 0 || strncmp(name, "libnode", 7) == 0)
    find_blob(&image, file);
  prof_image_close(&image);
  return file;
}

static bool is_same_id(const char *text, const unsigned char *build_id, size_t bytes) {
  if (strlen(text) < 2 * bytes) /* longer ones are cut to 20 bytes in perf's records */
    return false;
  for (size_t i = 0; i < bytes; i++) {
    char digits[3];
    snprintf(digits, sizeof digits, "%02x", build_id[i]);
    if (memcmp(text + 2 * i, digits, 2) != 0)
      return false;
  }
  return true;
}

const char *prof_elsewhere_find(struct prof_elsewhere *self, const char *path, const char *folder,
                                const unsigned char *build_id, size_t bytes) {
  char beside[PATH_MAX];
  struct prof_elsewhere_file *file = file_at(self, path);
  if (file && file->is_there && (!bytes || is_same_id(file->build_id, build_id, bytes)))
    return file->path;
  int length = snprintf(beside, sizeof beside, "%s%s", folder, base_name(path));
  if (bytes && length > 0 && (size_t)length < sizeof beside) {
    struct prof_elsewhere_file *other = file_at(self, beside);
    if (other && other->is_there && is_same_id(other->build_id, build_id, bytes))
      return other->path;
    file = file_at(self, path); /* the list may have moved */
  }
  if (!file) {
    self->refused++;
  } else if (!file->is_counted) {
    file->is_counted = true;
    if (!self->gone && !self->replaced)
      snprintf(self->example, sizeof self->example, "%s", path);
    self->replaced += file->is_there;
    self->gone += !file->is_there;
  }
  return NULL;
}

/* The builtins at their own place, or a copy that V8 mapped elsewhere: both by frame pointers. */
static bool is_blob_copy(struct prof_elsewhere *self, const struct prof_elsewhere_file *file,
                         uint64_t bias) {
  uint64_t start = file->blob_start + bias, end = file->blob_end + bias;
  if (!file->blob_end)
    return false;
  if (self->has_v8 && self->v8.blob_start != start)
    return true;
  self->v8.blob_start = start;
  self->v8.blob_end = end;
  self->has_v8 = true;
  return false;
}

void prof_elsewhere_map(struct prof_elsewhere *self, const char *path, uint64_t start,
                        uint64_t length, uint64_t offset, uint64_t bias) {
  const struct prof_elsewhere_file *file = file_at(self, path);
  if (!file || !file->is_there)
    return;
  if (is_blob_copy(self, file, bias))
    return;
  /* Not V8's: whether a builtin has a frame is told by its own and its callers' instructions, and
   * those of JavaScript are in no file. With one half of them it would be told wrong. Nor the
   * dynamic linker's: its one function without rows is the process's first, and has no caller. */
  if (!file->blob_end && !file->is_linker)
    prof_filecode_map(&self->code, file->path, start, length, offset);
  if (self->mapped == PROF_ELSEWHERE_MAX) {
    self->refused++;
    return;
  }
  self->mapped++;
  struct prof_cfi_image image = file->sections;
  image.hdr.address += bias;
  image.frame.address += bias;
  if (prof_rows_add(self->rows, start, start + length, &image, NULL))
    self->refused++;
  if (file->is_libc)
    prof_rows_set_libc(self->rows, start, start + length);
}

/* Where the vdso's image ends: it is mapped as it stands in its file. */
static uint64_t loaded_bytes(const struct prof_image *image) {
  uint64_t end = 0;
  for (size_t i = 0; i < image->header.e_phnum; i++) {
    const Elf64_Phdr *segment = &image->segments[i];
    if (segment->p_type == PT_LOAD && segment->p_vaddr + segment->p_filesz > end)
      end = segment->p_vaddr + segment->p_filesz;
  }
  return end;
}

void prof_elsewhere_map_vdso(struct prof_elsewhere *self, uint64_t start, uint64_t length) {
  const unsigned char *own = (const unsigned char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
  struct prof_cfi_image sections = {0};
  struct prof_image image;
  if (!self->same_kernel || !own || prof_image_open_memory(&image, own, 4096))
    return;
  uint64_t size = loaded_bytes(&image);
  for (size_t i = 0; i < image.header.e_phnum && size <= length; i++) {
    const Elf64_Phdr *segment = &image.segments[i];
    uint64_t hdr = segment->p_vaddr;
    if (segment->p_type != PT_GNU_EH_FRAME || own[hdr + 1] != 0x1b)
      continue; /* 0x1b: relative to itself, 4 bytes, signed, as every linker writes it */
    int32_t to_frame;
    memcpy(&to_frame, own + hdr + 4, sizeof to_frame);
    uint64_t frame = hdr + 4 + (uint64_t)(int64_t)to_frame;
    sections.hdr = (struct prof_cfi_section){own + hdr, segment->p_memsz, start + hdr};
    sections.frame = (struct prof_cfi_section){own + frame, size - frame, start + frame};
  }
  prof_image_close(&image);
  if (sections.hdr.size && prof_rows_add(self->rows, start, start + length, &sections, NULL))
    self->refused++;
}
