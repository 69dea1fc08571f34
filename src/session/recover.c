#include "session/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/chunks.h"
#include "base/cursor.h"
#include "base/table.h"
#include "session/journal.h"
#include "session/journal_rows.h"

struct recover {
  struct prof_recording recording;
  struct prof_journal_head head;
  struct prof_journal_state state;
  char *about, *notes;
  size_t notes_used, notes_capacity;
  struct prof_table ids; /* the journal's code ids -> those here */
  bool is_open, has_state;
  struct prof_error error; /* of opening; status 0: a section is bad */
};

static bool is_this_start(const struct prof_journal_head *head) {
  char text[PROF_BOOT_ID_BYTES];
  prof_journal_boot_id(text);
  return text[0] && strcmp(text, head->boot_id) == 0;
}

/* Texts end, counts are in range: whatever wrote the file. */
static void tame(struct prof_journal_head *head) {
  struct prof_plan *plan = &head->plan;
  int most = (int)(sizeof plan->notes / sizeof plan->notes[0]);
  head->kernel[sizeof head->kernel - 1] = head->boot_id[sizeof head->boot_id - 1] = 0;
  plan->event.name[sizeof plan->event.name - 1] = 0;
  plan->event.unit[sizeof plan->event.unit - 1] = 0;
  plan->requested[sizeof plan->requested - 1] = 0;
  if (plan->extra_count < 0 || plan->extra_count > PROF_EXTRAS_MAX)
    plan->extra_count = 0;
  for (int i = 0; i < plan->extra_count; i++) {
    struct prof_extra *extra = &plan->extras[i];
    extra->event.name[sizeof extra->event.name - 1] = 0;
    extra->event.unit[sizeof extra->event.unit - 1] = 0;
    extra->requested[sizeof extra->requested - 1] = 0;
  }
  if (plan->note_count < 0 || plan->note_count > most)
    plan->note_count = 0;
  for (int i = 0; i < plan->note_count; i++) {
    struct prof_plan_note *note = &plan->notes[i];
    note->code[sizeof note->code - 1] = note->fix[sizeof note->fix - 1] = 0;
    note->message[sizeof note->message - 1] = 0;
  }
}

static bool read_head(struct recover *self, struct prof_cursor *cursor) {
  uint32_t first[5];
  struct prof_cursor ahead = *cursor;
  for (int i = 0; i < 5; i++)
    first[i] = prof_cursor_u32(&ahead);
  if (ahead.bad || self->is_open)
    return false;
  if (first[0] != PROF_JOURNAL_VERSION || first[1] != sizeof self->head ||
      first[2] != sizeof(struct prof_sample) || first[3] != sizeof(struct prof_thread_row) ||
      first[4] != sizeof self->state) {
    prof_error_set(&self->error, PROF_BAD_FILE, 0, NULL,
                   "this journal is of another version of rspack-prof: recover it with that one");
    return false;
  }
  const unsigned char *bytes = prof_cursor_take(cursor, sizeof self->head);
  if (!bytes)
    return false;
  memcpy(&self->head, bytes, sizeof self->head);
  tame(&self->head);
  struct prof_recording_options options = {
      .plan = self->head.plan,
      .max_words = 2,
      .replay_pid = self->head.pid ? self->head.pid : 1,
      .kernel_path = is_this_start(&self->head) ? NULL : "/dev/null",
  };
  self->is_open = prof_recording_open(&self->recording, &options, &self->error) == 0;
  self->recording.start_ns = self->head.start_ns;
  self->recording.start_unix_ms = self->head.start_unix_ms;
  return self->is_open;
}

/* A text of so many bytes, in the recording's arena; NULL: it is not there. */
static const char *take_text(struct recover *self, struct prof_cursor *cursor, uint32_t bytes) {
  const unsigned char *text = prof_cursor_take(cursor, bytes);
  return text ? prof_arena_copy_text(&self->recording.arena, (const char *)text, bytes) : NULL;
}

