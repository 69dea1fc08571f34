/*
 * Linked into a build of the addon (-Wl,--wrap=prof_tail_walk,--wrap=prof_attr_fill): each sample
 * of callGraph 'dwarf' also signals its thread, whose handler walks the live stack at once: the
 * truth. When the process ends, each walk of a dump that was continued in live memory is compared
 * with the handler's of the same sample, word by word. The counts are printed then.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "perf/attr.h"
#include "stack/context.h"
#include "stack/step.h"
#include "stack/tail.h"

enum { ROOM = 8192, WORDS = 48 << 20, WALKS = 1 << 20 };

void __real_prof_attr_fill(const struct prof_plan *, uint64_t, struct perf_event_attr *);
bool __real_prof_tail_walk(struct prof_tail *, const struct prof_regs *, const void *, size_t,
                           struct prof_walk *);
void __wrap_prof_attr_fill(const struct prof_plan *, uint64_t, struct perf_event_attr *);
bool __wrap_prof_tail_walk(struct prof_tail *, const struct prof_regs *, const void *, size_t,
                           struct prof_walk *);

/* A walk, of the handler or of a dump; words in the one big array. */
struct kept {
  uint64_t ip, sp;
  uint32_t first, count;
  uint8_t end, is_joined, was_cut, is_ready;
};

static struct kept *truths, *guesses;
static uint64_t *words;
static _Atomic uint32_t truth_count, guess_count, word_count;
static struct prof_unwind *_Atomic unwind;
static struct prof_unwind own;
static bool is_armed;

static void keep(struct kept *list, _Atomic uint32_t *count, const struct prof_walk *walk,
                 const struct prof_regs *regs, bool is_joined, bool was_cut) {
  uint32_t index = atomic_fetch_add(count, 1), first = atomic_fetch_add(&word_count, walk->count);
  if (index >= WALKS || first + walk->count > WORDS)
    return;
  memcpy(words + first, walk->words, walk->count * sizeof *words);
  list[index] = (struct kept){.ip = regs->r[PROF_RIP],
                              .sp = regs->r[PROF_RSP],
                              .first = first,
                              .count = walk->count,
                              .end = (uint8_t)walk->end,
                              .is_joined = is_joined,
                              .was_cut = was_cut,
                              .is_ready = 1};
}

static void on_sample(int number, siginfo_t *info, void *context) {
  struct prof_regs regs;
  uint64_t room[ROOM];
  struct prof_walk walk = {.words = room, .capacity = ROOM};
  struct prof_memory memory;
  struct prof_unwind *with = atomic_load(&unwind);
  (void)number, (void)info;
  if (!with)
    return;
  prof_context_registers(context, &regs);
  prof_memory_live(&memory);
  prof_unwind_walk(with, &memory, &regs, &walk);
  keep(truths, &truth_count, &walk, &regs, false, false);
}

void __wrap_prof_attr_fill(const struct prof_plan *plan, uint64_t sig_data,
                           struct perf_event_attr *out) {
  __real_prof_attr_fill(plan, sig_data, out);
  if (!plan->stack_dump || !plan->threads_only)
    return;
  if (!is_armed) {
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
    action.sa_sigaction = on_sample;
    sigaction(SIGTRAP, &action, NULL);
    is_armed = true;
  }
  out->sigtrap = 1;
}

bool __wrap_prof_tail_walk(struct prof_tail *self, const struct prof_regs *regs, const void *dump,
                           size_t size, struct prof_walk *walk) {
  uint64_t asked = self->counters.asked;
  bool is_joined = __real_prof_tail_walk(self, regs, dump, size, walk);
  own.rows = self->unwind->rows;
  own.scan = self->unwind->scan;
  own.v8 = atomic_load(&self->unwind->v8);
  atomic_store(&unwind, &own);
  keep(guesses, &guess_count, walk, regs, is_joined, self->counters.asked != asked);
  return is_joined;
}

__attribute__((constructor)) static void begin(void) {
  truths = calloc(WALKS, sizeof *truths);
  guesses = calloc(WALKS, sizeof *guesses);
  words = malloc(WORDS * sizeof *words);
}

/* By place, then in the order of their coming. */
static int by_place(const void *left, const void *right) {
  const struct kept *a = left, *b = right;
  if (a->ip != b->ip)
    return a->ip < b->ip ? -1 : 1;
  if (a->sp != b->sp)
    return a->sp < b->sp ? -1 : 1;
  return a->first < b->first ? -1 : 1;
}

static bool is_equal(const struct kept *a, const struct kept *b) {
  return a->count == b->count &&
         memcmp(words + a->first, words + b->first, a->count * sizeof *words) == 0;
}

/* The handler's walk of the same sample: places repeat rarely with the stack pointer; where they
 * do, the n-th of one is the n-th of the other, and any other number of them is left out. */
__attribute__((destructor)) static void finish(void) {
  const char *file = getenv("TRUTH_OUTPUT");
  FILE *out = file ? fopen(file, "a") : stderr;
  uint32_t truth_total = truth_count < WALKS ? truth_count : WALKS;
  uint32_t guess_total = guess_count < WALKS ? guess_count : WALKS;
  uint64_t cut = 0, joined = 0, compared = 0, equal = 0, whole = 0, whole_equal = 0;
  uint64_t joined_complete = 0;
  if (!guess_total || !out)
    return;
  qsort(truths, truth_total, sizeof *truths, by_place);
  qsort(guesses, guess_total, sizeof *guesses, by_place);
  for (uint32_t i = 0, at = 0, next; i < guess_total; i = next) {
    const struct kept *guess = &guesses[i];
    next = i;
    while (next < guess_total && guesses[next].ip == guess->ip && guesses[next].sp == guess->sp)
      next++;
    while (at < truth_total &&
           (truths[at].ip < guess->ip || (truths[at].ip == guess->ip && truths[at].sp < guess->sp)))
      at++;
    uint32_t known = at;
    while (known < truth_total && truths[known].ip == guess->ip && truths[known].sp == guess->sp)
      known++;
    for (uint32_t j = i; j < next; j++) {
      const struct kept *one = &guesses[j];
      cut += one->was_cut;
      joined += one->is_joined;
      joined_complete += one->is_joined && one->end == PROF_WALK_COMPLETE;
      if (known - at != next - i || one->end != PROF_WALK_COMPLETE)
        continue;
      const struct kept *truth = &truths[at + (j - i)];
      compared += one->is_joined;
      equal += one->is_joined && is_equal(one, truth);
      whole += !one->is_joined;
      whole_equal += !one->is_joined && is_equal(one, truth);
    }
  }
  fprintf(out,
          "{\"samples\":%u,\"signals\":%u,\"cut\":%lu,\"joined\":%lu,\"joinedComplete\":%lu,"
          "\"compared\":%lu,\"equal\":%lu,\"dumpsAlone\":%lu,\"dumpsEqual\":%lu}\n",
          guess_total, truth_total, (unsigned long)cut, (unsigned long)joined,
          (unsigned long)joined_complete, (unsigned long)compared, (unsigned long)equal,
          (unsigned long)whole, (unsigned long)whole_equal);
}
