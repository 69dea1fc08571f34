#include "perf/attach_events.h"

#include "perf/attach_set.h"

int prof_attach_event_of(const struct prof_attach *self, uint64_t id) {
  uint32_t index = self->plan.extra_count ? prof_table_get(&self->event_of, id) : PROF_TABLE_NONE;
  return index == PROF_TABLE_NONE ? 0 : (int)index;
}

double prof_attach_scale_of(const struct prof_attach *self, int index) {
  const struct prof_event *event = prof_plan_event(&self->plan, index);
  uint64_t wanted_ns = 0, counted_ns = 0;
  for (int i = 0; event->is_hardware && i < self->set_count; i++)
    for (size_t j = 0; j < self->sets[i].fd_count; j++) {
      uint64_t id, words[3];
      int fd = self->sets[i].fds[j];
      if (self->os->event_id(self->os->user, fd, &id) || prof_attach_event_of(self, id) != index ||
          self->os->read_words(self->os->user, fd, words, 3) != 3)
        continue;
      wanted_ns += words[1];
      counted_ns += words[2];
    }
  return counted_ns && wanted_ns > counted_ns ? (double)wanted_ns / (double)counted_ns : 1;
}