static bool read_module(struct recover *self, struct prof_cursor *cursor) {
  struct prof_journal_module row;
  const unsigned char *bytes = prof_cursor_take(cursor, sizeof row);
  if (!bytes)
    return false;
  memcpy(&row, bytes, sizeof row);
  struct prof_module module = {.start = row.start,
                               .end = row.end,
                               .bias = row.bias,
                               .flags = (uint8_t)row.flags,
                               .path = take_text(self, cursor, row.path_bytes),
                               .build_id = take_text(self, cursor, row.id_bytes)};
  return module.path && module.build_id &&
         prof_modules_declare(self->recording.modules, &module) >= 0;
}

static bool read_thread(struct recover *self, struct prof_cursor *cursor) {
  struct prof_threads *threads = &self->recording.threads;
  struct prof_thread_row row;
  uint32_t index = prof_cursor_u32(cursor);
  const unsigned char *bytes = prof_cursor_take(cursor, sizeof row);
  if (!bytes || index > threads->count)
    return false;
  memcpy(&row, bytes, sizeof row);
  row.name[sizeof row.name - 1] = 0;
  if (index == threads->count && prof_threads_add(threads, row.tid, 0, "") == UINT32_MAX)
    return false;
  threads->rows[index] = row;
  return true;
}

static bool read_code(struct recover *self, struct prof_cursor *cursor) {
  struct prof_journal_code row;
  const unsigned char *bytes = prof_cursor_take(cursor, sizeof row);
  if (!bytes)
    return false;
  memcpy(&row, bytes, sizeof row);
  const char *name = row.has_name ? take_text(self, cursor, row.name_bytes) : NULL;
  bool is_module = row.kind == PROF_CODE_MODULE;
  bool is_known =
      row.module >= 0 && (size_t)row.module < prof_modules_count(self->recording.modules);
  if ((row.has_name && !name) || (is_module ? !is_known : !name) || row.kind > PROF_CODE_UNKNOWN)
    return false;
  struct prof_code code = {.kind = row.kind,
                           .tier = row.tier,
                           .start = row.start,
                           .size = row.size,
                           .name = name,
                           .module = is_module ? row.module : -1};
  uint32_t id = is_module ? prof_space_add(self->recording.space, &code)
                          : prof_space_declare(self->recording.space, &code);
  return id != PROF_CODE_NONE && prof_table_put(&self->ids, row.id, id) == 0;
}

/* Those of stack/splice.h that there are. */
static bool is_special(uint64_t key) {
  return (key >= PROF_FRAME_GAP && key <= PROF_FRAME_HANDLER) || key >> 32 == PROF_FRAME_SKIPPED;
}

static bool read_key(struct recover *self, struct prof_cursor *cursor) {
  uint64_t key = prof_cursor_u64(cursor), address = prof_cursor_u64(cursor);
  uint32_t code = (uint32_t)(key >> 32), offset = (uint32_t)key;
  struct prof_tree *tree = &self->recording.tree;
  size_t count = tree->key_count;
  if (cursor->bad)
    return false;
  if (code == PROF_SPACE_UNKNOWN) {
    struct prof_place place = prof_space_place(self->recording.space, address);
    code = place.code;
    offset = place.offset;
  } else if (code >= PROF_FRAME_SPECIAL) {
    if (!is_special(key))
      return false;
  } else if (code != PROF_SPACE_KERNEL) {
    code = prof_table_get(&self->ids, code);
    if (code == PROF_TABLE_NONE)
      return false;
  }
  /* Each frame once, in the journal's order: nodes speak of them by number. */
  return prof_tree_frame(tree, PROF_FRAME_KEY(code, offset)) == count;
}

static bool read_node(struct recover *self, struct prof_cursor *cursor) {
  struct prof_tree *tree = &self->recording.tree;
  uint32_t parent = prof_cursor_u32(cursor), frame = prof_cursor_u32(cursor);
  size_t count = tree->count;
  if (cursor->bad)
    return false;
  if (parent == PROF_TREE_ROOT && frame == PROF_TREE_NO_FRAME && count == 1)
    return true; /* the root itself, which is there */
  if (parent >= count || frame >= tree->key_count)
    return false;
  return prof_tree_child(tree, parent, frame) == count;
}

