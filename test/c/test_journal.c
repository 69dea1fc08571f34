/* journal: what is written piece by piece comes back as it was; what is cut or damaged comes back
 * up to there, and nothing of it is believed that cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/chunks.h"
#include "base/crc32.h"
#include "session/journal.h"
#include "session/recording.h"
#include "session/recover.h"

static struct prof_recording recording;
static struct prof_error error;
static char folder[64], notes[256]; /* notes: of the last recover() */

static void the_checksum_is_that_of_the_standard(void **state) {
  (void)state;
  assert_int_equal(prof_crc32(0, "123456789", 9), 0xcbf43926u);
  assert_int_equal(prof_crc32(prof_crc32(0, "1234", 4), "56789", 5), 0xcbf43926u);
  /* Long enough for steps of several bytes, and cut everywhere: the sum is what
   * Python's zlib.crc32(bytes(range(40))) says. */
  unsigned char bytes[40];
  for (unsigned char i = 0; i < sizeof bytes; i++)
    bytes[i] = i;
  for (size_t cut = 0; cut <= sizeof bytes; cut++)
    assert_int_equal(prof_crc32(prof_crc32(0, bytes, cut), bytes + cut, sizeof bytes - cut),
                     0xda62e3cu);
}

static int open_recording(void **state) {
  (void)state;
  struct prof_recording_options options = {.max_words = 2, .replay_pid = 1};
  snprintf(options.plan.event.name, sizeof options.plan.event.name, "cpu-clock:u");
  snprintf(options.plan.event.unit, sizeof options.plan.event.unit, "ns");
  options.plan.frequency = 1000;
  options.plan.sigtrap = true;
  snprintf(folder, sizeof folder, "/tmp/test_journal_XXXXXX");
  assert_non_null(mkdtemp(folder));
  assert_int_equal(prof_recording_open(&recording, &options, &error), 0);
  recording.start_ns = 1000;
  recording.start_unix_ms = 1790000000123;
  prof_journal_init(&recording.journal, folder, "{\"version\":\"v20.0.0\"}");
  return 0;
}

static int close_recording(void **state) {
  (void)state;
  char command[128];
  prof_recording_free(&recording);
  snprintf(command, sizeof command, "rm -rf %s", folder);
  return system(command);
}

/* A leaf below a parent; name NULL: a place of the first module. */
static uint32_t add_node(uint32_t parent, const char *name, uint32_t offset) {
  struct prof_code code = {.kind = PROF_CODE_JIT, .tier = 4, .size = 4096, .module = -1};
  char text[64];
  snprintf(text, sizeof text, "JS:*%s /a.js:1:1", name);
  code.name = prof_arena_copy_text(&recording.arena, text, strlen(text));
  code.start = 0x100000 + 0x1000 * (uint64_t)prof_space_count(recording.space);
  uint32_t id = prof_space_add(recording.space, &code);
  return prof_splice_frame(&recording.tree, parent, PROF_FRAME_KEY(id, offset));
}

static void add_sample(uint64_t time_ns, uint32_t node) {
  struct prof_sample sample = {.time_ns = time_ns, .weight = 1000000, .node = node, .cpu = 1};
  assert_int_equal(prof_samples_add(&recording.samples, &sample), 0);
}

/* Two pieces: outer > inner twice; then a third function, an unknown place, a thread's new name. */
static void write_two(void) {
  prof_threads_add(&recording.threads, 77, 0, "node");
  uint32_t outer = add_node(PROF_TREE_ROOT, "outer", 0), inner = add_node(outer, "inner", 0);
  add_sample(2000, inner);
  add_sample(3000, inner);
  prof_journal_flush(&recording);
  struct prof_place nowhere = prof_space_place(recording.space, 0x7fff12345678);
  uint32_t unknown =
      prof_splice_frame(&recording.tree, inner, PROF_FRAME_KEY(nowhere.code, nowhere.offset));
  snprintf(recording.threads.rows[0].name, 16, "main");
  prof_threads_add(&recording.threads, 78, 2500, "worker");
  add_sample(5000, unknown);
  add_sample(4000, add_node(outer, "third", 0));
  recording.samples.rows[3].thread = 1;
  recording.counters.lost = 3;
  prof_journal_flush(&recording);
  assert_string_equal(recording.journal.failure, "");
}

