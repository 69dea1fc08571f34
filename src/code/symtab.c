#include "code/symtab.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "code/demangle.h"
#include "code/plt.h"

enum { TABLE_MAX = 1 << 30, TEXT_SECTION_MAX = 4096, CHUNK_SYMBOLS = 1024 };

/* perf's first three rules (tools/perf/util/symbol.c, choose_best_symbol, 6.1) as one number. */
static uint8_t rank_of(const Elf64_Sym *symbol) {
  unsigned bind = ELF64_ST_BIND(symbol->st_info);
  return (uint8_t)((symbol->st_size == 0) << 2 | (bind == STB_WEAK) << 1 | (bind != STB_GLOBAL));
}

static bool is_function(const Elf64_Sym *symbol) {
  unsigned type = ELF64_ST_TYPE(symbol->st_info);
  unsigned visibility = ELF64_ST_VISIBILITY(symbol->st_other);
  if (symbol->st_name == 0 || symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS ||
      symbol->st_shndx == SHN_COMMON)
    return false;
  if (type == STT_FUNC || type == STT_GNU_IFUNC)
    return true;
  /* labels of hand-written assembly */
  return type == STT_NOTYPE && visibility != STV_HIDDEN && visibility != STV_INTERNAL;
}

/* The lowest address of the loadable segments: what rows count from. */
static uint64_t lowest_address(const struct prof_image *image) {
  uint64_t lowest = UINT64_MAX;
  for (size_t i = 0; i < image->header.e_phnum; i++)
    if (image->segments[i].p_type == PT_LOAD && image->segments[i].p_vaddr < lowest)
      lowest = image->segments[i].p_vaddr;
  return lowest == UINT64_MAX ? 0 : lowest;
}

/* End of the executable section that holds address; 0: it is in none. A linear search would cost
 * 217,000 symbols x 32 sections, so the last hit is tried first. */
struct text {
  uint64_t starts[TEXT_SECTION_MAX], ends[TEXT_SECTION_MAX];
  size_t count, last;
};

static void collect_text(struct prof_image *image, struct text *text) {
  const Elf64_Shdr *section;
  text->count = text->last = 0;
  for (size_t i = 0; (section = prof_image_section_at(image, i)); i++)
    if ((section->sh_flags & SHF_EXECINSTR) && (section->sh_flags & SHF_ALLOC) &&
        section->sh_size <= UINT64_MAX - section->sh_addr && text->count < TEXT_SECTION_MAX) {
      text->starts[text->count] = section->sh_addr;
      text->ends[text->count++] = section->sh_addr + section->sh_size;
    }
}

static uint64_t text_end(struct text *text, uint64_t address) {
  for (size_t i = 0; i < text->count; i++) {
    size_t at = (text->last + i) % text->count;
    if (address >= text->starts[at] && address < text->ends[at]) {
      text->last = at;
      return text->ends[at];
    }
  }
  return 0;
}

int prof_symtab_append(struct prof_symtab *self, const struct prof_symbol_row *row) {
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows))
    return -1;
  self->rows[self->count++] = *row;
  return 0;
}

static int append_chunk(struct prof_symtab *self, const Elf64_Sym *symbols, size_t count,
                        uint8_t source, struct text *text) {
  for (size_t i = 0; i < count; i++) {
    const Elf64_Sym *symbol = &symbols[i];
    uint64_t end, limit, start = symbol->st_value;
    struct prof_symbol_row row = {.name = symbol->st_name, .source = source};
    if (!is_function(symbol) || symbol->st_name >= self->strings[source].size_bytes ||
        start < self->base)
      continue;
    limit = text_end(text, start);
    if (limit == 0 || limit - self->base > UINT32_MAX)
      continue;
    end = symbol->st_size > limit - start ? limit : start + symbol->st_size;
    row.start = (uint32_t)(start - self->base);
    row.end = (uint32_t)(end - self->base); /* equal to start: unsized, mended by close_gaps */
    row.rank = rank_of(symbol);
    if (prof_symtab_append(self, &row))
      return -1;
  }
  return 0;
}

/* By chunks that stay in the cache: a big binding's .symtab is 5 MB, whose fresh pages would cost
 * more than the reading. */
