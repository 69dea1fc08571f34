#include "stack/rows.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/table.h"
#include "stack/cfi_read.h"
#include "stack/code.h"
#include "stack/images.h"
#include "stack/rows_kept.h"

/* Of two ways: 131,072 rows, 2 MB. A build touches some 30,000 pcs and the blocks around them; with
 * small pages most look-ups would wait for the page's address as well. */
#define CACHE_SETS 65536u
#define HUGE_BYTES (2u << 20)

/* Of code without rows whole pages are kept: a scan meets ever other pcs of it. A key has the
 * address in its lower bits, the one above says page, and the epoch is above that. */
#define PAGE_BYTES 4096ull
#define PAGE_KEY (1ull << PROF_ARCH_ADDRESS_BITS)
#define EPOCH_SHIFT (PROF_ARCH_ADDRESS_BITS + 1)

/* A row holds for a stretch of code: one that holds for an aligned block is kept for that too,
 * since what is interrupted is nearly always at another pc, and a function has many calls. A
 * block's number has fewer bits than an address has, and the highest says that it is none of a
 * page. */
#define BLOCK_BYTES 64ull
#define BLOCK_KEY (PAGE_KEY | 1ull << (PROF_ARCH_ADDRESS_BITS - 1))

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
  _Atomic uint64_t misses, forgotten;
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
    self->sets = aligned_alloc(HUGE_BYTES, bytes);
  if (!self || !self->sets) {
    free(self);
    prof_error_set(error, PROF_NO_MEMORY, ENOMEM, NULL, "no memory for the unwinder's rows");
    return NULL;
  }
  madvise(self->sets, bytes, MADV_HUGEPAGE); /* small ones do where there is none */
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
static void forget(struct prof_rows *self) {
  atomic_fetch_add_explicit(&self->epoch, 1, memory_order_acq_rel);
  count(&self->counters.forgotten);
}

void prof_rows_forget(struct prof_rows *self, uint64_t start, uint64_t end) {
  if (start >= end)
    return;
  prof_images_drop(&self->images, start, end);
  forget(self);
}

uint64_t prof_rows_epoch(const struct prof_rows *self) {
  return atomic_load_explicit(&self->epoch, memory_order_acquire);
}