static bool read_sample(struct recover *self, struct prof_cursor *cursor) {
  struct prof_sample sample;
  const unsigned char *bytes = prof_cursor_take(cursor, sizeof sample);
  if (!bytes)
    return false;
  memcpy(&sample, bytes, sizeof sample);
  return sample.node < self->recording.tree.count &&
         sample.thread < self->recording.threads.count && sample.end <= PROF_END_BROKEN &&
         sample.event <= self->head.plan.extra_count && sample.state <= PROF_STATE_RUNNABLE &&
         prof_samples_add(&self->recording.samples, &sample) == 0;
}

static bool read_state(struct recover *self, struct prof_cursor *cursor) {
  const unsigned char *bytes = prof_cursor_take(cursor, sizeof self->state);
  if (!bytes)
    return false;
  memcpy(&self->state, bytes, sizeof self->state);
  self->has_state = true;
  return true;
}

static bool read_about(struct recover *self, struct prof_cursor *cursor, uint32_t bytes) {
  const unsigned char *text = prof_cursor_take(cursor, bytes);
  if (text && !self->about)
    self->about = strndup((const char *)text, bytes);
  return text != NULL;
}

/* Texts end with NUL in memory; a NUL among them would hide what follows, which harms nobody. */
static bool read_notes(struct recover *self, struct prof_cursor *cursor, uint32_t bytes,
                       bool replaces) {
  const unsigned char *text = prof_cursor_take(cursor, bytes);
  if (replaces)
    self->notes_used = 0;
  if (!text || prof_array_reserve((void **)&self->notes, &self->notes_capacity,
                                  self->notes_used + bytes + 1, 1))
    return false;
  memcpy(self->notes + self->notes_used, text, bytes);
  self->notes_used += bytes;
  self->notes[self->notes_used] = 0;
  return true;
}

static bool read_section(struct recover *self, struct prof_cursor *cursor) {
  static bool (*const readers[PROF_JOURNAL_TAGS])(struct recover *, struct prof_cursor *) = {
      [PROF_JOURNAL_HEAD] = read_head,      [PROF_JOURNAL_MODULES] = read_module,
      [PROF_JOURNAL_THREADS] = read_thread, [PROF_JOURNAL_CODES] = read_code,
      [PROF_JOURNAL_KEYS] = read_key,       [PROF_JOURNAL_NODES] = read_node,
      [PROF_JOURNAL_SAMPLES] = read_sample, [PROF_JOURNAL_STATE] = read_state,
  };
  uint32_t tag = prof_cursor_u32(cursor), count = prof_cursor_u32(cursor);
  if (cursor->bad || tag == 0 || tag >= PROF_JOURNAL_TAGS ||
      (tag != PROF_JOURNAL_HEAD && !self->is_open))
    return false;
  if (tag == PROF_JOURNAL_ABOUT)
    return read_about(self, cursor, count);
  if (tag == PROF_JOURNAL_NOTES || tag == PROF_JOURNAL_NOTES_ANEW)
    return read_notes(self, cursor, count, tag == PROF_JOURNAL_NOTES_ANEW);
  for (uint32_t i = 0; i < count; i++)
    if (!readers[tag](self, cursor))
      return false;
  return true;
}

/* Pieces are whole by their checksums: a section that makes no sense ends the reading too. */
static bool read_pieces(struct recover *self, struct prof_chunks *chunks) {
  const unsigned char *payload;
  size_t bytes;
  while ((payload = prof_chunks_next(chunks, &bytes))) {
    struct prof_cursor cursor = {.at = payload, .end = payload + bytes};
    while (cursor.at < cursor.end)
      if (!read_section(self, &cursor))
        return false;
  }
  return !chunks->is_cut;
}

