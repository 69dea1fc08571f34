#include "stack/rows.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "stack/cfi_read.h"
#include "stack/code.h"
#include "stack/images.h"

#define CACHE_SETS 32768u /* of two ways: 65,536 rows, 1 MB; a build touches some 20,000 pcs */

/* Of code without rows whole pages are kept: a scan meets ever other pcs of it. A key has the
 * address in its lower bits, the one above says page, and the epoch is above that. */
#define PAGE_BYTES 4096ull
#define PAGE_KEY (1ull << PROF_ARCH_ADDRESS_BITS)
#define EPOCH_SHIFT (PROF_ARCH_ADDRESS_BITS + 1)

/* Two plain words that prove each other (a technique from transposition tables: Hyatt and Mann
 * 2002, "A lock-less transposition table implementation"): a reader that catches halves of two
 * writes sees a check that does not match, and misses. */
struct way {
  _Atomic uint64_t row;
  _Atomic uint64_t check; /* key ^ row */
};

struct set {
  _Alignas(32) struct way way[2]; /* newest first */
};

struct counters {
  _Atomic uint64_t misses, slow, no_row, bad, forgotten;
};

struct prof_rows {
  struct prof_images images;
  _Atomic uint64_t epoch; /* counts prof_rows_forget; part of every key */
  struct counters counters;
  struct set *sets;
  uint64_t withheld_start, withheld_bytes;
};