static int append_symbols(struct prof_symtab *self, struct prof_image *image, uint8_t source,
                          struct text *text) {
  const Elf64_Shdr *section = prof_image_section(image, source ? ".dynsym" : ".symtab");
  const Elf64_Shdr *strings = section ? prof_image_section_at(image, section->sh_link) : NULL;
  Elf64_Sym symbols[CHUNK_SYMBOLS];
  size_t count;
  self->count = 0;
  if (!strings || strings->sh_type != SHT_STRTAB || !prof_image_holds(image, strings) ||
      section->sh_entsize != sizeof(Elf64_Sym) || !prof_image_holds(image, section) ||
      section->sh_size > TABLE_MAX)
    return -1;
  self->strings[source].image = image;
  self->strings[source].offset = strings->sh_offset;
  self->strings[source].size_bytes = strings->sh_size;
  count = section->sh_size / sizeof(Elf64_Sym);
  if (prof_array_reserve((void **)&self->rows, &self->capacity, count, sizeof *self->rows))
    return -1;
  for (size_t at = 0; at < count; at += CHUNK_SYMBOLS) {
    size_t here = count - at < CHUNK_SYMBOLS ? count - at : CHUNK_SYMBOLS;
    if (prof_image_read(image, section->sh_offset + at * sizeof(Elf64_Sym), symbols,
                        here * sizeof(Elf64_Sym)) ||
        append_chunk(self, symbols, here, source, text))
      return -1;
  }
  return self->count ? 0 : -1;
}

/* Least significant digit first, 3 passes of 11 bits; stable, so rows of one start keep the file's
 * order. 150,000 rows: 2 to 3 ms. */
static int sort_by_start(struct prof_symbol_row **rows, size_t count) {
  struct prof_symbol_row *from = *rows, *to = malloc((count ? count : 1) * sizeof *to);
  if (!to)
    return -1;
  for (unsigned shift = 0; shift < 33; shift += 11) {
    size_t at[2048] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
      at[(from[i].start >> shift) & 2047]++;
    for (size_t i = 0; i < 2048; i++) {
      size_t here = at[i];
      at[i] = sum;
      sum += here;
    }
    for (size_t i = 0; i < count; i++)
      to[at[(from[i].start >> shift) & 2047]++] = from[i];
    struct prof_symbol_row *swap = from;
    from = to;
    to = swap;
  }
  *rows = from; /* three passes: what was the scratch array */
  free(to);
  return 0;
}

/* Of the rows of one start only those of the best rank stay; they are aliases of each other, and
 * share the end of the longest. */
static void drop_losers(struct prof_symtab *self) {
  size_t kept = 0;
  for (size_t i = 0, next; i < self->count; i = next) {
    uint8_t best = UINT8_MAX;
    uint32_t end = 0;
    size_t first = kept;
    for (next = i; next < self->count && self->rows[next].start == self->rows[i].start; next++)
      if (self->rows[next].rank < best)
        best = self->rows[next].rank;
    for (size_t j = i; j < next; j++)
      if (self->rows[j].rank == best) {
        end = self->rows[j].end > end ? self->rows[j].end : end;
        self->rows[kept++] = self->rows[j];
      }
    for (size_t j = first; j < kept; j++)
      self->rows[j].end = end;
  }
  self->count = kept;
}

/* Unsized rows reach to the next start or their section's end; those inside a sized function are
 * labels of it (V8's deoptimisation points) and go. Marks the nested ones. */
static void close_gaps(struct prof_symtab *self, struct text *text) {
  uint32_t farthest = 0;
  size_t kept = 0;
  for (size_t i = 0, next; i < self->count; i = next) {
    uint32_t start = self->rows[i].start, end = self->rows[i].end;
    for (next = i + 1; next < self->count && self->rows[next].start == start; next++)
      ;
    if (end == start && farthest > start)
      continue;
    if (end == start) {
      end = (uint32_t)(text_end(text, self->base + start) - self->base);
      if (next < self->count && self->rows[next].start < end)
        end = self->rows[next].start;
    }
    for (size_t j = i; j < next; j++) {
      self->rows[kept] = self->rows[j];
      self->rows[kept].end = end;
      self->rows[kept++].nested = farthest > start;
    }
    farthest = end > farthest ? end : farthest;
  }
  self->count = kept;
}

/* A table of megabytes is in no cache: halving it would wait for memory a dozen times. Tables whose
 * functions are few and far between go without. */
static void index_pieces(struct prof_symtab *self) {
  const struct prof_symbol_row *rows = self->rows;
  size_t last = self->count ? rows[self->count - 1].start >> PROF_SYMTAB_PIECE_SHIFT : 0, row = 0;
  size_t count = last + 2;
  if (count > self->count || !(self->pieces = malloc(count * sizeof *self->pieces)))
    return;
  for (size_t i = 0; i < count; i++) {
    while (row < self->count && rows[row].start >> PROF_SYMTAB_PIECE_SHIFT < i)
      row++;
    self->pieces[i] = (uint32_t)row;
  }
  self->piece_count = count;
}

void prof_symtab_take(struct prof_symtab *self, struct prof_image *image,
                      struct prof_image *debug) {
  *self = (struct prof_symtab){.image = *image, .debug = {.fd = -1}, .base = lowest_address(image)};
  *image = (struct prof_image){.fd = -1};
  if (debug) {
    self->debug = *debug;
    *debug = (struct prof_image){.fd = -1};
  }
}

