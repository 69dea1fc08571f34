/* datafile and replay: built files, recorded files with their expected stacks, cut and mutated
 * ones. The recorded files and the program in them: test/fixtures/perf-data/make.sh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "perf/datafile.h"
#include "session/replay.h"
#include "stack/rows.h"

#define FIXTURES "../fixtures/perf-data/"

/* --- files built byte by byte --- */

enum { ATTR = 112, HEAD = 104 };

struct build {
  unsigned char bytes[1 << 16];
  size_t size, records_at;
  char path[64];
};

static void put(struct build *b, const void *bytes, size_t size) {
  assert_true(b->size + size <= sizeof b->bytes);
  memcpy(b->bytes + b->size, bytes, size);
  b->size += size;
}

static void put64(struct build *b, uint64_t value) {
  put(b, &value, sizeof value);
}

static void poke64(struct build *b, size_t at, uint64_t value) {
  memcpy(b->bytes + at, &value, sizeof value);
}

static void put_attr(struct build *b, uint64_t config, uint64_t sample_type, bool id_all) {
  struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                 .size = ATTR,
                                 .config = config,
                                 .sample_type = sample_type,
                                 .sample_period = 7,
                                 .sample_id_all = id_all};
  put(b, &attr, ATTR);
}

/* A head with `count` events; event i has the id 100 + i. Its own data section is set by finish. */
static void begin(struct build *b, int count, const uint64_t *sample_types) {
  memset(b, 0, sizeof *b);
  b->size = HEAD + 8 * (size_t)count;
  for (int i = 0; i < count; i++)
    poke64(b, HEAD + 8 * (size_t)i, 100 + (uint64_t)i);
  size_t attrs = b->size;
  for (int i = 0; i < count; i++) {
    put_attr(b, (uint64_t)i, sample_types[i], true);
    put64(b, HEAD + 8 * (uint64_t)i);
    put64(b, 8);
  }
  poke64(b, 0, PROF_DATA_MAGIC);
  poke64(b, 8, HEAD);
  poke64(b, 16, ATTR + 16);
  poke64(b, 24, attrs);
  poke64(b, 32, (ATTR + 16) * (uint64_t)count);
  b->records_at = b->size;
}

static void put_header(struct build *b, uint32_t type, uint16_t misc, size_t size) {
  struct perf_event_header header = {.type = type, .misc = misc, .size = (uint16_t)size};
  put(b, &header, sizeof header);
}

/* IP | TID | TIME */
#define PLAIN (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME)
static void put_sample(struct build *b, uint64_t ip, uint32_t pid, uint64_t time_ns) {
  put_header(b, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, 32);
  put64(b, ip);
  put64(b, pid | (uint64_t)pid << 32);
  put64(b, time_ns);
}

static void put_round(struct build *b) {
  put_header(b, 68, 0, 8);
}

static void write_bytes(struct build *b, const void *bytes, size_t size) {
  snprintf(b->path, sizeof b->path, "/tmp/test-datafile-XXXXXX");
  int fd = mkstemp(b->path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, size), (ssize_t)size);
  close(fd);
}

static void finish(struct build *b) {
  poke64(b, 40, b->records_at);
  poke64(b, 48, b->size - b->records_at);
  write_bytes(b, b->bytes, b->size);
}

static int open_built(struct build *b, struct prof_datafile **file, struct prof_error *error) {
  int status = prof_datafile_open(b->path, file, error);
  unlink(b->path);
  return status;
}

struct seen {
  uint64_t ips[64], periods;
  uint64_t configs[64];
  int count, others;
};

static void see(void *user, const struct prof_data_event *event, const struct prof_record *record) {
  struct seen *seen = user;
  if (record->type != PERF_RECORD_SAMPLE) {
    seen->others++;
    return;
  }
  if (seen->count < 64) {
    seen->ips[seen->count] = record->sample.ip;
    seen->configs[seen->count] = event ? event->attr.config : UINT64_MAX;
  }
  seen->count++;
}

