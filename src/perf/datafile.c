#include "perf/datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "perf/order.h"

enum {
  WINDOW_BYTES = 1 << 20,
  SECTION_BYTES = 64 << 20, /* of one feature, of the attributes: more is no perf.data */
};

struct prof_datafile {
  int fd;
  uint64_t size, modified_ns;
  uint64_t start, end; /* of the records */
  struct prof_datahead head;
  struct prof_datafile_counts counts;
  uint64_t window_at, window_bytes;
  unsigned char *window;                     /* WINDOW_BYTES of the file */
  _Alignas(8) unsigned char record[1 << 16]; /* the record in hand: its size is a u16 */
};

/* A malloc'ed copy of a section, NULL where it is not all there. */
static unsigned char *read_section(const struct prof_datafile *self,
                                   struct prof_data_section section) {
  if (section.size == 0 || section.size > SECTION_BYTES || section.offset > self->size ||
      section.size > self->size - section.offset)
    return NULL;
  unsigned char *bytes = malloc(section.size);
  if (bytes && prof_file_read_at(self->fd, bytes, section.size, section.offset) != section.size) {
    free(bytes);
    return NULL;
  }
  return bytes;
}

static int refuse(struct prof_error *error, const char *what) {
  return prof_error_set(error, PROF_BAD_FILE, 0, NULL, "%s", what);
}

static int bad_head(struct prof_error *error) {
  return refuse(error, "the head of this perf.data does not fit the file: record it again");
}

static int read_events(struct prof_datafile *self, const struct prof_data_file_head *head,
                       struct prof_error *error) {
  size_t entry = head->attr_size; /* an attr and the section of its ids */
  unsigned char *attrs = read_section(self, head->attrs);
  int failed = !attrs || entry < PERF_ATTR_SIZE_VER0 + sizeof(struct prof_data_section);
  for (size_t at = 0; !failed && at + entry <= head->attrs.size; at += entry) {
    struct prof_data_section ids;
    memcpy(&ids, attrs + at + entry - sizeof ids, sizeof ids);
    failed = prof_datahead_event(&self->head, attrs + at, entry - sizeof ids);
    unsigned char *bytes = failed || !ids.size ? NULL : read_section(self, ids);
    if (bytes)
      failed = prof_datahead_ids(&self->head, self->head.event_count - 1, bytes, ids.size);
    free(bytes);
  }
  free(attrs);
  return failed ? bad_head(error) : PROF_OK;
}

/* One section for each bit that is set, in a table behind the records. */
static void read_features(struct prof_datafile *self, const struct prof_data_file_head *head) {
  uint64_t at = self->end;
  for (unsigned bit = 0; bit < PROF_DATA_FEATURE_BITS; bit++) {
    struct prof_data_section section;
    if (!(head->features[bit / 64] >> bit % 64 & 1))
      continue;
    if (prof_file_read_at(self->fd, &section, sizeof section, at) != sizeof section) {
      self->counts.is_cut = true;
      return;
    }
    at += sizeof section;
    if (section.offset > self->size || section.size > self->size - section.offset)
      self->counts.is_cut = true;
    unsigned char *bytes = read_section(self, section);
    if (bytes)
      prof_datahead_feature(&self->head, bit, bytes, section.size);
    free(bytes);
  }
}

static int read_head(struct prof_datafile *self, struct prof_error *error) {
  struct prof_data_file_head head = {0};
  size_t got = prof_file_read_at(self->fd, &head, sizeof head, 0);
  if (got < PROF_DATA_PIPE_HEAD_BYTES)
    return refuse(error, "this is no perf.data: it is too short");
  if (head.magic == __builtin_bswap64(PROF_DATA_MAGIC))
    return refuse(error, "this perf.data is of a big-endian machine, which is not read");
  if (head.magic != PROF_DATA_MAGIC)
    return refuse(error, "this is no perf.data: its first bytes are not PERFILE2");
  self->start = PROF_DATA_PIPE_HEAD_BYTES;
  self->end = self->size;
  if (head.size == PROF_DATA_PIPE_HEAD_BYTES)
    return PROF_OK;
  if (got < PROF_DATA_HEAD_BYTES || head.size < PROF_DATA_HEAD_BYTES)
    return bad_head(error);
  self->start = head.data.offset;
  if (self->start > self->size || head.data.size > self->size - self->start) {
    self->counts.is_cut = true;
  } else if (head.data.size) { /* 0: perf was killed before it wrote the size */
    self->end = self->start + head.data.size;
  }
  if (self->start > self->end)
    self->start = self->end;
  int status = read_events(self, &head, error);
  if (!status && head.data.size && !self->counts.is_cut)
    read_features(self, &head);
  return status;
}

