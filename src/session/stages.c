#include "session/stages.h"

#include <stdlib.h>

#include "perf/ring.h"
#include "session/recording.h"

enum { ORDER_LIMIT_BYTES = 256 << 20 };

int prof_stages_open(struct prof_recording *self, struct prof_error *error) {
  prof_arena_init(&self->arena, 0);
  prof_join_init(&self->join);
  self->perfmap.fd = -1;
  size_t most = PROF_RING_SCRATCH_BYTES / 8;
  most = most < self->options.max_words ? self->options.max_words : most;
  self->words = prof_arena_alloc(&self->arena, most * sizeof *self->words);
  self->record = prof_arena_alloc(&self->arena, PROF_RING_SCRATCH_BYTES);
  bool is_live = !self->options.replay_pid;
  int no_tail =
      prof_tail_init(&self->tail, &self->unwind, is_live ? prof_tail_read_self : NULL, NULL);
  self->space = prof_space_create();
  self->kernel = prof_kernel_create(self->options.kernel_path);
  self->order = prof_order_create(ORDER_LIMIT_BYTES);
  if (no_tail || !self->words || !self->record || !self->space || !self->kernel || !self->order ||
      prof_tree_init(&self->tree) || prof_tree_init(&self->kernel_tree)) {
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL,
                          "no memory for a recording: free some memory");
  }
  self->modules = prof_modules_create(error);
  self->rows = self->modules ? prof_rows_create(error) : NULL;
  if (!self->rows)
    return error ? error->status : PROF_NO_MEMORY;
  self->symbols = prof_symbols_create(self->modules, self->kernel, &self->arena);
  if (!self->symbols) {
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL,
                          "no memory for symbol tables: free some memory");
  }
  prof_symbols_set_space(self->symbols, self->space);
  prof_symbols_stash(self->symbols, self->options.stash);
  if (!self->options.kernel_path)
    prof_kernel_stash(self->kernel, self->options.stash);
  if (self->options.replay_pid) {
    prof_rows_foreign(self->rows);
  } else {
    prof_modules_load_self(self->modules, self->space);
    prof_unindexed_all(&self->unindexed, self->rows, self->modules);
  }
  prof_kept_recall(self); /* what is added forgets rows */
  self->unwind.rows = self->rows;
  self->unwind.scan = true;
  self->splice = (struct prof_splice){
      .tree = &self->tree,
      .space = self->space,
      .symbols = self->symbols,
      .bytecode = self->options.bytecode,
      .unlisted = self->options.bytecode.function.bytecode_map ? &self->unlisted : NULL};
  return PROF_OK;
}

void prof_stages_free(struct prof_recording *self) {
  prof_order_free(self->order);
  prof_walks_free(&self->walks);
  prof_resident_free(&self->resident);
  free(self->waits.rows);
  free(self->allocations.rows);
  prof_join_free(&self->join);
  prof_tail_free(&self->tail);
  prof_samples_free(&self->samples);
  prof_threads_free(&self->threads);
  prof_unlisted_free(&self->unlisted);
  prof_splice_free(&self->splice);
  prof_tree_free(&self->tree);
  prof_tree_free(&self->kernel_tree);
  prof_symbols_free(self->symbols);
  prof_kernel_free(self->kernel);
  prof_modules_free(self->modules);
  prof_space_free(self->space);
  prof_rows_free(self->rows);
  prof_unindexed_free(&self->unindexed);
  prof_kept_free(&self->kept);
  if (self->perfmap.fd >= 0)
    prof_perfmap_close(&self->perfmap);
  prof_arena_free(&self->arena);
}