int prof_rows_add(struct prof_rows *self, uint64_t start, uint64_t end,
                  const struct prof_cfi_image *image, struct prof_error *error) {
  int status = prof_images_add(&self->images, start, end, image, error);
  forget(self);
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
  forget(self);
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

/* *holds: for which code, where the row is an entry's. NO_IMAGE is not counted: every frame of
 * JIT code comes here, and threads would wait for each other's counting. */
static prof_row compile(struct prof_rows *self, uint64_t pc, struct prof_image_range *holds) {
  struct prof_cfi_image image;
  struct prof_cfi_row row;
  prof_row packed;
  *holds = (struct prof_image_range){0};
  if (!prof_images_find(&self->images, pc, &image))
    return PROF_ROW_NO_IMAGE;
  count(&self->counters.misses);
  if (pc - self->withheld_start < self->withheld_bytes)
    image.hdr.size = 0;
  switch (image.hdr.size ? prof_cfi_compile(&image, pc, &row) : PROF_CFI_NONE) {
  case PROF_CFI_NONE:
    return prof_code_row(pc);
  case PROF_CFI_BAD:
    return PROF_ROW_BAD;
  case PROF_CFI_OK:
    break;
  }
  packed = prof_row_pack(&image, &row);
  *holds = (struct prof_image_range){row.start, row.end};
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

static struct set *set_of(const struct prof_rows *self, uint64_t key) {
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

/* Read before the row is compiled: what is stored under an old epoch is never found again. */
static uint64_t epoch_bits(const struct prof_rows *self) {
  return atomic_load_explicit(&self->epoch, memory_order_acquire) << EPOCH_SHIFT;
}

/* By its pc, its block or its page; else compiled, and kept for as much as it holds for. Each is
 * another cache line that the processor may have to wait for, so what is likely comes first: a
 * return address is mostly met again, a leaf is not, but its block is. */
static prof_row find_at(struct prof_rows *self, uint64_t pc, uint64_t epoch, bool is_leaf) {
  uint64_t block_key = pc / BLOCK_BYTES | BLOCK_KEY | epoch, start = pc & ~(BLOCK_BYTES - 1);
  uint64_t page_key = pc / PAGE_BYTES | PAGE_KEY | epoch;
  struct prof_image_range holds;
  prof_row row = look_up(self, is_leaf ? block_key : pc | epoch);
  if (row != PROF_ROW_UNKNOWN)
    return row;
  row = look_up(self, is_leaf ? pc | epoch : block_key);
  if (row != PROF_ROW_UNKNOWN) {
    if (!is_leaf)
      keep(self, pc | epoch, row);
    return row;
  }
  row = look_up(self, page_key);
  if (row != PROF_ROW_UNKNOWN)
    return row;
  row = compile(self, pc, &holds);
  bool is_of_block = holds.start <= start && start + BLOCK_BYTES <= holds.end;
  if (row == PROF_ROW_NO_ROW && is_bare(self, pc & ~(PAGE_BYTES - 1))) {
    keep(self, page_key, row);
    return row;
  }
  if (is_of_block)
    keep(self, block_key, row);
  if (row != PROF_ROW_NO_IMAGE && !(is_leaf && is_of_block))
    keep(self, pc | epoch, row); /* NO_IMAGE never: dlopen may put an image there */
  return row;
}

void prof_rows_fetch(const struct prof_rows *self, const struct prof_memory *memory, uint64_t at,
                     uint64_t count) {
  uint64_t start = atomic_load_explicit(&self->images.largest_start, memory_order_relaxed);
  uint64_t bytes = atomic_load_explicit(&self->images.largest_bytes, memory_order_relaxed);
  uint64_t epoch = epoch_bits(self), word;
  for (; count; count--, at += 8)
    if ((word = prof_memory_word(memory, at)) - start < bytes)
      __builtin_prefetch(set_of(self, (word - 1) | epoch));
}

prof_row prof_rows_find(struct prof_rows *self, uint64_t pc) {
  uint64_t key;
  return prof_rows_find_noted(self, pc, &key);
}

void prof_rows_fetch_leaf(const struct prof_rows *self, uint64_t pc) {
  uint64_t epoch = epoch_bits(self);
  __builtin_prefetch(set_of(self, pc / BLOCK_BYTES | BLOCK_KEY | epoch));
  __builtin_prefetch(set_of(self, pc | epoch));
}

prof_row prof_rows_find_leaf(struct prof_rows *self, uint64_t pc) {
  return pc >> PROF_ARCH_ADDRESS_BITS ? PROF_ROW_NO_IMAGE
                                      : find_at(self, pc, epoch_bits(self), true);
}

prof_row prof_rows_find_noted(struct prof_rows *self, uint64_t pc, uint64_t *key) {
  uint64_t epoch = epoch_bits(self);
  *key = pc | epoch;
  return pc >> PROF_ARCH_ADDRESS_BITS ? PROF_ROW_NO_IMAGE : find_at(self, pc, epoch, false);
}

void prof_rows_note(struct prof_rows *self, uint64_t key, prof_row row, enum prof_row_call call) {
  keep(self, key, (row & ~PROF_ROW_CALL_BITS) | (uint64_t)call << 60);
}

static bool is_lasting(prof_row row) {
  return PROF_ROW_KIND(row) >= PROF_ROW_NORMAL && PROF_ROW_KIND(row) <= PROF_ROW_SLOW;
}

/* What a way of this epoch holds; false: nothing that lasts. */
static bool kept_of(const struct prof_rows *self, const struct way *way, uint64_t *address,
                    struct prof_rows_kept *out) {
  uint64_t row = atomic_load_explicit(&way->row, memory_order_relaxed);
  uint64_t key = row ^ atomic_load_explicit(&way->check, memory_order_relaxed);
  uint64_t place = key & ((1ull << EPOCH_SHIFT) - 1);
  if (key - place != epoch_bits(self) || !is_lasting(row))
    return false;
  out->row = row & ~PROF_ROW_CALL_BITS;
  out->is_block = (place & BLOCK_KEY) == BLOCK_KEY;
  *address = out->is_block ? (place & ~BLOCK_KEY) * BLOCK_BYTES : place;
  return out->is_block || !(place & PAGE_KEY);
}

size_t prof_rows_keep_image(const struct prof_rows *self, uint64_t start, uint64_t end,
                            struct prof_rows_kept *out, size_t capacity) {
  size_t count = 0;
  if (self->withheld_bytes || end - start > UINT32_MAX)
    return 0;
  for (size_t i = 0; i < 2 * CACHE_SETS; i++) {
    struct prof_rows_kept kept;
    uint64_t address;
    if (!kept_of(self, &self->sets[i / 2].way[i % 2], &address, &kept) || address < start ||
        address >= end)
      continue;
    kept.at = (uint32_t)(address - start);
    if (count < capacity)
      out[count] = kept;
    count++;
  }
  return count;
}

size_t prof_rows_take_image(struct prof_rows *self, uint64_t start, uint64_t end,
                            const struct prof_rows_kept *kept, size_t count) {
  uint64_t epoch = epoch_bits(self);
  size_t taken = 0;
  for (size_t i = 0; i < count && !self->withheld_bytes; i++) {
    uint64_t address = start + kept[i].at;
    if (address >= end || !is_lasting(kept[i].row) || (kept[i].is_block && address % BLOCK_BYTES))
      continue;
    keep(self, (kept[i].is_block ? address / BLOCK_BYTES | BLOCK_KEY : address) | epoch,
         kept[i].row & ~PROF_ROW_CALL_BITS);
    taken++;
  }
  return taken;
}

void prof_rows_counters(const struct prof_rows *self, struct prof_rows_counters *out) {
  const struct counters *counters = &self->counters;
  out->misses = atomic_load_explicit(&counters->misses, memory_order_relaxed);
  out->forgotten = atomic_load_explicit(&counters->forgotten, memory_order_relaxed);
}