/* size bytes at an offset of the file, aligned: from the window where they are in it. */
static bool fetch(struct prof_datafile *self, uint64_t at, size_t from, size_t size) {
  if (at < self->window_at || at + size > self->window_at + self->window_bytes) {
    self->window_at = at;
    self->window_bytes = prof_file_read_at(self->fd, self->window, WINDOW_BYTES, at);
    if (self->window_bytes < size)
      return false;
  }
  memcpy(self->record + from, self->window + (at - self->window_at), size);
  return true;
}

/* The next record into self->record; *at moves behind it. false: no more. */
static bool next(struct prof_datafile *self, uint64_t *at) {
  struct perf_event_header *header = (void *)self->record;
  uint64_t left = self->end - *at;
  if (left == 0)
    return false;
  if (left < sizeof *header || !fetch(self, *at, 0, sizeof *header) ||
      header->size < sizeof *header || header->size > left ||
      !fetch(self, *at + sizeof *header, sizeof *header, header->size - sizeof *header)) {
    self->counts.is_cut = true;
    return false;
  }
  *at += header->size;
  if (header->type == PROF_DATA_OWN_AUXTRACE && header->size >= 16) {
    uint64_t more;
    memcpy(&more, self->record + 8, sizeof more);
    *at = more > self->end - *at ? self->end : *at + more;
  } else if (header->type == PROF_DATA_OWN_TRACING_DATA && header->size >= 12) {
    uint32_t more;
    memcpy(&more, self->record + 8, sizeof more);
    uint64_t padded = ((uint64_t)more + 7) & ~7ull;
    *at = padded > self->end - *at ? self->end : *at + padded;
  }
  return true;
}

static int check_type(uint32_t type, struct prof_error *error) {
  if (type == PROF_DATA_OWN_COMPRESSED || type == PROF_DATA_OWN_COMPRESSED2)
    return refuse(error, "the records of this perf.data are compressed, which is not read: record "
                         "it without -z");
  return PROF_OK;
}

/* What a piped file has among its records instead of a head. */
static int read_piped(struct prof_datafile *self, struct prof_error *error) {
  const struct perf_event_header *header = (const void *)self->record;
  uint64_t at = self->start;
  int failed = 0, status = PROF_OK;
  while (!failed && !status && next(self, &at)) {
    const unsigned char *body = self->record + sizeof *header;
    size_t size = header->size - sizeof *header;
    status = check_type(header->type, error);
    if (header->type == PROF_DATA_OWN_ATTR && size >= PERF_ATTR_SIZE_VER0) {
      uint32_t attr_bytes;
      memcpy(&attr_bytes, body + 4, sizeof attr_bytes); /* perf_event_attr.size */
      failed = attr_bytes > size || prof_datahead_event(&self->head, body, attr_bytes) ||
               prof_datahead_ids(&self->head, self->head.event_count - 1, body + attr_bytes,
                                 size - attr_bytes);
    } else if (header->type == PROF_DATA_OWN_FEATURE && size >= 8) {
      uint64_t feature;
      memcpy(&feature, body, sizeof feature);
      if (feature < PROF_DATA_FEATURE_BITS)
        prof_datahead_feature(&self->head, (unsigned)feature, body + 8, size - 8);
    } else if (header->type == PROF_DATA_OWN_BUILD_ID) {
      prof_datahead_feature(&self->head, PROF_DATA_BUILD_ID, self->record, header->size);
    }
  }
  return failed ? bad_head(error) : status;
}

int prof_datafile_open(const char *path, struct prof_datafile **out, struct prof_error *error) {
  struct stat stat;
  struct prof_datafile *self = calloc(1, sizeof *self);
  int status = PROF_OK;
  if (self)
    self->window = malloc(WINDOW_BYTES);
  if (!self || !self->window) {
    free(self);
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory to read a perf.data");
  }
  self->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
  if (self->fd < 0 || fstat(self->fd, &stat)) {
    int failed = errno;
    status = prof_error_set(error, PROF_BAD_FILE, failed, "open", "cannot open %s: %s", path,
                            strerror(failed));
  } else if (!S_ISREG(stat.st_mode)) {
    status =
        prof_error_set(error, PROF_BAD_FILE, 0, NULL, "%s is no regular file: save it first", path);
  } else {
    self->size = (uint64_t)stat.st_size;
    self->modified_ns =
        (uint64_t)stat.st_mtim.tv_sec * 1000000000u + (uint64_t)stat.st_mtim.tv_nsec;
    status = read_head(self, error);
    if (!status && self->start == PROF_DATA_PIPE_HEAD_BYTES && !self->head.event_count)
      status = read_piped(self, error);
    if (!status && !self->head.event_count)
      status = refuse(error, "this perf.data has no events: record it again");
  }
  if (status) {
    prof_datafile_close(self);
    return status;
  }
  *out = self;
  return PROF_OK;
}

void prof_datafile_close(struct prof_datafile *self) {
  if (!self)
    return;
  if (self->fd >= 0)
    close(self->fd);
  prof_datahead_free(&self->head);
  free(self->window);
  free(self);
}