static void samples_come_in_order_of_time_across_rounds(void **state) {
  static const uint64_t types[] = {PLAIN};
  static const uint64_t times[] = {30, 10, 0, 20, 40, 0, 35, 60, 0};
  struct build *b = *state;
  struct prof_datafile *file;
  struct prof_error error;
  struct seen seen = {0};
  begin(b, 1, types);
  for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
    if (times[i])
      put_sample(b, times[i], 5, times[i]);
    else
      put_round(b);
  }
  finish(b);
  assert_int_equal(open_built(b, &file, &error), 0);
  assert_int_equal(prof_datafile_replay(file, see, &seen, &error), 0);
  assert_int_equal(seen.count, 6);
  for (int i = 1; i < seen.count; i++)
    assert_true(seen.ips[i - 1] < seen.ips[i]);
  assert_int_equal(prof_datafile_counts(file).late, 0);
  memset(&seen, 0, sizeof seen);
  assert_int_equal(prof_datafile_scan(file, see, &seen, &error), 0);
  assert_int_equal(seen.ips[0], 30); /* as they stand in the file */
  prof_datafile_close(file);
}

static void each_event_decodes_its_own_layout(void **state) {
  static const uint64_t types[] = {PERF_SAMPLE_IDENTIFIER | PLAIN,
                                   PERF_SAMPLE_IDENTIFIER | PLAIN | PERF_SAMPLE_PERIOD};
  struct build *b = *state;
  struct prof_datafile *file;
  struct prof_error error;
  struct seen seen = {0};
  begin(b, 2, types);
  for (uint64_t id = 100; id <= 102; id++) { /* 102 is nobody's */
    put_header(b, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, id == 100 ? 40 : 48);
    put64(b, id);
    put64(b, 0x1000 + id);
    put64(b, 5 | 5ull << 32);
    put64(b, id);
    if (id != 100)
      put64(b, 99);
  }
  finish(b);
  assert_int_equal(open_built(b, &file, &error), 0);
  assert_int_equal(prof_datafile_replay(file, see, &seen, &error), 0);
  assert_int_equal(seen.count, 2);
  assert_int_equal(seen.configs[0], 0);
  assert_int_equal(seen.configs[1], 1);
  assert_int_equal(prof_datafile_counts(file).unknown, 1);
  prof_datafile_close(file);
}

static void what_cannot_be_read_is_refused_with_a_reason(void **state) {
  static const uint64_t types[] = {PLAIN};
  struct build *b = *state;
  struct prof_datafile *file;
  struct prof_error error;
  struct seen seen = {0};
  begin(b, 1, types);
  poke64(b, 0, 0x50455246494c4532ull);
  finish(b);
  assert_int_equal(open_built(b, &file, &error), PROF_BAD_FILE);
  assert_non_null(strstr(error.message, "big-endian"));
  begin(b, 1, types);
  poke64(b, 0, 1);
  finish(b);
  assert_int_equal(open_built(b, &file, &error), PROF_BAD_FILE);
  write_bytes(b, "PERF", 4);
  assert_int_equal(open_built(b, &file, &error), PROF_BAD_FILE);
  begin(b, 1, types);
  poke64(b, 32, 0);
  finish(b);
  assert_int_equal(open_built(b, &file, &error), PROF_BAD_FILE);
  assert_int_equal(prof_datafile_open("/nowhere/perf.data", &file, &error), PROF_BAD_FILE);
  assert_int_equal(prof_datafile_open("/tmp", &file, &error), PROF_BAD_FILE);
  begin(b, 1, types);
  put_sample(b, 1, 5, 1);
  put_header(b, 81, 0, 16);
  put64(b, 0);
  finish(b);
  assert_int_equal(open_built(b, &file, &error), 0);
  assert_int_equal(prof_datafile_scan(file, see, &seen, &error), PROF_BAD_FILE);
  assert_non_null(strstr(error.message, "without -z"));
  prof_datafile_close(file);
}

static void a_file_that_ends_early_gives_what_it_has(void **state) {
  static const uint64_t types[] = {PLAIN};
  struct build *b = *state;
  struct prof_datafile *file;
  struct prof_error error;
  struct seen seen = {0};
  begin(b, 1, types);
  put_sample(b, 1, 5, 1);
  put_sample(b, 2, 5, 2);
  poke64(b, 40, b->records_at);
  poke64(b, 48, b->size - b->records_at);
  write_bytes(b, b->bytes, b->size - 8);
  assert_int_equal(open_built(b, &file, &error), 0);
  assert_int_equal(prof_datafile_scan(file, see, &seen, &error), 0);
  assert_int_equal(seen.count, 1);
  assert_true(prof_datafile_counts(file).is_cut);
  prof_datafile_close(file);
  memset(&seen, 0, sizeof seen);
  poke64(b, 48, 0); /* perf was killed: it never wrote how much there is */
  write_bytes(b, b->bytes, b->size);
  assert_int_equal(open_built(b, &file, &error), 0);
  assert_int_equal(prof_datafile_scan(file, see, &seen, &error), 0);
  assert_int_equal(seen.count, 2);
  assert_false(prof_datafile_counts(file).is_cut);
  prof_datafile_close(file);
}

