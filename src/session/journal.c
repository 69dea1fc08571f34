#include "session/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/array.h"
#include "base/chunks.h"
#include "base/clock.h"
#include "session/journal_rows.h"

enum {
  PERIOD_NS = 500000000,
  LARGE_BYTES = 64 << 20, /* a watch's old samples make a journal this long begin anew */
};

void prof_journal_init(struct prof_journal *self, const char *folder, const char *about) {
  *self = (struct prof_journal){.folder = folder, .about = about, .fd = -1};
  prof_journal_notes_init(&self->notes);
}

/* Gives up on the journal. What was written stays and is a whole one up to there, unless that is
 * nothing: nobody is to be sent to it. */
static void fail(struct prof_journal *self, const char *what, int number) {
  snprintf(self->failure, sizeof self->failure, "%.190s: %.60s", what, strerror(number));
  self->folder = NULL;
  if (!self->has_piece)
    prof_journal_remove(self);
}

/* --- a piece under construction --- */

static void put(struct prof_journal *self, const void *bytes, size_t size) {
  if (prof_array_reserve((void **)&self->piece, &self->capacity, self->used + size, 1)) {
    fail(self, "a piece", ENOMEM);
    return;
  }
  if (size)
    memcpy(self->piece + self->used, bytes, size);
  self->used += size;
}

static void put_u32(struct prof_journal *self, uint32_t value) {
  put(self, &value, sizeof value);
}

static void put_u64(struct prof_journal *self, uint64_t value) {
  put(self, &value, sizeof value);
}

static void put_section(struct prof_journal *self, enum prof_journal_tag tag, size_t count) {
  put_u32(self, tag);
  put_u32(self, (uint32_t)count);
}

/* How many rows there were of the section that was begun at place; none: nor is there a section. */
static void end_section(struct prof_journal *self, size_t place, uint32_t count) {
  if (!count)
    self->used = place;
  else if (!self->failure[0])
    memcpy(self->piece + place + sizeof(uint32_t), &count, sizeof count);
}

static void put_head(struct prof_journal *self, const struct prof_recording *recording) {
  struct utsname name = {0};
  struct prof_journal_head head;
  memset(&head, 0, sizeof head);
  head.version = PROF_JOURNAL_VERSION;
  head.head_bytes = sizeof head;
  head.sample_bytes = sizeof(struct prof_sample);
  head.thread_bytes = sizeof(struct prof_thread_row);
  head.state_bytes = sizeof(struct prof_journal_state);
  head.pid = (uint32_t)getpid();
  head.cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
  head.start_ns = recording->start_ns;
  head.start_unix_ms = recording->start_unix_ms;
  head.plan = recording->attach ? *prof_attach_plan(recording->attach) : recording->options.plan;
  uname(&name);
  snprintf(head.kernel, sizeof head.kernel, "%.64s", name.release);
  prof_journal_boot_id(head.boot_id);
  put_section(self, PROF_JOURNAL_HEAD, 1);
  put(self, &head, sizeof head);
  put_section(self, PROF_JOURNAL_ABOUT, strlen(self->about));
  put(self, self->about, strlen(self->about));
}

static void put_modules(struct prof_journal *self, const struct prof_modules *modules) {
  size_t count = prof_modules_count(modules);
  if (count == self->modules)
    return;
  put_section(self, PROF_JOURNAL_MODULES, count - self->modules);
  for (; self->modules < count; self->modules++) {
    const struct prof_module *module = prof_modules_at(modules, self->modules);
    struct prof_journal_module row = {.start = module->start,
                                      .end = module->end,
                                      .bias = module->bias,
                                      .flags = module->flags,
                                      .path_bytes = (uint32_t)strlen(module->path),
                                      .id_bytes = (uint32_t)strlen(module->build_id)};
    put(self, &row, sizeof row);
    put(self, module->path, row.path_bytes);
    put(self, module->build_id, row.id_bytes);
  }
}

