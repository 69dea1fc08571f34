#include "perf/datasave.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "perf/dataform.h"

enum { BUFFER_BYTES = 1 << 20 };

/* With the one attribute behind it. */
struct head {
  struct prof_data_file_head file;
  struct perf_event_attr attr;
  struct prof_data_section ids; /* none: one event needs no telling apart */
};

struct prof_datasave {
  FILE *file;
  char *path;
  struct head head;
  uint64_t at; /* bytes written */
  bool has_records, failed;
  int sys_errno; /* of the first failure */
};

static int fail(const char *path, int sys_errno, const char *call, struct prof_error *error) {
  return prof_error_set(error, PROF_SYSTEM, sys_errno, call, "cannot write %s: %s", path,
                        strerror(sys_errno));
}

static void put(struct prof_datasave *self, const void *bytes, size_t size) {
  if (self->failed)
    return;
  if (fwrite(bytes, 1, size, self->file) == size) {
    self->at += size;
    return;
  }
  self->sys_errno = errno;
  self->failed = true;
}

static void put_u32(struct prof_datasave *self, uint32_t value) {
  put(self, &value, sizeof value);
}

/* perf's strings: the padded length, the bytes, zeros up to 64. */
static void put_text(struct prof_datasave *self, const char *text) {
  static const char zeros[64];
  size_t length = strlen(text) + 1, padded = (length + 63) & ~(size_t)63;
  put_u32(self, (uint32_t)padded);
  put(self, text, length);
  put(self, zeros, padded - length);
}

/* A FIFO without a reader would block for ever; what is no file cannot get its head at the end. */
static FILE *open_file(const char *path, int *sys_errno) {
  struct stat stat;
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW, 0600);
  FILE *file = NULL;
  if (fd >= 0 && fstat(fd, &stat) == 0 && !S_ISREG(stat.st_mode)) {
    errno = EINVAL;
  } else if (fd >= 0 && fchmod(fd, 0600) == 0 && ftruncate(fd, 0) == 0) {
    file = fdopen(fd, "w");
  }
  *sys_errno = errno;
  if (fd >= 0 && !file)
    close(fd);
  return file;
}

int prof_datasave_open(const char *path, const struct perf_event_attr *attr,
                       struct prof_datasave **out, struct prof_error *error) {
  struct prof_datasave *self = calloc(1, sizeof *self);
  int sys_errno = ENOMEM;
  if (self)
    self->path = strdup(path);
  if (self && self->path)
    self->file = open_file(path, &sys_errno);
  if (!self || !self->file) {
    if (self)
      free(self->path);
    free(self);
    return fail(path, sys_errno, "open", error);
  }
  setvbuf(self->file, NULL, _IOFBF, BUFFER_BYTES);
  const uint64_t attr_bytes = sizeof *attr + sizeof self->head.ids;
  self->head = (struct head){
      .file = {.magic = PROF_DATA_MAGIC,
               .size = PROF_DATA_HEAD_BYTES,
               .attr_size = attr_bytes,
               .attrs = {.offset = PROF_DATA_HEAD_BYTES, .size = attr_bytes},
               .data = {.offset = sizeof self->head}},
      .attr = *attr,
  };
  put(self, &self->head, sizeof self->head);
  *out = self;
  return PROF_OK;
}

void prof_datasave_record(struct prof_datasave *self, const struct perf_event_header *record) {
  put(self, record, record->size);
  self->has_records = true;
}

void prof_datasave_round(struct prof_datasave *self) {
  struct perf_event_header end = {.type = PROF_DATA_OWN_FINISHED_ROUND, .size = sizeof end};
  if (self->has_records)
    put(self, &end, sizeof end);
  self->has_records = false;
}

static void put_feature(struct prof_datasave *self, enum prof_data_feature feature,
                        const struct prof_datasave_facts *facts) {
  switch (feature) {
  case PROF_DATA_OSRELEASE:
    put_text(self, facts->os_release);
    break;
  case PROF_DATA_VERSION:
    put_text(self, facts->version);
    break;
  case PROF_DATA_ARCH:
    put_text(self, facts->arch);
    break;
  case PROF_DATA_NRCPUS:
    put_u32(self, facts->cpus);
    put_u32(self, facts->cpus);
    break;
  case PROF_DATA_CMDLINE:
    put_u32(self, 1);
    put_text(self, facts->command);
    break;
  case PROF_DATA_EVENT_DESC:
    put_u32(self, 1);
    put_u32(self, sizeof self->head.attr);
    put(self, &self->head.attr, sizeof self->head.attr);
    put_u32(self, 0); /* ids */
    put_text(self, facts->event_name);
    break;
  case PROF_DATA_SAMPLE_TIME:
    put(self, &facts->first_ns, 8);
    put(self, &facts->last_ns, 8);
    break;
  case PROF_DATA_CLOCK_DATA:
    put_u32(self, 1); /* version */
    put_u32(self, (uint32_t)self->head.attr.clockid);
    put(self, &facts->wall_ns, 8);
    put(self, &facts->wall_at_ns, 8);
    break;
  default:
    break;
  }
}

/* The table of sections stands right behind the records, in the order of their bits. */
static void put_features(struct prof_datasave *self, const struct prof_datasave_facts *facts) {
  static const enum prof_data_feature features[] = {
      PROF_DATA_OSRELEASE, PROF_DATA_VERSION,    PROF_DATA_ARCH,        PROF_DATA_NRCPUS,
      PROF_DATA_CMDLINE,   PROF_DATA_EVENT_DESC, PROF_DATA_SAMPLE_TIME, PROF_DATA_CLOCK_DATA};
  enum { COUNT = sizeof features / sizeof features[0] };
  struct prof_data_section table[COUNT] = {{0}};
  uint64_t table_at = self->at;
  put(self, table, sizeof table);
  for (int i = 0; i < COUNT; i++) {
    table[i].offset = self->at;
    put_feature(self, features[i], facts);
    table[i].size = self->at - table[i].offset;
  }
  if (self->failed || fseeko(self->file, (off_t)table_at, SEEK_SET))
    return;
  put(self, table, sizeof table);
  for (int i = 0; i < COUNT && !self->failed; i++)
    self->head.file.features[0] |= 1ull << features[i];
}

int prof_datasave_close(struct prof_datasave *self, const struct prof_datasave_facts *facts,
                        struct prof_error *error) {
  self->head.file.data.size = self->at - self->head.file.data.offset;
  if (facts)
    put_features(self, facts);
  if (fflush(self->file) && !self->failed) {
    self->failed = true;
    self->sys_errno = errno;
  }
  /* Its bytes are there already: a full disk has room for them. */
  ssize_t written = pwrite(fileno(self->file), &self->head, sizeof self->head, 0);
  if (written != (ssize_t)sizeof self->head && !self->failed) {
    self->failed = true;
    self->sys_errno = errno;
  }
  fclose(self->file);
  int status = self->failed ? fail(self->path, self->sys_errno, "write", error) : PROF_OK;
  free(self->path);
  free(self);
  return status;
}
