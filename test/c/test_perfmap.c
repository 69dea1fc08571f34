/* perfmap: real and hostile lines, cut anywhere, growing files, files that must not be read */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "code/perfmap.h"

struct fixture {
  struct prof_space *space;
  struct prof_arena names;
  struct prof_perfmap map;
};

static int setup(void **state) {
  struct fixture *f = calloc(1, sizeof *f);
  f->space = prof_space_create();
  f->map.fd = -1;
  *state = f;
  return 0;
}

static int teardown(void **state) {
  struct fixture *f = *state;
  prof_perfmap_close(&f->map);
  prof_space_free(f->space);
  prof_arena_free(&f->names);
  free(f);
  return 0;
}

static size_t feed(struct fixture *f, const char *text) {
  return prof_perfmap_feed(&f->map, text, strlen(text), f->space, &f->names);
}

static const struct prof_code *code_at(struct fixture *f, uint64_t address) {
  struct prof_place place;
  return prof_space_find(f->space, address, &place) ? prof_space_code(f->space, place.code) : NULL;
}

static const char real[] = "7f0ca4006c80 d0 Stub:js-to-wasm:i:i\n"
                           "7f0ca4007000 124 JS:*hot /app/with space/t.js:5:13\n"
                           "7F0CA4008000 1f8 LazyCompile:^f /app/a.js:7\n"
                           "401000 4F0 Builtin:InterpreterEntryTrampoline\n"
                           "0x7f0ca4009000 0x10 llvm_jit_function\n"
                           "7f0ca400a000 3dc RegExp:o(\\w)\n";

static void real_lines_become_code(void **state) {
  struct fixture *f = *state;
  assert_int_equal(feed(f, real), 6);
  assert_int_equal(f->map.skipped, 0);
  assert_string_equal(code_at(f, 0x7f0ca4007123)->name, "JS:*hot /app/with space/t.js:5:13");
  assert_int_equal(code_at(f, 0x7f0ca4007123)->tier, 4);
  assert_int_equal(code_at(f, 0x7f0ca4007123)->kind, PROF_CODE_PERFMAP);
  assert_int_equal(code_at(f, 0x7f0ca4008000)->tier, 2);
  assert_int_equal(code_at(f, 0x4014ef)->kind, PROF_CODE_BUILTIN);
  assert_null(code_at(f, 0x4014f0));
  assert_string_equal(code_at(f, 0x7f0ca4009000)->name, "llvm_jit_function");
  assert_int_equal(code_at(f, 0x7f0ca400a001)->kind, PROF_CODE_REGEXP);
}

static void lines_may_be_cut_anywhere(void **state) {
  struct fixture *f = *state;
  for (size_t cut = 0; cut <= sizeof real - 1; cut++) {
    struct prof_space *space = prof_space_create();
    size_t added = prof_perfmap_feed(&f->map, real, cut, space, &f->names);
    added += prof_perfmap_feed(&f->map, real + cut, sizeof real - 1 - cut, space, &f->names);
    assert_int_equal(added, 6);
    prof_space_free(space);
  }
  assert_int_equal(f->map.skipped, 0);
  assert_int_equal(feed(f, "7f0ca400b000 10 unfinished"), 0);
  assert_null(code_at(f, 0x7f0ca400b000));
  assert_int_equal(feed(f, "_but_then\n"), 1);
  assert_string_equal(code_at(f, 0x7f0ca400b000)->name, "unfinished_but_then");
}

static void hostile_lines_are_counted_and_skipped(void **state) {
  static const char *const lines[] = {"",
                                      "x",
                                      "1000",
                                      "1000 ",
                                      "1000 10",
                                      "1000 10 ",
                                      "g000 10 f",
                                      "1000 1g f",
                                      "-1000 10 f",
                                      "1000 -10 f",
                                      " 1000 10 f",
                                      "1000  10 f",
                                      "1000 0 f",
                                      "10000000000000000 10 f",
                                      "ffffffffffffffff 10 f",
                                      "ffffffff81000000 10 kernel",
                                      "7fffffffffff 10 across_the_end",
                                      "1000 100000000 four_gigabytes",
                                      "1000:10 10 f",
                                      "0x 10 f"};
  struct fixture *f = *state;
  size_t count = sizeof lines / sizeof *lines;
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(feed(f, lines[i]), 0);
    assert_int_equal(feed(f, "\n"), 0);
    assert_int_equal(f->map.skipped, i + 1);
  }
  assert_int_equal(prof_space_live(f->space), 0);
  assert_int_equal(feed(f, "1000 10 fine\r\n"), 1);
  assert_string_equal(code_at(f, 0x1000)->name, "fine");
}