static struct prof_result *recover(int expected) {
  struct prof_recovered recovered;
  memset(&error, 0, sizeof error);
  assert_int_equal(prof_recover_file(recording.journal.path, &recovered, &error), expected);
  snprintf(notes, sizeof notes, "%s", recovered.notes ? recovered.notes : "");
  if (!expected)
    assert_string_equal(recovered.about, "{\"version\":\"v20.0.0\"}");
  struct prof_result *result = recovered.result;
  recovered.result = NULL;
  prof_recovered_free(&recovered);
  return result;
}

static void release(void) {
  flock(recording.journal.fd, LOCK_UN); /* as the end of its process does */
}

static const char *leaf(const struct prof_result *result, size_t sample) {
  int32_t func = result->nodes[result->samples[sample].node].func;
  return prof_strings_at(&result->strings, result->funcs[func].symbol);
}

static const struct prof_plan_note *note(const struct prof_result *result, const char *code) {
  for (int i = 0; i < result->plan.note_count; i++)
    if (strcmp(result->plan.notes[i].code, code) == 0)
      return &result->plan.notes[i];
  return NULL;
}

static void all_pieces_make_the_profile(void **state) {
  (void)state;
  write_two();
  release();
  struct prof_result *result = recover(0);
  assert_int_equal(result->sample_count, 4);
  assert_string_equal(leaf(result, 0), "inner");
  assert_string_equal(leaf(result, 2), "third"); /* in order of time */
  assert_int_equal(result->samples[2].thread, 1);
  assert_int_equal(result->samples[3].time_ns, 5000);
  assert_non_null(strstr(leaf(result, 3), "7fff12345678"));
  int32_t parent = result->nodes[result->samples[2].node].parent;
  assert_string_equal(
      prof_strings_at(&result->strings, result->funcs[result->nodes[parent].func].symbol), "outer");
  assert_int_equal(result->thread_count, 2);
  assert_string_equal(prof_strings_at(&result->strings, result->threads[0].name), "main");
  assert_string_equal(result->plan.event.name, "cpu-clock:u");
  assert_int_equal(result->start_unix_ms, 1790000000123);
  assert_int_equal(result->start_ns, 1000);
  assert_int_equal(result->quality.lost, 3);
  assert_int_equal(result->pid, getpid());
  assert_non_null(note(result, "recovered"));
  assert_null(note(result, "journal-cut"));
  prof_result_free(result);
}

static void the_folder_is_private_and_named_by_time(void **state) {
  (void)state;
  struct stat stat_of;
  char expected[256], ignored[256];
  write_two();
  snprintf(expected, sizeof expected, "%s/2026-09-21T14-13-20Z-%d/journal", folder, getpid());
  assert_string_equal(recording.journal.path, expected);
  assert_int_equal(stat(expected, &stat_of), 0);
  assert_int_equal(stat_of.st_mode & 0777, 0600);
  *strrchr(expected, '/') = 0;
  assert_int_equal(stat(expected, &stat_of), 0);
  assert_int_equal(stat_of.st_mode & 0777, 0700);
  snprintf(ignored, sizeof ignored, "%s/.gitignore", folder); /* the folder was there: not ours */
  assert_int_not_equal(access(ignored, F_OK), 0);
  prof_journal_remove(&recording.journal);
  assert_int_not_equal(access(expected, F_OK), 0);
}

static void a_link_chooses_no_place(void **state) {
  (void)state;
  char link[128];
  snprintf(link, sizeof link, "%s/link", folder);
  assert_int_equal(symlink("/tmp", link), 0);
  prof_journal_init(&recording.journal, link, "");
  prof_journal_flush(&recording);
  assert_non_null(strstr(recording.journal.failure, "Too many levels of symbolic links"));
  assert_string_equal(recording.journal.path, "");
}

static void a_living_process_keeps_its_journal(void **state) {
  (void)state;
  write_two();
  assert_true(prof_recover_is_held(recording.journal.path));
  recover(PROF_BUSY);
  assert_non_null(strstr(error.message, "still runs"));
  release();
  assert_false(prof_recover_is_held(recording.journal.path));
}