int prof_symtab_load(struct prof_symtab *self, struct prof_image *image, struct prof_image *debug) {
  struct text *text = malloc(sizeof *text);
  int status = -1;
  prof_symtab_take(self, image, debug);
  if (!text)
    goto out;
  collect_text(&self->image, text);
  if (append_symbols(self, &self->debug, 0, text) && append_symbols(self, &self->image, 0, text) &&
      append_symbols(self, &self->image, 1, text))
    self->count = 0;
  prof_plt_append(self); /* what cannot be read is left out */
  if (self->count == 0 || sort_by_start(&self->rows, self->count))
    goto out;
  drop_losers(self);
  close_gaps(self, text);
  struct prof_symbol_row *fitted = realloc(self->rows, self->count * sizeof *fitted);
  self->rows = fitted ? fitted : self->rows;
  self->capacity = self->count;
  index_pieces(self);
  status = 0;
out:
  free(text);
  if (status)
    prof_symtab_free(self);
  return status;
}

void prof_symtab_free(struct prof_symtab *self) {
  prof_image_close(&self->image);
  prof_image_close(&self->debug);
  free(self->rows);
  free(self->pieces);
  *self = (struct prof_symtab){.image = {.fd = -1}, .debug = {.fd = -1}};
}

/* Among aliases of one rank: fewer leading underscores, then the longer readable name, then the
 * one that the file has first: perf's rules 4 and 5. The winner is put first, once. */
static size_t choose_alias(struct prof_symtab *self, size_t first) {
  size_t best = first, best_score = 0;
  struct prof_symbol_row winner;
  char raw[2048], readable[4096];
  if (self->rows[first].chosen)
    return first;
  for (size_t i = first; i < self->count && self->rows[i].start == self->rows[first].start; i++) {
    size_t length, under, score;
    if (prof_symtab_name(self, i, raw, sizeof raw) < 0)
      continue;
    length = prof_demangle(raw, readable, sizeof readable, NULL);
    under = strspn(readable, "_");
    score = (under < 255 ? 255 - under : 0) << 32 | (length < UINT32_MAX ? length : UINT32_MAX);
    if (score > best_score) {
      best = i;
      best_score = score;
    }
  }
  winner = self->rows[best];
  self->rows[best] = self->rows[first];
  self->rows[first] = winner;
  self->rows[first].chosen = true;
  return first;
}

/* The first of the rows of the function that holds an address; -1: none does. */
static int64_t first_row(const struct prof_symtab *self, uint64_t address) {
  size_t low = 0, high = self->count, piece;
  uint32_t at;
  if (address < self->base || address - self->base > UINT32_MAX)
    return -1;
  at = (uint32_t)(address - self->base);
  piece = at >> PROF_SYMTAB_PIECE_SHIFT;
  if (piece + 1 < self->piece_count) {
    low = self->pieces[piece];
    high = self->pieces[piece + 1];
  }
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (self->rows[middle].start <= at)
      low = middle + 1;
    else
      high = middle;
  }
  while (low > 0) { /* rows[low - 1] starts at or before the address */
    size_t first = low - 1;
    while (first > 0 && self->rows[first - 1].start == self->rows[first].start)
      first--;
    if (at < self->rows[first].end)
      return (int64_t)first;
    if (!self->rows[first].nested)
      return -1;
    low = first;
  }
  return -1;
}

int64_t prof_symtab_find(struct prof_symtab *self, uint64_t address) {
  int64_t first = first_row(self, address);
  size_t next = (size_t)first + 1;
  if (first < 0 || next == self->count || self->rows[next].start != self->rows[first].start)
    return first;
  return (int64_t)choose_alias(self, (size_t)first);
}

bool prof_symtab_start(const struct prof_symtab *self, uint64_t address, uint64_t *start) {
  int64_t first = first_row(self, address);
  if (first < 0)
    return false;
  *start = self->base + self->rows[first].start;
  return true;
}

int64_t prof_symtab_name(const struct prof_symtab *self, size_t row, char *out, size_t capacity) {
  const struct prof_symbol_row *symbol = &self->rows[row];
  uint64_t left = self->strings[symbol->source].size_bytes - symbol->name;
  uint64_t offset = self->strings[symbol->source].offset + symbol->name;
  size_t want = 1024;
  if (capacity == 0 || symbol->name >= self->strings[symbol->source].size_bytes)
    return -1;
  for (;;) { /* most names are short: read little first */
    const char *end;
    want = want < left ? want : left;
    want = want < capacity ? want : capacity;
    if (prof_image_read(self->strings[symbol->source].image, offset, out, want))
      return -1;
    end = memchr(out, '\0', want);
    if (end)
      return end - out;
    if (want == left || want == capacity) { /* cut: a long name, or a table without its NUL */
      out[want - 1] = '\0';
      return (int64_t)(want - 1);
    }
    want *= 8;
  }
}