static void what_is_lost_behind_the_records_is_said(void **state) {
  static const uint64_t types[] = {PLAIN};
  const uint64_t feature[] = {0, 8, 0x6465707061727473ull}; /* where it is, its bytes, they */
  struct build *b = *state;
  struct prof_datafile *file;
  struct prof_error error;
  begin(b, 1, types);
  put_sample(b, 1, 5, 1);
  poke64(b, 40, b->records_at);
  poke64(b, 48, b->size - b->records_at);
  poke64(b, 72, 1ull << 4); /* one feature: the kernel's release */
  memcpy(b->bytes + b->size, feature, sizeof feature);
  poke64(b, b->size, b->size + 16);
  for (size_t less = 0; less <= sizeof feature; less++) {
    write_bytes(b, b->bytes, b->size + sizeof feature - less);
    assert_int_equal(open_built(b, &file, &error), 0);
    assert_int_equal(prof_datafile_counts(file).is_cut, less > 0);
    prof_datafile_close(file);
  }
}

static void a_file_without_its_samples_asks_for_another_copy(void **state) {
  static const uint64_t types[] = {PLAIN};
  struct build *b = *state;
  struct prof_replay_options options = {.path = b->path};
  struct prof_result *result;
  struct prof_error error;
  begin(b, 1, types);
  put_sample(b, 1, 5, 1);
  poke64(b, 40, b->records_at);
  poke64(b, 48, b->size - b->records_at);
  write_bytes(b, b->bytes, b->size - 8);
  assert_int_equal(prof_replay_file(&options, &result, &error), PROF_BAD_FILE);
  assert_non_null(strstr(error.message, "copy it again"));
  poke64(b, 48, 0); /* nothing is missing: there was nothing */
  write_bytes(b, b->bytes, b->records_at);
  assert_int_equal(prof_replay_file(&options, &result, &error), PROF_BAD_FILE);
  assert_non_null(strstr(error.message, "record for longer"));
}

static void data_behind_a_record_is_skipped(void **state) {
  static const uint64_t types[] = {PLAIN};
  struct build *b = *state;
  struct prof_datafile *file;
  struct prof_error error;
  struct seen seen = {0};
  begin(b, 1, types);
  put_header(b, 71, 0, 16); /* AUXTRACE: 24 bytes follow */
  put64(b, 24);
  put_sample(b, 0xbad, 5, 1);
  b->size -= 8;
  put_sample(b, 2, 5, 2);
  put_header(b, 71, 0, 16); /* more than the file has */
  put64(b, UINT64_MAX);
  finish(b);
  assert_int_equal(open_built(b, &file, &error), 0);
  assert_int_equal(prof_datafile_scan(file, see, &seen, &error), 0);
  assert_int_equal(seen.count, 1);
  assert_int_equal(seen.ips[0], 2);
  prof_datafile_close(file);
}

static void put_chain(struct build *b, uint32_t pid, uint64_t time_ns, uint64_t frames) {
  put_header(b, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER, 32 + 8 * (2 + frames));
  put64(b, 0x1000);
  put64(b, pid | (uint64_t)pid << 32);
  put64(b, time_ns);
  put64(b, frames + 1);
  put64(b, (uint64_t)PERF_CONTEXT_USER);
  for (uint64_t i = 0; i < frames; i++)
    put64(b, 0x1000 + 16 * i);
}

static void the_process_with_the_most_samples_is_taken(void **state) {
  static const uint64_t types[] = {PLAIN | PERF_SAMPLE_CALLCHAIN};
  struct build *b = *state;
  struct prof_result *result;
  struct prof_error error;
  begin(b, 1, types);
  put_chain(b, 6, 10, 3);
  put_chain(b, 5, 20, 3);
  put_chain(b, 5, 30, 127); /* as long as the kernel makes them */
  put_chain(b, 5, 35, 4);
  put_chain(b, 7, 40, 3);
  finish(b);
  struct prof_replay_options options = {.path = b->path};
  assert_int_equal(prof_replay_file(&options, &result, &error), 0);
  assert_int_equal(result->pid, 5);
  assert_int_equal(result->sample_count, 3);
  assert_int_equal(result->quality.broken, 2);
  assert_int_equal(result->quality.truncated, 1);
  assert_int_equal(result->samples[0].weight, 7); /* no PERIOD in its records: the event's */
  assert_string_equal(result->plan.notes[0].code, "other-processes");
  assert_string_equal(result->call_graph, "fp");
  prof_result_free(result);
  options.pid = 7;
  assert_int_equal(prof_replay_file(&options, &result, &error), 0);
  assert_int_equal(result->samples[0].time_ns, 40);
  prof_result_free(result);
  unlink(b->path);
}