static void count(_Atomic uint64_t *counter) {
  atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

struct prof_rows *prof_rows_create(struct prof_error *error) {
  struct prof_rows *self = calloc(1, sizeof *self);
  size_t bytes = CACHE_SETS * sizeof(struct set);
  if (self)
    self->sets = aligned_alloc(64, bytes);
  if (!self || !self->sets) {
    free(self);
    prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for the unwinder's rows");
    return NULL;
  }
  memset(self->sets, 0, bytes); /* touched here, so that no handler pays for the page faults */
  prof_images_init(&self->images);
  if (prof_rows_refresh(self, error) != PROF_OK) {
    prof_rows_free(self);
    return NULL;
  }
  return self;
}

void prof_rows_free(struct prof_rows *self) {
  if (!self)
    return;
  prof_images_free(&self->images);
  free(self->sets);
  free(self);
}

int prof_rows_refresh(struct prof_rows *self, struct prof_error *error) {
  return prof_images_refresh(&self->images, error);
}

/* All rows at once: a handler that compiled an old row may still be about to store it, and only a
 * key of another epoch keeps it from being believed. A miss costs a microsecond, dlclose is rare.
 */
void prof_rows_forget(struct prof_rows *self, uint64_t start, uint64_t end) {
  if (start >= end)
    return;
  atomic_fetch_add_explicit(&self->epoch, 1, memory_order_acq_rel);
  count(&self->counters.forgotten);
}

uint64_t prof_rows_epoch(const struct prof_rows *self) {
  return atomic_load_explicit(&self->epoch, memory_order_acquire);
}

int prof_rows_add(struct prof_rows *self, uint64_t start, uint64_t end,
                  const struct prof_cfi_image *image, struct prof_error *error) {
  int status = prof_images_add(&self->images, start, end, image, error);
  prof_rows_forget(self, start, end);
  return status;
}

bool prof_rows_image(struct prof_rows *self, uint64_t pc, struct prof_cfi_image *out) {
  return prof_images_find(&self->images, pc, out);
}

bool prof_rows_may_be_code(const struct prof_rows *self, uint64_t pc) {
  return prof_images_may_be_code(&self->images, pc);
}

bool prof_rows_in_libc(const struct prof_rows *self, uint64_t pc) {
  for (int i = 0; i < 2; i++)
    if (pc >= self->images.libc[i].start && pc < self->images.libc[i].end)
      return true;
  return false;
}

bool prof_rows_in_own(const struct prof_rows *self, uint64_t pc) {
  return pc - self->images.own.start < self->images.own.end - self->images.own.start;
}

void prof_rows_set_own(struct prof_rows *self, uint64_t start, uint64_t end) {
  self->images.own = (struct prof_image_range){start, end};
}

void prof_rows_foreign(struct prof_rows *self) {
  prof_images_foreign(&self->images);
}

void prof_rows_set_libc(struct prof_rows *self, uint64_t start, uint64_t end) {
  self->images.libc[0] = (struct prof_image_range){start, end};
}

void prof_rows_without_find_object(struct prof_rows *self) {
  self->images.find_object = NULL;
}

void prof_rows_withhold(struct prof_rows *self, uint64_t start, uint64_t end) {
  self->withheld_start = start;
  self->withheld_bytes = end - start;
  prof_rows_forget(self, start, end);
}

/* Whether all of the page lies in one image, in a gap between two entries, and holds nothing that
 * prof_code_row knows. */
static bool is_bare(struct prof_rows *self, uint64_t page) {
  struct prof_cfi_image image, at_end;
  struct prof_cfi_row row;
  uint64_t last = page + PAGE_BYTES - 1, entry = 0, entry_at_end = 0;
  if (!prof_images_find(&self->images, page, &image) ||
      !prof_images_find(&self->images, last, &at_end) ||
      image.frame.address != at_end.frame.address || image.hdr.size != at_end.hdr.size)
    return false;
  if (image.hdr.size &&
      (prof_cfi_find(&image, page, &entry) == PROF_CFI_BAD ||
       prof_cfi_find(&image, last, &entry_at_end) == PROF_CFI_BAD || entry != entry_at_end ||
       prof_cfi_compile(&image, page, &row) != PROF_CFI_NONE))
    return page - self->withheld_start < self->withheld_bytes &&
           last - self->withheld_start < self->withheld_bytes && prof_code_page_is_plain(page);
  return prof_code_page_is_plain(page);
}

/* NO_IMAGE is not counted: every frame of JIT code comes here, and threads would wait for each
 * other's counting. */
static prof_row compile(struct prof_rows *self, uint64_t pc) {
  struct prof_cfi_image image;
  struct prof_cfi_row row;
  prof_row packed;
  if (!prof_images_find(&self->images, pc, &image))
    return PROF_ROW_NO_IMAGE;
  count(&self->counters.misses);
  if (pc - self->withheld_start < self->withheld_bytes)
    image.hdr.size = 0;
  switch (image.hdr.size ? prof_cfi_compile(&image, pc, &row) : PROF_CFI_NONE) {
  case PROF_CFI_NONE:
    count(&self->counters.no_row);
    return prof_code_row(pc);
  case PROF_CFI_BAD:
    count(&self->counters.bad);
    return PROF_ROW_BAD;
  case PROF_CFI_OK:
    break;
  }
  packed = prof_row_pack(&image, &row);
  if (packed == PROF_ROW_SLOW)
    count(&self->counters.slow);
  return packed;
}

bool prof_rows_is_entry(struct prof_rows *self, uint64_t pc) {
  struct prof_cfi_image image;
  struct prof_cfi_row row;
  return prof_images_find(&self->images, pc, &image) && image.hdr.size &&
         prof_cfi_compile(&image, pc, &row) == PROF_CFI_OK && row.function_start == pc;
}

static void store(struct way *way, uint64_t row, uint64_t check) {
  atomic_store_explicit(&way->row, row, memory_order_relaxed);
  atomic_store_explicit(&way->check, check, memory_order_relaxed);
}

static struct set *set_of(struct prof_rows *self, uint64_t key) {
  return &self->sets[prof_hash_u64(key << (64 - EPOCH_SHIFT)) %
                     CACHE_SETS]; /* whatever the epoch */
}

static prof_row look_up(struct prof_rows *self, uint64_t key) {
  struct set *set = set_of(self, key);
  for (int i = 0; i < 2; i++) {
    uint64_t row = atomic_load_explicit(&set->way[i].row, memory_order_relaxed);
    uint64_t check = atomic_load_explicit(&set->way[i].check, memory_order_relaxed);
    if ((row ^ check) == key)
      return row;
  }
  return PROF_ROW_UNKNOWN;
}

/* Over the older one of the two, or over what is known already. */
static void keep(struct prof_rows *self, uint64_t key, prof_row row) {
  struct set *set = set_of(self, key);
  uint64_t newest = atomic_load_explicit(&set->way[0].row, memory_order_relaxed);
  uint64_t check = atomic_load_explicit(&set->way[0].check, memory_order_relaxed);
  if ((newest ^ check) != key)
    store(&set->way[1], newest, check);
  store(&set->way[0], row, key ^ row);
}

prof_row prof_rows_find_noted(struct prof_rows *self, uint64_t pc, uint64_t *key) {
  /* Read before the row is compiled: what is stored under an old epoch is never found again. */
  uint64_t epoch = atomic_load_explicit(&self->epoch, memory_order_acquire) << EPOCH_SHIFT;
  uint64_t page_key = pc / PAGE_BYTES | PAGE_KEY | epoch;
  prof_row row;
  *key = pc | epoch;
  if (pc >> PROF_ARCH_ADDRESS_BITS)
    return PROF_ROW_NO_IMAGE;
  row = look_up(self, *key);
  if (row == PROF_ROW_UNKNOWN)
    row = look_up(self, page_key);
  if (row != PROF_ROW_UNKNOWN)
    return row;
  row = compile(self, pc);
  if (row == PROF_ROW_NO_ROW && is_bare(self, pc & ~(PAGE_BYTES - 1)))
    keep(self, page_key, row);
  else if (row != PROF_ROW_NO_IMAGE) /* never kept: dlopen may put an image there */
    keep(self, *key, row);
  return row;
}

prof_row prof_rows_find(struct prof_rows *self, uint64_t pc) {
  uint64_t key;
  return prof_rows_find_noted(self, pc, &key);
}

void prof_rows_note(struct prof_rows *self, uint64_t key, prof_row row, enum prof_row_call call) {
  keep(self, key, (row & ~(3ull << 60)) | (uint64_t)call << 60);
}

void prof_rows_counters(const struct prof_rows *self, struct prof_rows_counters *out) {
  const struct counters *counters = &self->counters;
  out->misses = atomic_load_explicit(&counters->misses, memory_order_relaxed);
  out->slow = atomic_load_explicit(&counters->slow, memory_order_relaxed);
  out->no_row = atomic_load_explicit(&counters->no_row, memory_order_relaxed);
  out->bad = atomic_load_explicit(&counters->bad, memory_order_relaxed);
  out->forgotten = atomic_load_explicit(&counters->forgotten, memory_order_relaxed);
}
