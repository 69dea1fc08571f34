#include "stack/images.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/object.h"
#include "base/search.h"
#include "stack/cfi_read.h"
#include "stack/probe.h"

struct image {
  uint64_t start, end; /* start first: prof_search */
  struct prof_cfi_image sections;
};

struct prof_images_table {
  struct prof_images_table *next; /* in the list of old ones */
  size_t count;
  struct image images[]; /* sorted by start, no overlaps */
};

/* struct dl_find_object of glibc 2.35 on, x86_64 (dlfcn.h there; not in older headers). */
struct found_object {
  unsigned long long flags;
  void *map_start, *map_end;
  struct link_map *link_map;
  void *eh_frame; /* PT_GNU_EH_FRAME, that is .eh_frame_hdr; NULL: none */
  unsigned long long reserved[7];
};

/* Both sections reach to the end of the segment that holds them: neither header says their size. */
static void set_sections(uint64_t hdr_start, uint64_t segment_end, struct prof_cfi_image *out) {
  struct prof_cfi_section *hdr = &out->hdr;
  struct prof_cursor reader;
  uint64_t frame;
  memset(out, 0, sizeof *out);
  if (!hdr_start || hdr_start + 12 > segment_end)
    return;
  hdr->bytes = (const uint8_t *)(uintptr_t)hdr_start;
  hdr->address = hdr_start;
  hdr->size = segment_end - hdr_start;
  reader = (struct prof_cursor){hdr->bytes + 4, hdr->bytes + hdr->size, false};
  frame = prof_cfi_pointer(&reader, hdr->bytes[1], hdr, hdr_start);
  if (reader.bad)
    return;
  out->frame.bytes = (const uint8_t *)(uintptr_t)frame;
  out->frame.address = frame;
  out->frame.size = frame < segment_end ? segment_end - frame : 0;
}

/* The end of the loaded segment that holds place, 0 where none does. */
static uint64_t segment_end(uint64_t base, const ElfW(Phdr) * phdrs, size_t count, uint64_t place) {
  for (size_t i = 0; i < count; i++) {
    uint64_t start = base + phdrs[i].p_vaddr;
    if (phdrs[i].p_type == PT_LOAD && place - start < phdrs[i].p_filesz)
      return start + phdrs[i].p_filesz;
  }
  return 0;
}

/* Where a file was put, by its header as mapped: link_map knows too, but dlclose may be freeing it.
 */
static uint64_t base_of(const ElfW(Ehdr) * elf, const ElfW(Phdr) * phdrs) {
  for (size_t i = 0; i < elf->e_phnum; i++) {
    if (phdrs[i].p_type == PT_LOAD) /* they ascend: the one that holds the header */
      return (uint64_t)(uintptr_t)elf - (phdrs[i].p_vaddr - phdrs[i].p_offset);
  }
  return 0;
}

static void sections_of_object(const struct found_object *object, struct prof_cfi_image *out) {
  const ElfW(Ehdr) *elf = object->map_start;
  uint64_t hdr = (uint64_t)(uintptr_t)object->eh_frame;
  uint64_t end = (uint64_t)(uintptr_t)object->map_end;
  /* The first segment holds the file's header wherever a linker was not told otherwise. */
  if (hdr && memcmp(elf->e_ident, ELFMAG, SELFMAG) == 0 && elf->e_phoff < 4096 &&
      elf->e_phentsize == sizeof(ElfW(Phdr)) && elf->e_phnum < 50) {
    const ElfW(Phdr) *phdrs = (const void *)((const char *)elf + elf->e_phoff);
    uint64_t found = segment_end(base_of(elf, phdrs), phdrs, elf->e_phnum, hdr);
    if (found)
      end = found;
  }
  set_sections(hdr, end, out);
}

static const struct image *search(const struct prof_images_table *table, uint64_t pc) {
  size_t up_to = table ? prof_search(table->images, table->count, sizeof *table->images, pc) : 0;
  return up_to && pc < table->images[up_to - 1].end ? &table->images[up_to - 1] : NULL;
}

