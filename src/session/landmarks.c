#include "session/landmarks.h"

#include <stdatomic.h>
#include <string.h>

#include "code/jit.h"
#include "session/recording.h"

/* Old maps stay until the end: a handler may be reading one. */
void prof_landmarks_publish(struct prof_recording *self) {
  struct prof_jit_map map;
  if (!self->options.has_jit || !prof_jit_v8_map(&map))
    return;
  struct prof_v8_map fresh, *out;
  prof_v8map_fill(&fresh, &map, &self->options.bytecode);
  fresh.unlisted_count = self->unlisted.asked_count;
  memcpy(fresh.unlisted, self->unlisted.asked, sizeof fresh.unlisted);
  self->unlisted.is_new = false;
  const struct prof_v8_map *now = atomic_load_explicit(&self->unwind.v8, memory_order_relaxed);
  if (now && memcmp(now, &fresh, sizeof fresh) == 0)
    return;
  out = prof_arena_alloc(&self->arena, sizeof *out);
  if (!out)
    return;
  memcpy(out, &fresh, sizeof fresh);
  atomic_store_explicit(&self->unwind.v8, out, memory_order_release);
}

void prof_landmarks_find(struct prof_recording *self) {
  uint64_t words[64];
  struct prof_walk walk = {.words = words, .capacity = 64};
  struct prof_memory memory;
  struct prof_regs regs = {0};
  uint64_t pc, sp, fp;
  struct prof_cfi_image image;
  struct prof_cfi_row row;
#if defined(__x86_64__)
  __asm__ volatile("movq %%rbp, %0\n\tmovq %%rsp, %1\n\tleaq (%%rip), %2"
                   : "=r"(fp), "=r"(sp), "=r"(pc));
#elif defined(__aarch64__)
  __asm__ volatile("mov %0, x29\n\tmov %1, sp\n\tadr %2, ." : "=r"(fp), "=r"(sp), "=r"(pc));
#endif
  prof_regs_arrive(&regs, pc, sp, fp, true);
  prof_memory_live(&memory);
  prof_unwind_walk(&self->unwind, &memory, &regs, &walk);
  if (walk.end != PROF_WALK_COMPLETE || walk.count < 3)
    return;
  pc = PROF_WORD_VALUE(words[walk.count - 2]);
  if (prof_rows_image(self->rows, pc, &image) &&
      prof_cfi_compile(&image, pc, &row) == PROF_CFI_OK) {
    self->thread_start = row.function_start;
    self->thread_start_end = row.function_end;
  }
}