const struct prof_datahead *prof_datafile_head(const struct prof_datafile *self) {
  return &self->head;
}

uint64_t prof_datafile_modified_ns(const struct prof_datafile *self) {
  return self->modified_ns;
}

/* The id decides the layout, and stands where it can be found without one: first in samples and
 * last in the others (PERF_SAMPLE_IDENTIFIER); in files without it all layouts agree up to the id.
 */
static uint64_t id_of(const struct prof_datahead *head, const struct perf_event_header *header) {
  const struct prof_record_layout *layout = &head->events->layout;
  uint64_t id = 0;
  if (!(layout->sample_type & PERF_SAMPLE_IDENTIFIER)) {
    struct prof_record record;
    prof_record_decode(layout, header, &record); /* what was read before it failed is set */
    return record.id;
  }
  if (header->size < sizeof *header + 8 ||
      (header->type != PERF_RECORD_SAMPLE && !layout->sample_id_all))
    return 0;
  const char *at = header->type == PERF_RECORD_SAMPLE ? (const char *)(header + 1)
                                                      : (const char *)header + header->size - 8;
  memcpy(&id, at, sizeof id);
  return id;
}

/* 0, or -1 where it is to be left out (counted). */
static int decode(struct prof_datafile *self, const struct perf_event_header *header,
                  const struct prof_data_event **event, struct prof_record *record) {
  const struct prof_datahead *head = &self->head;
  *event = prof_datahead_find(head, head->event_count > 1 ? id_of(head, header) : 0);
  if (!*event && header->type == PERF_RECORD_SAMPLE) {
    self->counts.unknown++;
    return -1;
  }
  const struct prof_data_event *as = *event ? *event : head->events;
  if (prof_record_decode(&as->layout, header, record)) {
    self->counts.malformed++;
    return -1;
  }
  return 0;
}

struct round {
  struct prof_datafile *file;
  struct prof_order *order;
  prof_datafile_visit *visit;
  void *user;
  uint64_t latest_ns, before_ns; /* latest time of any record; the same, one round ago */
  bool no_memory;
};

static void visit_ordered(void *user, const struct perf_event_header *header, int cpu) {
  struct round *round = user;
  const struct prof_data_event *event;
  struct prof_record record;
  (void)cpu;
  if (decode(round->file, header, &event, &record) == 0)
    round->visit(round->user, event, &record);
}

static void push(struct round *self, const struct perf_event_header *header) {
  const struct prof_data_event *event;
  struct prof_record record;
  if (decode(self->file, header, &event, &record))
    return;
  if (self->latest_ns < record.time_ns && record.time_ns != UINT64_MAX)
    self->latest_ns = record.time_ns;
  if (prof_order_push(self->order, header, (int)(record.cpu & 0x3ff), record.time_ns))
    self->no_memory = true;
}

/* All that one round of perf's wrote was in its rings before the next round began: what is older
 * than the newest record of the round before can be followed by nothing older. */
static void end_round(struct round *self) {
  prof_order_flush(self->order, self->before_ns, visit_ordered, self);
  self->before_ns = self->latest_ns;
}

static int run(struct prof_datafile *self, struct round *round, prof_datafile_visit *visit,
               void *user, struct prof_error *error) {
  const struct perf_event_header *header = (const void *)self->record;
  bool was_cut = self->counts.is_cut;
  uint64_t at = self->start;
  self->counts = (struct prof_datafile_counts){.is_cut = was_cut};
  while (next(self, &at)) {
    const struct prof_data_event *event;
    struct prof_record record;
    int status = check_type(header->type, error);
    if (status)
      return status;
    if (round && header->type == PROF_DATA_OWN_FINISHED_ROUND)
      end_round(round);
    if (header->type >= PROF_DATA_OWN_ATTR)
      continue;
    self->counts.records++;
    if (round)
      push(round, header);
    else if (decode(self, header, &event, &record) == 0)
      visit(user, event, &record);
  }
  return PROF_OK;
}

int prof_datafile_scan(struct prof_datafile *self, prof_datafile_visit *visit, void *user,
                       struct prof_error *error) {
  return run(self, NULL, visit, user, error);
}

int prof_datafile_replay(struct prof_datafile *self, prof_datafile_visit *visit, void *user,
                         struct prof_error *error) {
  struct round round = {.file = self, .order = prof_order_create(0), .visit = visit, .user = user};
  int status = round.order ? run(self, &round, visit, user, error) : PROF_OK;
  if (round.order && !status) {
    prof_order_finish(round.order, visit_ordered, &round);
    self->counts.late = prof_order_counts(round.order).late;
  }
  if (!round.order || round.no_memory)
    status = prof_error_set(error, PROF_NO_MEMORY, 0, NULL,
                            "no memory to put this perf.data in order of time");
  prof_order_free(round.order);
  return status;
}

struct prof_datafile_counts prof_datafile_counts(const struct prof_datafile *self) {
  return self->counts;
}
