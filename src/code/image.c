#include "code/image.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { SEGMENTS_MAX = 128, SECTIONS_MAX = 4096, NOTES_MAX = 64 * 1024, NAMES_MAX = 1 << 20 };
enum { CONTENT_BYTES = 4096, ID_BYTES = 16 };

int prof_image_read(const struct prof_image *self, uint64_t offset, void *out, size_t size) {
  if (offset > self->size_bytes || size > self->size_bytes - offset)
    return -1;
  if (self->memory) {
    memcpy(out, self->memory + offset, size);
    return 0;
  }
  return prof_file_read_at(self->fd, out, size, offset) == size ? 0 : -1;
}

static bool is_ours(const Elf64_Ehdr *header) {
  return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS64 &&
         header->e_ident[EI_DATA] == ELFDATA2LSB &&
         (header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
         header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum <= SEGMENTS_MAX;
}

static int open_common(struct prof_image *self) {
  size_t bytes;
  if (prof_image_read(self, 0, &self->header, sizeof self->header) || !is_ours(&self->header))
    goto fail;
  bytes = self->header.e_phnum * sizeof(Elf64_Phdr);
  self->segments = malloc(bytes ? bytes : 1);
  if (!self->segments || prof_image_read(self, self->header.e_phoff, self->segments, bytes))
    goto fail;
  return 0;
fail:
  prof_image_close(self);
  return -1;
}

/* Takes fd over. */
static int open_fd(struct prof_image *self, int fd) {
  struct stat stat;
  *self = (struct prof_image){.fd = fd};
  /* a FIFO or a device could block the profiler's thread for ever */
  if (fstat(fd, &stat) || !S_ISREG(stat.st_mode) || stat.st_size < 0) {
    prof_image_close(self);
    return -1;
  }
  self->size_bytes = (uint64_t)stat.st_size;
  return open_common(self);
}

int prof_image_open_file(struct prof_image *self, const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  *self = (struct prof_image){.fd = -1};
  return fd < 0 ? -1 : open_fd(self, fd);
}

int prof_image_open_memory(struct prof_image *self, const void *memory, size_t size_bytes) {
  *self = (struct prof_image){.fd = -1, .memory = memory, .size_bytes = size_bytes};
  return open_common(self);
}

void prof_image_close(struct prof_image *self) {
  if (self->fd >= 0 && !self->memory)
    close(self->fd);
  free(self->segments);
  free(self->sections);
  free(self->section_names);
  *self = (struct prof_image){.fd = -1};
}

bool prof_image_holds(const struct prof_image *self, const Elf64_Shdr *section) {
  return section->sh_type != SHT_NOBITS && !(section->sh_flags & SHF_COMPRESSED) &&
         section->sh_offset <= self->size_bytes &&
         section->sh_size <= self->size_bytes - section->sh_offset;
}

uint64_t prof_image_at(const struct prof_image *self, uint64_t address, uint32_t flags,
                       uint64_t *offset) {
  for (size_t i = 0; i < self->header.e_phnum; i++) {
    const Elf64_Phdr *segment = &self->segments[i];
    uint64_t into = address - segment->p_vaddr;
    if (segment->p_type != PT_LOAD || (segment->p_flags & flags) != flags ||
        address < segment->p_vaddr || into >= segment->p_filesz)
      continue;
    *offset = segment->p_offset + into;
    return segment->p_filesz - into;
  }
  return 0;
}

void *prof_image_read_section(struct prof_image *self, const Elf64_Shdr *section, size_t limit,
                              size_t *size) {
  void *bytes;
  *size = 0;
  if (!prof_image_holds(self, section) || section->sh_size == 0 || section->sh_size > limit)
    return NULL;
  bytes = malloc(section->sh_size);
  if (!bytes || prof_image_read(self, section->sh_offset, bytes, section->sh_size)) {
    free(bytes);
    return NULL;
  }
  *size = section->sh_size;
  return bytes;
}

static void load_sections(struct prof_image *self) {
  const Elf64_Ehdr *header = &self->header;
  uint64_t count = header->e_shnum, names = header->e_shstrndx;
  Elf64_Shdr first;
  self->sections_tried = true;
  if (header->e_shoff == 0 || header->e_shentsize != sizeof(Elf64_Shdr) ||
      prof_image_read(self, header->e_shoff, &first, sizeof first))
    return;
  if (count == 0) /* gABI: more than 0xff00 sections; the count stands in section 0 */
    count = first.sh_size;
  if (names == SHN_XINDEX)
    names = first.sh_link;
  if (count == 0 || count > SECTIONS_MAX || names >= count)
    return;
  self->sections = malloc(count * sizeof *self->sections);
  if (!self->sections ||
      prof_image_read(self, header->e_shoff, self->sections, count * sizeof *self->sections)) {
    free(self->sections);
    self->sections = NULL;
    return;
  }
  self->section_count = count;
  self->section_names =
      prof_image_read_section(self, &self->sections[names], NAMES_MAX, &self->section_names_bytes);
  if (self->section_names)
    self->section_names[self->section_names_bytes - 1] = '\0';
}

const Elf64_Shdr *prof_image_section(struct prof_image *self, const char *name) {
  if (!self->sections_tried)
    load_sections(self);
  if (!self->section_names)
    return NULL;
  for (size_t i = 0; i < self->section_count; i++) {
    uint32_t at = self->sections[i].sh_name;
    if (at < self->section_names_bytes && strcmp(self->section_names + at, name) == 0)
      return &self->sections[i];
  }
  return NULL;
}

const Elf64_Shdr *prof_image_section_at(struct prof_image *self, size_t index) {
  if (!self->sections_tried)
    load_sections(self);
  return index < self->section_count ? &self->sections[index] : NULL;
}

/* Node 26 has one of 256 bytes, for one function, beside 5 MB of .eh_frame: listing all of them
 * again took 25 ms of each start. */
enum { FEW_ROWS = 64 };

bool prof_image_is_unindexed(struct prof_image *self) {
  const Elf64_Shdr *debug = prof_image_section(self, ".debug_frame");
  const Elf64_Shdr *listed = prof_image_section(self, ".eh_frame");
  if (debug && (!listed || debug->sh_size >= listed->sh_size / FEW_ROWS))
    return true;
  for (size_t i = 0; i < self->header.e_phnum; i++)
    if (self->segments[i].p_type == PT_GNU_EH_FRAME)
      return false;
  return listed != NULL;
}

static void to_hex(const unsigned char *bytes, size_t count, char *out) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < count; i++) {
    out[2 * i] = digits[bytes[i] >> 4];
    out[2 * i + 1] = digits[bytes[i] & 15];
  }
  out[2 * count] = '\0';
}

