/*
 * Linked into a build of the addon (-Wl,--wrap= for the functions __wrap_* below): each
 * walk of the sampler is done a second time with the binding's rows withheld, as a binding that was
 * built without them would have it, and compared with the true one. The counts are printed when the
 * process ends.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/sampler.h"
#include "stack/unwind.h"

enum { ROOM = 4096, SHOWN = 400, CONTEXT = 24 };

void __real_prof_unwind_walk(struct prof_unwind *, struct prof_memory *, const struct prof_regs *,
                             struct prof_walk *);
int __real_prof_rows_refresh(struct prof_rows *, struct prof_error *);
void __wrap_prof_unwind_walk(struct prof_unwind *, struct prof_memory *, const struct prof_regs *,
                             struct prof_walk *);
int __wrap_prof_rows_refresh(struct prof_rows *, struct prof_error *);
int __real_prof_sampler_arm(const struct prof_sampler_options *, struct prof_error *);
int __wrap_prof_sampler_arm(const struct prof_sampler_options *, struct prof_error *);

static struct prof_unwind without;
static _Atomic uint64_t start, end_;
static atomic_flag busy = ATOMIC_FLAG_INIT;
static uint64_t words[ROOM], longest_gap;
static uint64_t walks, skipped, relevant, complete, equal_outer, equal_all, wrong, ended;
static uint64_t gaps, lost_frames, found_frames;
static struct shown {
  uint32_t count, got;
  uint8_t end;
  uint64_t end_pc, a[CONTEXT], b[CONTEXT];
} shown[SHOWN];
static uint32_t shown_count;

static int find_binding(struct dl_phdr_info *info, size_t size, void *user) {
  (void)size, (void)user;
  if (!info->dlpi_name || !strstr(info->dlpi_name, "rspack.linux"))
    return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
    if (phdr->p_type != PT_LOAD || !(phdr->p_flags & PF_X))
      continue;
    start = info->dlpi_addr + phdr->p_vaddr;
    end_ = start + phdr->p_memsz;
  }
  return 1;
}

static void withhold(void) {
  uint64_t before = start;
  __real_prof_rows_refresh(without.rows, NULL);
  dl_iterate_phdr(find_binding, NULL);
  if (start != before)
    prof_rows_withhold(without.rows, start, end_);
}

int __wrap_prof_rows_refresh(struct prof_rows *self, struct prof_error *error) {
  withhold();
  return __real_prof_rows_refresh(self, error);
}

/* The binding may be there already, and nothing be mapped later. */
int __wrap_prof_sampler_arm(const struct prof_sampler_options *options, struct prof_error *error) {
  withhold();
  return __real_prof_sampler_arm(options, error);
}

static bool is_withheld(uint64_t word) {
  uint64_t address = PROF_WORD_VALUE(word);
  return address >= start && address < end_;
}

/* Every frame of got is one of true's, in its order, and what lacks was withheld code. */
static bool is_subset(const struct prof_walk *true_walk, const struct prof_walk *got) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < got->count; i++) {
    if (PROF_WORD_KIND(got->words[i]) == PROF_WORD_GAP)
      continue;
    while (at < true_walk->count && true_walk->words[at] != got->words[i]) {
      if (!is_withheld(true_walk->words[at]) && PROF_WORD_KIND(true_walk->words[at]) <= 1)
        lost_frames++;
      at++;
    }
    if (at++ == true_walk->count)
      return false;
  }
  return true;
}