static void copy_file(unsigned char *bytes, size_t *size) {
  int fd = open(recording.journal.path, O_RDONLY);
  ssize_t got = read(fd, bytes, *size);
  assert_true(got > 0 && (size_t)got < *size);
  *size = (size_t)got;
  close(fd);
}

static void write_file(const unsigned char *bytes, size_t size) {
  int fd = open(recording.journal.path, O_WRONLY | O_TRUNC);
  assert_int_equal(write(fd, bytes, size), size);
  close(fd);
}

/* Whatever is cut off, whole pieces in front of it count. */
static void a_cut_journal_gives_what_is_whole(void **state) {
  (void)state;
  static unsigned char bytes[1 << 20];
  size_t size = sizeof bytes, first;
  write_two();
  release();
  copy_file(bytes, &size);
  first = sizeof(struct prof_chunk_head) + ((struct prof_chunk_head *)(void *)bytes)->bytes;
  assert_true(first < size);
  for (size_t cut = 0; cut < size; cut += cut + 600 < size && cut > 64 ? 509 : 1) {
    write_file(bytes, cut);
    if (cut < first) {
      recover(PROF_BAD_FILE);
      continue;
    }
    struct prof_result *result = recover(0);
    assert_int_equal(result->sample_count, 2);
    assert_string_equal(prof_strings_at(&result->strings, result->threads[0].name), "node");
    assert_true((note(result, "journal-cut") != NULL) == (cut > first));
    prof_result_free(result);
  }
}

/* The checksum finds it; where the checksum is made to fit, no section may be believed blindly. */
static void a_damaged_journal_does_no_harm(void **state) {
  (void)state;
  static unsigned char bytes[1 << 20];
  size_t size = sizeof bytes, first;
  write_two();
  release();
  copy_file(bytes, &size);
  struct prof_chunk_head head;
  memcpy(&head, bytes, sizeof head);
  first = sizeof head + head.bytes;
  unsigned seed = 1;
  for (int round = 0; round < 400; round++) {
    static unsigned char copy[1 << 20];
    struct prof_recovered recovered;
    memcpy(copy, bytes, size);
    seed = seed * 1103515245u + 12345u;
    size_t at = first + sizeof head + seed % (size - first - sizeof head);
    copy[at] ^= (unsigned char)(1 + (seed >> 24) % 255);
    bool is_fitted = round % 2;
    if (is_fitted) {
      memcpy(&head, copy + first, sizeof head);
      head = prof_chunk_head(head.number, copy + first + sizeof head, head.bytes);
      memcpy(copy + first, &head, sizeof head);
    }
    write_file(copy, size);
    int status = prof_recover_file(recording.journal.path, &recovered, &error);
    if (!is_fitted) {
      assert_int_equal(status, 0);
      assert_int_equal(recovered.result->sample_count, 2);
      assert_non_null(note(recovered.result, "journal-cut"));
    }
    assert_true(!status || status == PROF_BAD_FILE);
    assert_true(!status == (recovered.result != NULL));
    prof_recovered_free(&recovered);
  }
}

/* Whoever wrote it, with sums that are right. */
static void what_would_lead_beyond_a_table_is_not_believed(void **state) {
  (void)state;
  recording.options.plan.extra_count = 1000000;
  write_two();
  add_sample(6000, PROF_TREE_ROOT);
  recording.samples.rows[4].event = 1; /* there is no other event */
  prof_journal_flush(&recording);
  release();
  struct prof_result *result = recover(0);
  assert_int_equal(result->plan.extra_count, 0);
  assert_int_equal(result->sample_count, 4);
  assert_non_null(note(result, "journal-cut"));
  prof_result_free(result);
}

static void a_sample_in_no_state_is_not_believed(void **state) {
  (void)state;
  write_two();
  add_sample(6000, PROF_TREE_ROOT);
  recording.samples.rows[4].state = PROF_STATE_RUNNABLE + 1;
  prof_journal_flush(&recording);
  release();
  struct prof_result *result = recover(0);
  assert_int_equal(result->sample_count, 4);
  assert_non_null(note(result, "journal-cut"));
  prof_result_free(result);
}