static void put_threads(struct prof_journal *self, const struct prof_threads *threads) {
  size_t place = self->used;
  uint32_t changed = 0;
  if (prof_array_reserve((void **)&self->threads, &self->thread_capacity, threads->count + 1,
                         sizeof *self->threads)) {
    fail(self, "its threads", ENOMEM);
    return;
  }
  put_section(self, PROF_JOURNAL_THREADS, 0);
  for (size_t i = 0; i < threads->count; i++) {
    const struct prof_thread_row *row = &threads->rows[i];
    if (i < self->thread_count && memcmp(&self->threads[i], row, sizeof *row) == 0)
      continue;
    put_u32(self, (uint32_t)i);
    put(self, row, sizeof *row);
    self->threads[i] = *row;
    changed++;
  }
  self->thread_count = threads->count;
  end_section(self, place, changed);
}

/* Code that a sampled frame is in, once. */
static uint32_t put_code(struct prof_journal *self, const struct prof_space *space, uint32_t id) {
  const struct prof_code *code = prof_space_code(space, id);
  if (id >= self->code_count) {
    size_t count = 2 * (size_t)id + 1024;
    uint8_t *codes = realloc(self->codes, count);
    if (!codes) {
      fail(self, "its code", ENOMEM);
      return 0;
    }
    memset(codes + self->code_count, 0, count - self->code_count);
    self->codes = codes;
    self->code_count = count;
  }
  if (!code || self->codes[id] || id <= PROF_SPACE_KERNEL)
    return 0;
  struct prof_journal_code row = {
      .id = id,
      .module = code->module,
      .start = code->start,
      .size = code->size,
      .kind = code->kind,
      .tier = code->tier,
      .has_name = code->name != NULL,
      .name_bytes = code->name ? (uint32_t)strlen(code->name) : 0,
  };
  put(self, &row, sizeof row);
  if (code->name)
    put(self, code->name, row.name_bytes);
  self->codes[id] = 1;
  return 1;
}

static void put_frames(struct prof_journal *self, const struct prof_recording *recording) {
  const struct prof_tree *tree = &recording->tree;
  size_t place = self->used;
  uint32_t codes = 0;
  put_section(self, PROF_JOURNAL_CODES, 0);
  for (size_t i = self->keys; i < tree->key_count && !self->failure[0]; i++)
    if (tree->keys[i] >> 32 < PROF_FRAME_SPECIAL)
      codes += put_code(self, recording->space, (uint32_t)(tree->keys[i] >> 32));
  end_section(self, place, codes);
  put_section(self, PROF_JOURNAL_KEYS, tree->key_count - self->keys);
  for (; self->keys < tree->key_count; self->keys++) {
    uint64_t key = tree->keys[self->keys];
    struct prof_place at = {.code = (uint32_t)(key >> 32), .offset = (uint32_t)key};
    put_u64(self, key);
    put_u64(self, at.code == PROF_SPACE_UNKNOWN ? prof_space_address(recording->space, at) : 0);
  }
}

static void put_state(struct prof_journal *self, const struct prof_recording *recording) {
  struct prof_journal_state state;
  memset(&state, 0, sizeof state);
  state.end_ns = prof_now_ns();
  state.forgotten = recording->samples.forgotten;
  state.peak_bytes = prof_recording_bytes(recording);
  state.cpu_ms = (double)prof_clock_ns(CLOCK_THREAD_CPUTIME_ID) / 1e6;
  prof_recording_counters(recording, &state.counters);
  put_section(self, PROF_JOURNAL_STATE, 1);
  put(self, &state, sizeof state);
}

static void put_notes(void *user, const char *text, size_t bytes, bool replaces) {
  struct prof_journal *self = user;
  put_section(self, replaces ? PROF_JOURNAL_NOTES_ANEW : PROF_JOURNAL_NOTES, bytes);
  put(self, text, bytes);
}