static void compare(const struct prof_walk *a, const struct prof_walk *b) {
  uint32_t outer = 0, last_gap = 0;
  bool touches = false;
  walks++;
  for (uint32_t i = 0; i < a->count; i++)
    touches |= is_withheld(a->words[i]);
  if (!touches || a->end != PROF_WALK_COMPLETE)
    return;
  relevant++;
  for (uint32_t i = 0; i < b->count; i++)
    if (PROF_WORD_KIND(b->words[i]) == PROF_WORD_GAP) {
      gaps++;
      if (PROF_WORD_VALUE(b->words[i]) > longest_gap)
        longest_gap = PROF_WORD_VALUE(b->words[i]);
      last_gap = i + 1;
    }
  if (b->end != PROF_WALK_COMPLETE)
    ended++;
  else
    complete++;
  outer = b->count - last_gap;
  found_frames += outer;
  bool is_equal = b->end == PROF_WALK_COMPLETE && outer <= a->count &&
                  memcmp(a->words + a->count - outer, b->words + last_gap, 8 * outer) == 0;
  equal_outer += is_equal;
  bool is_all = b->end == PROF_WALK_COMPLETE && is_subset(a, b);
  equal_all += is_all;
  wrong += !is_equal && b->end == PROF_WALK_COMPLETE;
  if ((!is_equal || !is_all) && shown_count < SHOWN) {
    struct shown *row = &shown[shown_count++];
    *row = (struct shown){.count = a->count, .got = b->count, .end = b->end, .end_pc = b->end_pc};
    uint32_t same = 0;
    while (same < a->count && same < b->count &&
           a->words[a->count - 1 - same] == b->words[b->count - 1 - same])
      same++;
    uint32_t from_a = a->count - same > CONTEXT - 2 ? a->count - same - (CONTEXT - 2) : 0;
    uint32_t from_b = b->count - same > CONTEXT - 2 ? b->count - same - (CONTEXT - 2) : 0;
    for (uint32_t i = 0; i < CONTEXT; i++) {
      row->a[i] = from_a + i < a->count ? a->words[from_a + i] : 0;
      row->b[i] = from_b + i < b->count ? b->words[from_b + i] : 0;
    }
  }
}

void __wrap_prof_unwind_walk(struct prof_unwind *self, struct prof_memory *memory,
                             const struct prof_regs *regs, struct prof_walk *walk) {
  __real_prof_unwind_walk(self, memory, regs, walk);
  if (!start || !memory->is_live || atomic_flag_test_and_set(&busy)) {
    skipped++;
    return;
  }
  struct prof_walk second = {.words = words, .capacity = ROOM};
  without.v8 = atomic_load(&self->v8);
  without.scan = true;
  __real_prof_unwind_walk(&without, memory, regs, &second);
  compare(walk, &second);
  atomic_flag_clear(&busy);
}

__attribute__((constructor)) static void begin(void) {
  without.rows = prof_rows_create(NULL);
}

static void print_words(FILE *out, const char *what, const uint64_t *list) {
  fprintf(out, "#  %s", what);
  for (int i = 0; i < CONTEXT && list[i]; i++) {
    Dl_info info = {0};
    uint64_t address = PROF_WORD_VALUE(list[i]);
    if (PROF_WORD_KIND(list[i]) == PROF_WORD_GAP)
      fprintf(out, " [%lu bytes]", (unsigned long)address);
    else if (PROF_WORD_KIND(list[i]) == PROF_WORD_BYTECODE)
      continue;
    else if (is_withheld(list[i]))
      fprintf(out, " RS:%lx", (unsigned long)(address - start));
    else if (dladdr((void *)(uintptr_t)address, &info) && info.dli_fname)
      fprintf(
          out, " %s+%lx", info.dli_sname ? info.dli_sname : strrchr(info.dli_fname, '/'),
          (unsigned long)(address - (uint64_t)(info.dli_sname ? info.dli_saddr : info.dli_fbase)));
    else
      fprintf(out, " jit:%lx", (unsigned long)address);
  }
  fprintf(out, "\n");
}

__attribute__((destructor)) static void finish(void) {
  const char *file = getenv("TRUTH_OUTPUT");
  FILE *out = file ? fopen(file, "a") : stderr;
  if (!walks || !out)
    return;
  fprintf(out,
          "{\"walks\":%lu,\"skipped\":%lu,\"relevant\":%lu,\"complete\":%lu,\"equalOuter\":%lu,"
          "\"equalAll\":%lu,\"wrong\":%lu,\"ended\":%lu,\"gaps\":%lu,\"longestGap\":%lu,"
          "\"lostFrames\":%lu,\"outerFrames\":%lu}\n",
          (unsigned long)walks, (unsigned long)skipped, (unsigned long)relevant,
          (unsigned long)complete, (unsigned long)equal_outer, (unsigned long)equal_all,
          (unsigned long)wrong, (unsigned long)ended, (unsigned long)gaps,
          (unsigned long)longest_gap, (unsigned long)lost_frames, (unsigned long)found_frames);
  for (uint32_t i = 0; getenv("TRUTH_VERBOSE") && i < shown_count; i++) {
    fprintf(out, "# true %u, found %u, %s\n", shown[i].count, shown[i].got,
            prof_walk_end_name(shown[i].end));
    print_words(out, "true ", shown[i].a);
    print_words(out, "found", shown[i].b);
  }
}