static void a_line_without_end_is_one_skipped_line(void **state) {
  struct fixture *f = *state;
  char piece[1000];
  memset(piece, 'a', sizeof piece);
  assert_int_equal(feed(f, "1000 10 "), 0);
  for (int i = 0; i < 1000; i++)
    prof_perfmap_feed(&f->map, piece, sizeof piece, f->space, &f->names);
  assert_int_equal(feed(f, "\n2000 10 next\n"), 1);
  assert_int_equal(f->map.skipped, 1);
  for (int i = 0; i <= PROF_PERFMAP_LINE_BYTES / 1000; i++)
    prof_perfmap_feed(&f->map, piece, sizeof piece, f->space, &f->names);
  assert_int_equal(feed(f, "1000 10 the_end_of_the_long_one\n"), 0);
  assert_int_equal(f->map.skipped, 2);
  assert_null(code_at(f, 0x1000));
  assert_string_equal(code_at(f, 0x2000)->name, "next");
}

static void random_bytes_do_no_harm(void **state) {
  static const char letters[] = "0123456789abcdef  \n\nx:JS~*";
  struct fixture *f = *state;
  uint64_t seed = 42;
  for (int round = 0; round < 20000; round++) {
    char bytes[64];
    size_t size = 1 + (seed >> 20) % sizeof bytes;
    for (size_t i = 0; i < size; i++) {
      seed = seed * 6364136223846793005ull + 1442695040888963407ull;
      bytes[i] = seed >> 60 ? letters[(seed >> 33) % (sizeof letters - 1)] : (char)(seed >> 40);
    }
    char *exact = malloc(size);
    memcpy(exact, bytes, size);
    prof_perfmap_feed(&f->map, exact, size, f->space, &f->names);
    free(exact);
  }
  assert_true(f->map.skipped > 1000 && f->map.added > 10);
}

static void a_growing_file_is_read_on(void **state) {
  struct fixture *f = *state;
  struct prof_error error;
  char path[] = "/tmp/test-perfmap-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(prof_perfmap_open(&f->map, path, &error), PROF_OK);
  assert_int_equal(prof_perfmap_read(&f->map, f->space, &f->names), 0);
  assert_int_equal(write(fd, "1000 10 a\n2000 ", 15), 15);
  assert_int_equal(prof_perfmap_read(&f->map, f->space, &f->names), 1);
  assert_int_equal(write(fd, "10 b\n", 5), 5);
  assert_int_equal(prof_perfmap_read(&f->map, f->space, &f->names), 1);
  assert_string_equal(code_at(f, 0x2000)->name, "b");
  prof_perfmap_close(&f->map);
  assert_int_equal(prof_perfmap_read(&f->map, f->space, &f->names), 0);
  close(fd);
  unlink(path);
}

static void links_pipes_and_strangers_files_are_refused(void **state) {
  struct fixture *f = *state;
  struct prof_error error;
  char folder[] = "/tmp/test-perfmap-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/link", folder);
  assert_int_equal(symlink("/etc/passwd", path), 0);
  assert_int_equal(prof_perfmap_open(&f->map, path, &error), PROF_BAD_FILE);
  assert_non_null(strstr(error.message, "symbolic link"));
  unlink(path);
  assert_int_equal(mkfifo(path, 0600), 0);
  assert_int_equal(prof_perfmap_open(&f->map, path, &error), PROF_BAD_FILE); /* and does not hang */
  unlink(path);
  assert_int_equal(prof_perfmap_open(&f->map, path, &error), PROF_SYSTEM);
  assert_non_null(strstr(error.message, "--perf-basic-prof"));
  assert_int_equal(prof_perfmap_open(&f->map, folder, &error), PROF_BAD_FILE);
  if (geteuid() == 0) {
    FILE *file = fopen(path, "w");
    fclose(file);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(prof_perfmap_open(&f->map, path, &error), PROF_BAD_FILE);
    unlink(path);
  } else {
    print_message("not tried: another user's file (needs root)\n");
  }
  assert_int_equal(f->map.fd, -1);
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(real_lines_become_code, setup, teardown),
      cmocka_unit_test_setup_teardown(lines_may_be_cut_anywhere, setup, teardown),
      cmocka_unit_test_setup_teardown(hostile_lines_are_counted_and_skipped, setup, teardown),
      cmocka_unit_test_setup_teardown(a_line_without_end_is_one_skipped_line, setup, teardown),
      cmocka_unit_test_setup_teardown(random_bytes_do_no_harm, setup, teardown),
      cmocka_unit_test_setup_teardown(a_growing_file_is_read_on, setup, teardown),
      cmocka_unit_test_setup_teardown(links_pipes_and_strangers_files_are_refused, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