bool prof_images_find(const struct prof_images *self, uint64_t pc, struct prof_cfi_image *out) {
  const struct image *image = search(atomic_load_explicit(&self->added, memory_order_acquire), pc);
  struct found_object object;
  if (image) {
    *out = image->sections;
    return true;
  }
  if (self->find_object) {
    if (self->find_object((void *)(uintptr_t)pc, &object) != 0)
      return false;
    /* dlclose on another thread: the file may be unmapped before it is forgotten, and pc be in what
     * was mapped there since (seen with JIT code; stress.c's unloaded and unmapped together). */
    if (object.eh_frame && !prof_probe_word((uint64_t)(uintptr_t)object.eh_frame))
      return false;
    /* glibc splits an image with holes between its segments (node's is one): then the range has
     * neither header nor .eh_frame in it, and the published table must know where they end. */
    image = search(atomic_load_explicit(&self->mapped, memory_order_acquire), pc);
    if (image && object.eh_frame &&
        image->sections.hdr.address == (uint64_t)(uintptr_t)object.eh_frame) {
      *out = image->sections;
      return true;
    }
    if (!prof_probe_word((uint64_t)(uintptr_t)object.map_start))
      return false;
    sections_of_object(&object, out);
    return true;
  }
  image = search(atomic_load_explicit(&self->mapped, memory_order_acquire), pc);
  if (!image)
    return false;
  *out = image->sections;
  return !out->hdr.bytes ||
         (prof_probe_word(out->hdr.address) && prof_probe_word(out->frame.address));
}

struct collection {
  struct prof_images *owner;
  struct image *images;
  size_t count, capacity;
  bool failed;
  uint64_t libc_marks[2]; /* an address in each of the libraries that start threads */
  struct prof_image_range libc[2], own, largest;
};

/* A handler's frames, left on a stack, are nobody's callers. Not where this code is linked into the
 * program: then it is the program's too. */
static void note_own(struct collection *self, const struct dl_phdr_info *info,
                     const struct image *image) {
  uint64_t here = (uint64_t)(uintptr_t)prof_images_refresh;
  if (info->dlpi_name && info->dlpi_name[0] && here >= image->start && here < image->end)
    self->own = (struct prof_image_range){image->start, image->end};
}

static void set_code(struct prof_images *self, uint64_t start, uint64_t end) {
  for (uint64_t at = start >> PROF_IMAGES_PIECE_SHIFT; at <= (end - 1) >> PROF_IMAGES_PIECE_SHIFT;
       at++) {
    uint64_t piece = at & (PROF_IMAGES_PIECES - 1);
    atomic_fetch_or_explicit(&self->code_pieces[piece / 64], 1ull << piece % 64,
                             memory_order_relaxed);
  }
}

static int collect(struct dl_phdr_info *info, size_t size, void *user) {
  struct collection *self = user;
  struct prof_object object = prof_object_of(info);
  struct image *image;
  uint64_t hdr = 0, end;
  (void)size;
  if (prof_array_reserve((void **)&self->images, &self->capacity, self->count + 1,
                         sizeof *self->images)) {
    self->failed = true;
    return 1;
  }
  image = &self->images[self->count];
  image->start = object.start;
  image->end = object.end;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
    uint64_t start = info->dlpi_addr + phdr->p_vaddr;
    if (phdr->p_type == PT_GNU_EH_FRAME)
      hdr = start;
    if (phdr->p_type == PT_LOAD && phdr->p_flags & PF_X && phdr->p_memsz)
      set_code(self->owner, start, start + phdr->p_memsz);
  }
  if (image->start >= image->end)
    return 0;
  end = segment_end(info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum, hdr);
  set_sections(end ? hdr : 0, end, &image->sections);
  for (int i = 0; i < 2; i++)
    if (self->libc_marks[i] >= image->start && self->libc_marks[i] < image->end)
      self->libc[i] = (struct prof_image_range){image->start, image->end};
  note_own(self, info, image);
  if (info->dlpi_name && info->dlpi_name[0] &&
      image->end - image->start > self->largest.end - self->largest.start)
    self->largest = (struct prof_image_range){image->start, image->end};
  self->count++;
  return 0;
}

static int by_start(const void *left, const void *right) {
  const struct image *a = left, *b = right;
  return (a->start > b->start) - (a->start < b->start);
}