static void put_all(struct prof_journal *self, const struct prof_recording *recording) {
  const struct prof_tree *tree = &recording->tree;
  const struct prof_samples *samples = &recording->samples;
  self->used = sizeof(struct prof_chunk_head); /* filled in by write_piece */
  if (prof_array_reserve((void **)&self->piece, &self->capacity, self->used, 1)) {
    fail(self, "a piece", ENOMEM);
    return;
  }
  if (self->number == 0)
    put_head(self, recording);
  prof_journal_notes_take(&self->notes, put_notes, self);
  put_modules(self, recording->modules);
  put_threads(self, &recording->threads);
  put_frames(self, recording);
  put_section(self, PROF_JOURNAL_NODES, tree->count - self->nodes);
  put(self, tree->nodes + self->nodes, (tree->count - self->nodes) * sizeof *tree->nodes);
  self->nodes = tree->count;
  put_section(self, PROF_JOURNAL_SAMPLES, samples->count - self->samples);
  put(self, samples->rows + self->samples,
      (samples->count - self->samples) * sizeof *samples->rows);
  self->samples = samples->count;
  put_state(self, recording);
}

static void write_piece(struct prof_journal *self) {
  size_t payload = self->used - sizeof(struct prof_chunk_head), done = 0;
  struct prof_chunk_head head = prof_chunk_head(self->number, self->piece + sizeof head, payload);
  memcpy(self->piece, &head, sizeof head);
  while (done < self->used) {
    ssize_t wrote = write(self->fd, self->piece + done, self->used - done);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0) {
      fail(self, self->path, errno);
      return;
    }
    done += (size_t)wrote;
  }
  self->number++;
  self->bytes += self->used;
  self->has_piece = true;
}

static void open_file(struct prof_journal *self, uint64_t start_unix_ms) {
  self->fd = prof_journal_file_open(self->folder, start_unix_ms, self->path);
  if (self->fd < 0)
    fail(self, self->path[0] ? self->path : self->folder, errno);
}

void prof_journal_flush(struct prof_recording *recording) {
  struct prof_journal *self = &recording->journal;
  if (!self->folder)
    return;
  self->written_ns = prof_now_ns();
  if (self->fd < 0)
    open_file(self, recording->start_unix_ms);
  if (self->fd >= 0 && self->folder)
    put_all(self, recording);
  if (self->folder)
    write_piece(self);
}

void prof_journal_round(struct prof_recording *recording) {
  struct prof_journal *self = &recording->journal;
  if (!self->folder)
    return;
  uint64_t since_ns = self->written_ns ? self->written_ns : recording->start_ns;
  if (prof_now_ns() - since_ns >= PERIOD_NS)
    prof_journal_flush(recording);
}

/* Written whole beside it, then put in its place: there is a whole one at every moment. */
static void begin_anew(struct prof_recording *recording) {
  struct prof_journal *self = &recording->journal;
  char fresh[PATH_MAX + 8];
  int before = self->fd;
  snprintf(fresh, sizeof fresh, "%s.new", self->path);
  unlink(fresh);
  self->fd = prof_journal_file_create(fresh);
  if (self->fd < 0) {
    self->fd = before;
    return;
  }
  self->number = 0;
  self->bytes = self->modules = self->keys = self->nodes = self->samples = self->thread_count = 0;
  if (self->codes)
    memset(self->codes, 0, self->code_count);
  prof_journal_notes_rewind(&self->notes);
  prof_journal_flush(recording);
  if (self->folder && rename(fresh, self->path))
    fail(self, self->path, errno);
  if (!self->folder) { /* the one before is whole, and stays locked as this process's */
    unlink(fresh);
    close(self->fd);
    self->fd = before;
    return;
  }
  close(before);
}

void prof_journal_forgot(struct prof_recording *recording) {
  struct prof_journal *self = &recording->journal;
  self->samples = recording->samples.count;
  if (self->folder && self->fd >= 0 && self->bytes > LARGE_BYTES)
    begin_anew(recording);
}

void prof_journal_close(struct prof_journal *self) {
  if (self->fd >= 0)
    close(self->fd);
  free(self->threads);
  free(self->codes);
  free(self->piece);
  prof_journal_notes_free(&self->notes);
  self->fd = -1;
  self->folder = NULL;
  self->threads = NULL;
  self->codes = self->piece = NULL;
}

void prof_journal_remove(struct prof_journal *self) {
  if (self->path[0])
    prof_journal_file_remove(self->path);
  self->path[0] = 0;
}
