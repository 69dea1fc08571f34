#include "trace/flow.h"

#include <stdlib.h>

#include "base/array.h"

void prof_flow_free(struct prof_flow *self) {
  free(self->spawns);
  prof_table_free(&self->by_job);
  *self = (struct prof_flow){0};
}

int prof_flow_put(struct prof_flow *self, const struct prof_flow_spawn *spawn) {
  uint32_t index = prof_table_get(&self->by_job, spawn->job);
  if (index != PROF_TABLE_NONE) {
    self->spawns[index] = *spawn;
    return 0;
  }
  if (self->count == PROF_FLOW_JOBS_MAX) {
    self->forgotten += self->count;
    self->count = 0;
    prof_table_free(&self->by_job);
  }
  if (prof_array_reserve((void **)&self->spawns, &self->capacity, self->count + 1,
                         sizeof *self->spawns) ||
      prof_table_put(&self->by_job, spawn->job, (uint32_t)self->count))
    return -1;
  self->spawns[self->count++] = *spawn;
  return 0;
}

const struct prof_flow_spawn *prof_flow_find(const struct prof_flow *self, uint64_t job) {
  uint32_t index = prof_table_get(&self->by_job, job);
  return index == PROF_TABLE_NONE ? NULL : &self->spawns[index];
}