bool prof_notes_build_id(const unsigned char *notes, size_t size, char out[PROF_BUILD_ID_TEXT]) {
  size_t at = 0;
  out[0] = '\0';
  while (size - at >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    size_t name, body;
    memcpy(&note, notes + at, sizeof note);
    at += sizeof note;
    name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
    body = ((size_t)note.n_descsz + 3) & ~(size_t)3;
    if (name > size - at || body > size - at - name)
      return false;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(notes + at, "GNU", 4) == 0) {
      if (note.n_descsz == 0 || note.n_descsz > (PROF_BUILD_ID_TEXT - 1) / 2)
        return false;
      to_hex(notes + at + name, note.n_descsz, out);
      return true;
    }
    at += name + body;
  }
  return false;
}

static bool build_id_at(struct prof_image *self, uint64_t offset, uint64_t size, char *out) {
  unsigned char *notes;
  bool found;
  if (size == 0 || size > NOTES_MAX)
    return false;
  notes = malloc(size);
  found = notes && prof_image_read(self, offset, notes, size) == 0 &&
          prof_notes_build_id(notes, size, out);
  free(notes);
  return found;
}

bool prof_image_build_id(struct prof_image *self, char out[PROF_BUILD_ID_TEXT]) {
  const Elf64_Shdr *section;
  out[0] = '\0';
  for (size_t i = 0; i < self->header.e_phnum; i++) {
    const Elf64_Phdr *segment = &self->segments[i];
    if (segment->p_type == PT_NOTE && build_id_at(self, segment->p_offset, segment->p_filesz, out))
      return true;
  }
  section = prof_image_section(self, ".note.gnu.build-id"); /* a .debug file may lack PT_NOTE */
  return section && section->sh_type == SHT_NOTE &&
         build_id_at(self, section->sh_offset, section->sh_size, out);
}

bool prof_image_content_id(struct prof_image *self, char out[PROF_BUILD_ID_TEXT]) {
  const Elf64_Shdr *text = prof_image_section(self, ".text");
  unsigned char page[CONTENT_BYTES], id[ID_BYTES] = {0};
  size_t count = text && text->sh_size < sizeof page ? text->sh_size : sizeof page;
  out[0] = '\0';
  if (!text || text->sh_type != SHT_PROGBITS || count == 0 ||
      prof_image_read(self, text->sh_offset, page, count))
    return false;
  for (size_t i = 0; i < count; i++)
    id[i % ID_BYTES] ^= page[i];
  to_hex(id, sizeof id, out);
  return true;
}