static void what_is_no_journal_is_refused(void **state) {
  (void)state;
  write_two();
  release();
  write_file((const unsigned char *)"not a journal at all, but a text", 32);
  recover(PROF_BAD_FILE);
  assert_non_null(strstr(error.message, "is no journal"));
  snprintf(recording.journal.path, sizeof recording.journal.path, "%s", folder);
  recover(PROF_BAD_FILE);
  snprintf(recording.journal.path, sizeof recording.journal.path, "%s/missing", folder);
  recover(PROF_BAD_FILE);
  assert_non_null(strstr(error.message, "No such file"));
}

/* A watch's old samples: the journal is short again, and whole. */
static void a_large_journal_begins_anew(void **state) {
  (void)state;
  write_two();
  prof_samples_forget(&recording.samples, 3500);
  recording.journal.bytes = 1u << 30;
  prof_journal_forgot(&recording);
  assert_true(recording.journal.bytes < 1u << 20);
  add_sample(6000, 1);
  prof_journal_flush(&recording);
  assert_string_equal(recording.journal.failure, "");
  release();
  struct prof_result *result = recover(0);
  assert_int_equal(result->sample_count, 3); /* 4000, 5000, 6000 */
  assert_int_equal(result->samples[0].time_ns, 4000);
  prof_result_free(result);
}

static void add_notes(const char *text, bool replaces) {
  assert_true(prof_journal_notes_add(&recording.journal.notes, text, strlen(text), replaces));
}

static void notes_come_back_as_far_as_they_were_written(void **state) {
  (void)state;
  add_notes("one\n", false);
  write_two();
  add_notes("two\n", false);
  add_notes("three\n", false);
  prof_journal_flush(&recording);
  add_notes("too late\n", false);
  release();
  prof_result_free(recover(0));
  assert_string_equal(notes, "one\ntwo\nthree\n");
}

static void notes_may_be_replaced_before_and_after_they_are_written(void **state) {
  (void)state;
  add_notes("old\n", false);
  add_notes("new\n", true);
  write_two();
  add_notes("newer\n", true);
  add_notes("still\n", false);
  prof_journal_flush(&recording);
  release();
  prof_result_free(recover(0));
  assert_string_equal(notes, "newer\nstill\n");
}

/* A file that begins anew has all of them, and those that come later. */
static void notes_outlive_a_journal_that_begins_anew(void **state) {
  (void)state;
  add_notes("one\n", false);
  write_two();
  recording.journal.bytes = 1u << 30;
  prof_journal_forgot(&recording);
  add_notes("two\n", false);
  add_sample(6000, 1);
  prof_journal_flush(&recording);
  release();
  prof_result_free(recover(0));
  assert_string_equal(notes, "one\ntwo\n");
}

static void notes_without_end_are_refused(void **state) {
  (void)state;
  static char much[PROF_JOURNAL_NOTES_BYTES];
  struct prof_journal_notes *all = &recording.journal.notes;
  memset(much, 'x', sizeof much);
  assert_true(prof_journal_notes_add(all, much, sizeof much - 4, false));
  assert_false(prof_journal_notes_add(all, much, 5, false));
  add_notes("end\n", false);
  assert_false(prof_journal_notes_add(all, much, 1, false));
  add_notes("short again\n", true);
  write_two();
  release();
  prof_result_free(recover(0));
  assert_string_equal(notes, "short again\n");
}

int main(void) {
#define LIVE(test) cmocka_unit_test_setup_teardown(test, open_recording, close_recording)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_checksum_is_that_of_the_standard),
      LIVE(all_pieces_make_the_profile),
      LIVE(the_folder_is_private_and_named_by_time),
      LIVE(a_link_chooses_no_place),
      LIVE(a_living_process_keeps_its_journal),
      LIVE(a_cut_journal_gives_what_is_whole),
      LIVE(a_damaged_journal_does_no_harm),
      LIVE(what_would_lead_beyond_a_table_is_not_believed),
      LIVE(a_sample_in_no_state_is_not_believed),
      LIVE(what_is_no_journal_is_refused),
      LIVE(a_large_journal_begins_anew),
      LIVE(notes_come_back_as_far_as_they_were_written),
      LIVE(notes_may_be_replaced_before_and_after_they_are_written),
      LIVE(notes_outlive_a_journal_that_begins_anew),
      LIVE(notes_without_end_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