static void replace(struct prof_images *self, struct prof_images_table *_Atomic *where,
                    struct prof_images_table *table) {
  struct prof_images_table *before = atomic_exchange_explicit(where, table, memory_order_acq_rel);
  if (before && self->is_foreign) {
    free(before); /* no handler reads these */
  } else if (before) {
    before->next = self->old;
    self->old = before;
  }
}

/* images: by start. */
static int publish(struct prof_images *self, struct prof_images_table *_Atomic *where,
                   const struct image *images, size_t count, struct prof_error *error) {
  struct prof_images_table *table = malloc(sizeof *table + count * sizeof *images);
  if (!table)
    return prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for %zu images", count);
  if (count)
    memcpy(table->images, images, count * sizeof *images);
  table->count = count;
  replace(self, where, table);
  return PROF_OK;
}

static bool is_same(const struct prof_images_table *table, const struct image *images,
                    size_t count) {
  if (!table || table->count != count)
    return false;
  return count == 0 || memcmp(table->images, images, count * sizeof *images) == 0;
}

int prof_images_refresh(struct prof_images *self, struct prof_error *error) {
  struct collection found = {.owner = self};
  int status = PROF_OK;
  found.libc_marks[0] = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "__libc_start_main");
  found.libc_marks[1] = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "pthread_exit");
  dl_iterate_phdr(collect, &found);
  if (found.failed) {
    status = prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for the image table");
    goto out;
  }
  if (!self->libc[0].end) /* once: walks read it without a lock, and libc never moves */
    memcpy(self->libc, found.libc, sizeof self->libc);
  if (!self->own.end && found.own.end)
    self->own = found.own;
  atomic_store_explicit(&self->largest_start, found.largest.start, memory_order_relaxed);
  atomic_store_explicit(&self->largest_bytes, found.largest.end - found.largest.start,
                        memory_order_relaxed);
  if (found.count)
    qsort(found.images, found.count, sizeof *found.images, by_start);
  if (!is_same(self->mapped, found.images, found.count))
    status = publish(self, &self->mapped, found.images, found.count, error);
out:
  free(found.images);
  return status;
}

/* What was added but lies in [start, end), into images; how many that is. */
static size_t rest_of(const struct prof_images_table *now, uint64_t start, uint64_t end,
                      struct image *images) {
  size_t count = 0;
  for (size_t i = 0; now && i < now->count; i++)
    if (now->images[i].end <= start || now->images[i].start >= end)
      images[count++] = now->images[i];
  return count;
}

int prof_images_add(struct prof_images *self, uint64_t start, uint64_t end,
                    const struct prof_cfi_image *image, struct prof_error *error) {
  const struct prof_images_table *now = self->added;
  struct image *images = calloc((now ? now->count : 0) + 1, sizeof *images);
  size_t count;
  int status;
  if (!images)
    return prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for an image");
  count = rest_of(now, start, end, images);
  images[count++] = (struct image){start, end, *image};
  qsort(images, count, sizeof *images, by_start);
  set_code(self, start, end);
  status = publish(self, &self->added, images, count, error);
  free(images);
  return status;
}

void prof_images_drop(struct prof_images *self, uint64_t start, uint64_t end) {
  struct prof_images_table *now = self->added, *rest;
  size_t up_to = now ? prof_search(now->images, now->count, sizeof *now->images, end - 1) : 0;
  if (!up_to || now->images[up_to - 1].end <= start)
    return;
  rest = calloc(1, sizeof *rest + now->count * sizeof *now->images);
  if (rest) /* else all of them go, which needs no memory */
    rest->count = rest_of(now, start, end, rest->images);
  replace(self, &self->added, rest);
}

void prof_images_init(struct prof_images *self) {
  memset(self, 0, sizeof *self);
  *(void **)&self->find_object = dlsym(RTLD_DEFAULT, "_dl_find_object");
}

void prof_images_foreign(struct prof_images *self) {
  free(self->mapped);
  self->mapped = NULL;
  self->find_object = NULL;
  memset(self->libc, 0, sizeof self->libc);
  self->own = (struct prof_image_range){0};
  self->is_foreign = true;
}

void prof_images_free(struct prof_images *self) {
  struct prof_images_table *next;
  free(self->mapped);
  free(self->added);
  for (; self->old; self->old = next) {
    next = self->old->next;
    free(self->old);
  }
}