static void an_image_that_comes_where_another_was_replaces_it(void **state) {
  struct prof_error error;
  struct prof_rows *rows = prof_rows_create(&error);
  const struct prof_cfi_image first = {.hdr.address = 1}, second = {.hdr.address = 2};
  struct prof_cfi_image found;
  (void)state;
  assert_non_null(rows);
  prof_rows_foreign(rows);
  assert_false(prof_rows_image(rows, (uintptr_t)qsort, &found)); /* nothing of this process */
  assert_int_equal(prof_rows_add(rows, 0x1000, 0x3000, &first, &error), 0);
  assert_int_equal(prof_rows_add(rows, 0x5000, 0x6000, &first, &error), 0);
  assert_int_equal(prof_rows_add(rows, 0x2000, 0x4000, &second, &error), 0);
  assert_true(prof_rows_image(rows, 0x2800, &found));
  assert_int_equal(found.hdr.address, 2);
  assert_false(prof_rows_image(rows, 0x1800, &found));
  assert_true(prof_rows_image(rows, 0x5800, &found));
  prof_rows_free(rows);
}

/* --- recorded files --- */

static void the_head_tells_events_and_build_ids(void **state) {
  struct prof_datafile *file;
  struct prof_error error;
  (void)state;
  assert_int_equal(prof_datafile_open(FIXTURES "fp.data", &file, &error), 0);
  const struct prof_datahead *head = prof_datafile_head(file);
  assert_true(head->event_count >= 2);
  assert_string_equal(head->events[0].name, "cpu-clock:u");
  assert_string_equal(head->events[1].name, "page-faults:u");
  assert_true(strncmp(head->os_release, "fixture", 7) == 0);
  assert_string_equal(head->arch, "x86_64");
  assert_non_null(strstr(head->command, "./spin-fp"));
  assert_true(head->cpus > 0 && head->first_ns > 0 && head->last_ns > head->first_ns);
  assert_true(head->build_id_count >= 1);
  assert_int_equal(head->build_ids[0].size, 20);
  prof_datafile_close(file);
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "outer;..;leaf" of each sample, sorted, one a line. */
static char *stacks_of(const struct prof_result *result) {
  char **lines = calloc(result->sample_count, sizeof *lines);
  char *text = calloc(1, result->sample_count * 512 + 1);
  assert_non_null(lines);
  assert_non_null(text);
  for (size_t i = 0; i < result->sample_count; i++) {
    char line[512] = "";
    for (int32_t n = (int32_t)result->samples[i].node; n > 0; n = result->nodes[n].parent) {
      char before[512];
      const char *name =
          prof_strings_at(&result->strings, result->funcs[result->nodes[n].func].name);
      memcpy(before, line, sizeof before);
      snprintf(line, sizeof line, "%s%s%.400s", name, before[0] ? ";" : "", before);
    }
    lines[i] = strdup(line);
  }
  qsort(lines, result->sample_count, sizeof *lines, by_text);
  for (size_t i = 0, same = 1; i < result->sample_count; i++, same++) {
    if (i + 1 < result->sample_count && strcmp(lines[i], lines[i + 1]) == 0)
      continue;
    sprintf(text + strlen(text), "%s %zu\n", lines[i], same);
    same = 0;
  }
  for (size_t i = 0; i < result->sample_count; i++)
    free(lines[i]);
  free(lines);
  return text;
}

static void check_golden(const char *name) {
  char path[128], expected[4096] = "";
  struct prof_result *result;
  struct prof_error error;
  snprintf(path, sizeof path, FIXTURES "%s.data", name);
  const struct prof_replay_options options = {.path = path};
  assert_int_equal(prof_replay_file(&options, &result, &error), 0);
  snprintf(path, sizeof path, FIXTURES "%s.txt", name);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_true(fread(expected, 1, sizeof expected - 1, file) > 0);
  fclose(file);
  char *text = stacks_of(result);
  assert_string_equal(text, expected);
  assert_int_equal(result->quality.complete, result->sample_count);
  assert_true(result->start_unix_ms > 0 && result->pid > 0);
  free(text);
  prof_result_free(result);
}

static void dumps_are_unwound_to_the_start(void **state) {
  (void)state;
  check_golden("dwarf");
}

static void callchains_are_taken_as_they_are(void **state) {
  (void)state;
  check_golden("fp");
}

static void a_piped_file_is_the_same(void **state) {
  (void)state;
  check_golden("pipe");
}

static void another_event_can_be_asked_for(void **state) {
  struct prof_replay_options options = {.path = FIXTURES "fp.data", .event = "page-faults"};
  struct prof_result *result;
  struct prof_error error;
  (void)state;
  assert_int_equal(prof_replay_file(&options, &result, &error), 0);
  assert_string_equal(result->plan.event.name, "page-faults:u");
  assert_string_equal(result->plan.event.unit, "events");
  assert_true(result->sample_count > 0 && result->sample_count < 20);
  prof_result_free(result);
  options.event = "cycles";
  assert_int_equal(prof_replay_file(&options, &result, &error), PROF_BAD_EVENT);
  assert_non_null(strstr(error.message, "page-faults:u"));
  options.event = NULL;
  options.pid = 1;
  assert_int_equal(prof_replay_file(&options, &result, &error), PROF_BAD_FILE);
}

/* --- hostile ones --- */

static uint64_t random_state = 88172645463325252ull;
static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

/* Whatever the bytes are: no read outside of them, an end, and a status or a result. */
static void mutated_files_do_no_harm(void **state) {
  static const char *const names[] = {"dwarf.data", "fp.data", "pipe.data"};
  struct build *b = *state;
  const char *rounds_text = getenv("FUZZ_ROUNDS");
  int rounds = rounds_text ? atoi(rounds_text) : 150, read = 0;
  for (int i = 0; i < 3; i++) {
    char path[128];
    static unsigned char whole[1 << 18], bytes[1 << 18];
    snprintf(path, sizeof path, FIXTURES "%s", names[i]);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(whole, 1, sizeof whole, file);
    fclose(file);
    assert_true(size > 1000 && size < sizeof whole);
    for (int round = 0; round < rounds; round++) {
      size_t used = round % 5 == 0 ? next_random() % size : size;
      memcpy(bytes, whole, size);
      for (uint64_t n = 1 + next_random() % 12; n-- > 0;) {
        /* mostly the head and the ends of sections, where structure is */
        size_t at = next_random() % (next_random() % 2 ? size : 1024);
        bytes[at] = next_random() % 3 ? (unsigned char)next_random() : 0xff;
      }
      write_bytes(b, bytes, used);
      const struct prof_replay_options options = {.path = b->path};
      struct prof_result *result = NULL;
      struct prof_error error = {0};
      int status = prof_replay_file(&options, &result, &error);
      unlink(b->path);
      if (status)
        assert_true(error.message[0] != 0);
      else
        read++;
      prof_result_free(result);
    }
  }
  assert_true(read > rounds); /* else the mutations are too coarse to say anything */
}

static int make(void **state) {
  *state = calloc(1, sizeof(struct build));
  return *state ? 0 : -1;
}

static int unmake(void **state) {
  free(*state);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(samples_come_in_order_of_time_across_rounds),
      cmocka_unit_test(each_event_decodes_its_own_layout),
      cmocka_unit_test(what_cannot_be_read_is_refused_with_a_reason),
      cmocka_unit_test(a_file_that_ends_early_gives_what_it_has),
      cmocka_unit_test(what_is_lost_behind_the_records_is_said),
      cmocka_unit_test(a_file_without_its_samples_asks_for_another_copy),
      cmocka_unit_test(data_behind_a_record_is_skipped),
      cmocka_unit_test(the_process_with_the_most_samples_is_taken),
      cmocka_unit_test(an_image_that_comes_where_another_was_replaces_it),
      cmocka_unit_test(the_head_tells_events_and_build_ids),
      cmocka_unit_test(dumps_are_unwound_to_the_start),
      cmocka_unit_test(callchains_are_taken_as_they_are),
      cmocka_unit_test(a_piped_file_is_the_same),
      cmocka_unit_test(another_event_can_be_asked_for),
      cmocka_unit_test(mutated_files_do_no_harm),
  };
  return cmocka_run_group_tests(tests, make, unmake);
}
