#include "session/made.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A record under construction; linux/perf_event.h has the layouts. */
struct made {
  _Alignas(8) unsigned char bytes[sizeof(struct perf_event_header) + 64 + PATH_MAX + 64];
  size_t size;
};

static void add(struct made *self, const void *bytes, size_t size) {
  memcpy(self->bytes + self->size, bytes, size);
  self->size += size;
}

static void add_u32(struct made *self, uint32_t value) {
  add(self, &value, sizeof value);
}

static void add_u64(struct made *self, uint64_t value) {
  add(self, &value, sizeof value);
}

static void add_text(struct made *self, const char *text) {
  size_t length = strnlen(text, PATH_MAX - 1);
  add(self, text, length);
  do
    self->bytes[self->size++] = 0;
  while (self->size % 8);
}

static void start(struct made *self) {
  self->size = sizeof(struct perf_event_header);
}

/* The sample_id of attr.c's sample_type: from before the first sample. */
static void finish(struct made *self, struct prof_datasave *save, uint32_t type, uint16_t misc,
                   uint32_t pid, uint32_t tid) {
  add_u32(self, pid);
  add_u32(self, tid);
  add_u64(self, 0); /* time */
  add_u64(self, 0); /* cpu */
  add_u64(self, 0); /* id: one event has none */
  struct perf_event_header header = {.type = type, .misc = misc, .size = (uint16_t)self->size};
  memcpy(self->bytes, &header, sizeof header);
  prof_datasave_record(save, (const void *)self->bytes);
}

void prof_made_thread(struct prof_datasave *save, uint32_t pid, uint32_t tid, const char *name) {
  struct made made;
  start(&made);
  add_u32(&made, pid);
  add_u32(&made, tid);
  add_text(&made, name);
  finish(&made, save, PERF_RECORD_COMM, 0, pid, tid);
}

void prof_made_mapping(struct prof_datasave *save, uint32_t pid, const struct prof_mapping *mapping,
                       const uint8_t *build_id, uint8_t id_bytes) {
  struct made made;
  uint8_t id[24] = {id_bytes}; /* size, three bytes of nothing, 20 of the id */
  memcpy(id + 4, build_id, id_bytes);
  start(&made);
  add_u32(&made, pid);
  add_u32(&made, pid);
  add_u64(&made, mapping->start);
  add_u64(&made, mapping->end - mapping->start);
  add_u64(&made, mapping->offset);
  add(&made, id, sizeof id);
  add_u32(&made, PROT_READ | (mapping->is_executable ? PROT_EXEC : 0));
  add_u32(&made, MAP_PRIVATE);
  add_text(&made, mapping->path);
  uint16_t misc = PERF_RECORD_MISC_USER | (id_bytes ? PERF_RECORD_MISC_MMAP_BUILD_ID : 0) |
                  (mapping->is_executable ? 0 : PERF_RECORD_MISC_MMAP_DATA);
  finish(&made, save, PERF_RECORD_MMAP2, misc, pid, pid);
}

void prof_made_kernel(struct prof_datasave *save) {
  static const char name[] = "[kernel.kallsyms]_text";
  FILE *file = fopen("/proc/kallsyms", "re");
  char line[512];
  uint64_t text = 0;
  while (file && !text && fgets(line, sizeof line, file)) {
    if (strstr(line, " _text\n"))
      text = strtoull(line, NULL, 16);
  }
  if (file)
    fclose(file);
  if (!text)
    return;
  struct made made;
  start(&made);
  add_u32(&made, UINT32_MAX);
  add_u32(&made, 0);
  add_u64(&made, text);
  add_u64(&made, UINT64_MAX - text);
  add_u64(&made, text);
  add_text(&made, name);
  finish(&made, save, PERF_RECORD_MMAP, PERF_RECORD_MISC_KERNEL, UINT32_MAX, 0);
}