static void add_notes(struct recover *self, bool is_whole, uint64_t left) {
  struct prof_plan *plan = &self->recording.options.plan;
  prof_plan_note(plan, "recovered", "",
                 "recovered from the journal of a process that ended without its profile: up to "
                 "its last second is missing");
  if (!is_whole)
    prof_plan_note(plan, "journal-cut", "",
                   "the journal is cut or damaged: its last %" PRIu64 " bytes were not read", left);
  if (plan->kernel && self->recording.options.kernel_path)
    prof_plan_note(plan, "other-kernel", "",
                   "recorded before a restart: the kernel's functions have no names");
}

static int build(struct recover *self, bool is_whole, uint64_t left, struct prof_result **out,
                 struct prof_error *error) {
  struct prof_recording *recording = &self->recording;
  if (!recording->samples.count)
    return prof_error_set(error, PROF_BAD_FILE, 0, NULL,
                          "this journal has no samples: the process ended too soon");
  recording->counters = self->state.counters;
  recording->samples.forgotten = self->state.forgotten;
  prof_samples_sort(&recording->samples);
  recording->end_ns = self->has_state
                          ? self->state.end_ns
                          : recording->samples.rows[recording->samples.count - 1].time_ns;
  add_notes(self, is_whole, left);
  *out = prof_result_build(recording);
  if (!*out)
    return prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for the profile");
  (*out)->cpus = (int)self->head.cpus;
  (*out)->quality.cpu_ms = self->state.cpu_ms;
  (*out)->quality.peak_bytes = self->state.peak_bytes;
  snprintf((*out)->kernel, sizeof(*out)->kernel, "%s", self->head.kernel);
  return PROF_OK;
}

static int open_journal(const char *path, struct prof_error *error) {
  struct stat stat;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return prof_error_set(error, PROF_BAD_FILE, errno, "open", "cannot read %.300s: %s", path,
                          strerror(errno));
  if (fstat(fd, &stat) || !S_ISREG(stat.st_mode)) {
    close(fd);
    return prof_error_set(error, PROF_BAD_FILE, 0, NULL, "%.300s is no journal", path);
  }
  if (flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK) {
    close(fd);
    return prof_error_set(error, PROF_BUSY, 0, NULL,
                          "%.300s is of a process that still runs: it will write its profile "
                          "itself",
                          path);
  }
  return fd;
}

bool prof_recover_is_held(const char *path) {
  struct prof_error error;
  int fd = open_journal(path, &error);
  if (fd >= 0)
    close(fd);
  return fd == PROF_BUSY;
}

void prof_recovered_free(struct prof_recovered *self) {
  prof_result_free(self->result);
  free(self->about);
  free(self->notes);
  *self = (struct prof_recovered){.result = NULL};
}

static int read_journal(struct recover *self, struct prof_chunks *chunks, const char *path,
                        struct prof_recovered *out, struct prof_error *error) {
  struct stat stat = {0};
  bool is_whole = read_pieces(self, chunks);
  fstat(chunks->fd, &stat);
  if (self->is_open)
    return build(self, is_whole, (uint64_t)stat.st_size - chunks->at, &out->result, error);
  if (!self->error.status)
    return prof_error_set(error, PROF_BAD_FILE, 0, NULL, "%.300s is no journal", path);
  *error = self->error;
  return error->status;
}

int prof_recover_file(const char *path, struct prof_recovered *out, struct prof_error *error) {
  struct prof_chunks chunks = {.fd = open_journal(path, error)};
  *out = (struct prof_recovered){.result = NULL};
  if (chunks.fd < 0)
    return chunks.fd;
  struct recover *self = calloc(1, sizeof *self);
  int status = self ? read_journal(self, &chunks, path, out, error)
                    : prof_error_set(error, PROF_NO_MEMORY, 0, NULL, "no memory for a journal");
  if (self) {
    out->about = self->about;
    out->notes = self->notes;
    if (self->is_open)
      prof_recording_free(&self->recording);
    prof_table_free(&self->ids);
    free(self);
  }
  if (status)
    prof_recovered_free(out);
  prof_chunks_free(&chunks);
  close(chunks.fd);
  return status;
}
