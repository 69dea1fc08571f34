#include "perf/datahead.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cursor.h"

enum { BUILD_IDS_MAX = 1 << 16, BUILD_ID_BYTES = 20 };

/* perf's strings: their padded length, then that many bytes. Cut to fit. */
static void take_text(struct prof_cursor *self, char *out, size_t size) {
  uint32_t length = prof_cursor_u32(self);
  const unsigned char *text = prof_cursor_take(self, length);
  if (!text || size == 0)
    return;
  size_t used = strnlen((const char *)text, length);
  used = used < size - 1 ? used : size - 1;
  memcpy(out, text, used);
  out[used] = 0;
}

void prof_datahead_free(struct prof_datahead *self) {
  for (size_t i = 0; i < self->build_id_count; i++)
    free(self->build_ids[i].path);
  free(self->build_ids);
  free(self->events);
  prof_table_free(&self->event_of);
  memset(self, 0, sizeof *self);
}

int prof_datahead_event(struct prof_datahead *self, const unsigned char *attr, size_t attr_bytes) {
  if (attr_bytes < PERF_ATTR_SIZE_VER0 || self->event_count == PROF_DATA_EVENTS_MAX ||
      prof_array_reserve((void **)&self->events, &self->event_capacity, self->event_count + 1,
                         sizeof *self->events))
    return -1;
  struct prof_data_event *event = &self->events[self->event_count++];
  memset(event, 0, sizeof *event);
  /* Fields that the writer did not know yet are zero; those that we do not know change no layout
   * that sample_type does not name. */
  memcpy(&event->attr, attr, attr_bytes < sizeof event->attr ? attr_bytes : sizeof event->attr);
  prof_record_layout_of(&event->attr, &event->layout);
  return 0;
}

int prof_datahead_ids(struct prof_datahead *self, size_t index, const unsigned char *ids,
                      size_t bytes) {
  if (index >= self->event_count || bytes / 8 > PROF_DATA_IDS_MAX - self->event_of.count)
    return -1;
  for (size_t i = 0; i + 8 <= bytes; i += 8) {
    uint64_t id;
    memcpy(&id, ids + i, sizeof id);
    if (prof_table_put(&self->event_of, id, (uint32_t)index))
      return -1;
  }
  return 0;
}

static void read_build_ids(struct prof_datahead *self, struct prof_cursor *reader) {
  while (reader->at < reader->end && self->build_id_count < BUILD_IDS_MAX) {
    struct perf_event_header header;
    const unsigned char *at = prof_cursor_take(reader, sizeof header), *id, *path;
    if (!at)
      return;
    memcpy(&header, at, sizeof header);
    if (header.size < sizeof header + 4 + 24 + 1)
      return;
    size_t path_bytes = header.size - sizeof header - 4 - 24;
    uint32_t pid = prof_cursor_u32(reader);
    id = prof_cursor_take(reader, 24); /* 20 bytes, how many of them, padding */
    path = prof_cursor_take(reader, path_bytes);
    if (!path || prof_array_reserve((void **)&self->build_ids, &self->build_id_capacity,
                                    self->build_id_count + 1, sizeof *self->build_ids))
      return;
    struct prof_data_build_id *row = &self->build_ids[self->build_id_count];
    row->pid = pid;
    memcpy(row->bytes, id, BUILD_ID_BYTES);
    row->size = BUILD_ID_BYTES;
    if (header.misc & PERF_RECORD_MISC_MMAP_BUILD_ID << 1 && id[20] <= BUILD_ID_BYTES)
      row->size = id[20]; /* PERF_RECORD_MISC_BUILD_ID_SIZE: since perf 5.10 */
    row->path = strndup((const char *)path, path_bytes);
    if (!row->path)
      return;
    self->build_id_count++;
  }
}

/* Names by place: the section lists the events as the attributes do. */
static void read_descriptions(struct prof_datahead *self, struct prof_cursor *reader) {
  uint32_t count = prof_cursor_u32(reader), attr_bytes = prof_cursor_u32(reader);
  for (uint32_t i = 0; i < count && !reader->bad; i++) {
    char name[sizeof self->events->name] = "";
    prof_cursor_take(reader, attr_bytes);
    uint32_t ids = prof_cursor_u32(reader);
    take_text(reader, name, sizeof name);
    prof_cursor_take(reader, (uint64_t)ids * 8);
    if (!reader->bad && i < self->event_count)
      memcpy(self->events[i].name, name, sizeof name);
  }
}

static void read_command(struct prof_datahead *self, struct prof_cursor *reader) {
  uint32_t count = prof_cursor_u32(reader);
  size_t used = 0;
  for (uint32_t i = 0; i < count && !reader->bad && used + 2 < sizeof self->command; i++) {
    char word[sizeof self->command] = "";
    take_text(reader, word, sizeof word);
    int made =
        snprintf(self->command + used, sizeof self->command - used, "%s%s", i ? " " : "", word);
    used += made > 0 ? (size_t)made : 0;
  }
}

void prof_datahead_feature(struct prof_datahead *self, unsigned feature, const unsigned char *bytes,
                           size_t size) {
  struct prof_cursor reader = {bytes, bytes + size, false};
  switch (feature) {
  case PROF_DATA_BUILD_ID:
    read_build_ids(self, &reader);
    break;
  case PROF_DATA_OSRELEASE:
    take_text(&reader, self->os_release, sizeof self->os_release);
    break;
  case PROF_DATA_VERSION:
    take_text(&reader, self->version, sizeof self->version);
    break;
  case PROF_DATA_ARCH:
    take_text(&reader, self->arch, sizeof self->arch);
    break;
  case PROF_DATA_NRCPUS:
    prof_cursor_u32(&reader); /* available */
    self->cpus = prof_cursor_u32(&reader);
    break;
  case PROF_DATA_CMDLINE:
    read_command(self, &reader);
    break;
  case PROF_DATA_EVENT_DESC:
    read_descriptions(self, &reader);
    break;
  case PROF_DATA_SAMPLE_TIME:
    self->first_ns = prof_cursor_u64(&reader);
    self->last_ns = prof_cursor_u64(&reader);
    break;
  case PROF_DATA_CLOCK_DATA:
    prof_cursor_take(&reader, 8); /* version, clock */
    self->wall_ns = prof_cursor_u64(&reader);
    self->wall_at_ns = prof_cursor_u64(&reader);
    break;
  default:
    break;
  }
}

const struct prof_data_event *prof_datahead_find(const struct prof_datahead *self, uint64_t id) {
  if (self->event_count == 1)
    return self->events;
  uint32_t index = prof_table_get(&self->event_of, id);
  return index == PROF_TABLE_NONE ? NULL : &self->events[index];
}
