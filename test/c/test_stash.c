/* stash, kernel_rows, known: what one process has worked out and the next one takes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "code_fixture.h"

#include "base/arena.h"
#include "base/stash.h"
#include "code/image.h"
#include "code/kernel.h"
#include "code/kernel_rows.h"
#include "code/known.h"
#include "code/module.h"
#include "code/space.h"
#include "code/symbol.h"

static const struct prof_stash_part written[] = {
    {"some bytes", 10}, {"", 0}, {"others\0of them", 14}};

static void assert_kept(const char *folder, const char *name, uint64_t key, bool is_kept) {
  struct prof_stash_part parts[3];
  assert_int_equal(prof_stash_read(folder, name, key, parts, 3), is_kept ? 0 : -1);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(parts[i].size, is_kept ? written[i].size : 0);
    if (is_kept)
      assert_memory_equal(parts[i].bytes, written[i].bytes, written[i].size);
    else
      assert_null(parts[i].bytes);
  }
  prof_stash_free(parts, 3);
}

static void what_was_written_is_read_again(void **state) {
  const char *folder = fixture_path("made/for/it"); /* and those above it */
  struct stat stat_;
  (void)state;
  assert_kept(folder, "a.stash", 7, false);
  assert_int_equal(prof_stash_write(folder, "a.stash", 7, written, 3), 0);
  assert_kept(folder, "a.stash", 7, true);
  assert_kept(folder, "a.stash", 8, false);
  assert_kept(folder, "b.stash", 7, false);
  assert_int_equal(stat(folder, &stat_), 0);
  assert_int_equal(stat_.st_mode & 0777, 0700);
  struct prof_stash_part fewer[2];
  assert_int_equal(prof_stash_read(folder, "a.stash", 7, fewer, 2), -1);
  const struct prof_stash_part other[3] = {{"x", 1}, {"y", 1}, {"z", 1}};
  assert_int_equal(prof_stash_write(folder, "a.stash", 9, other, 3), 0); /* in its place */
  assert_kept(folder, "a.stash", 7, false);
}

static void a_damaged_file_is_none(void **state) {
  const char *folder = fixture_path("damaged"), *path = fixture_path("damaged/a.stash");
  unsigned char byte;
  struct stat stat_;
  (void)state;
  assert_int_equal(prof_stash_write(folder, "a.stash", 7, written, 3), 0);
  assert_int_equal(stat(path, &stat_), 0);
  int fd = open(path, O_RDWR);
  for (off_t at = 0; at < stat_.st_size; at++) {
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    assert_kept(folder, "a.stash", 7, false);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
  }
  assert_kept(folder, "a.stash", 7, true);
  for (off_t size = stat_.st_size; size-- > 0;) {
    assert_int_equal(ftruncate(fd, size), 0);
    assert_kept(folder, "a.stash", 7, false);
  }
  close(fd);
}

static void what_others_could_have_written_is_refused(void **state) {
  const char *folder = fixture_path("others");
  (void)state;
  assert_int_equal(prof_stash_write(folder, "a.stash", 7, written, 3), 0);
  assert_int_equal(chmod(fixture_path("others/a.stash"), 0622), 0);
  assert_kept(folder, "a.stash", 7, false);
  assert_int_equal(chmod(fixture_path("others/a.stash"), 0600), 0);
  assert_kept(folder, "a.stash", 7, true);
  assert_int_equal(symlink("a.stash", fixture_path("others/link.stash")), 0);
  assert_kept(folder, "link.stash", 7, false);
  fixture_write("file", "no folder");
  assert_int_equal(prof_stash_write(fixture_path("file"), "a.stash", 7, written, 3), -1);
  assert_int_equal(prof_stash_write(fixture_path("file/below"), "a.stash", 7, written, 3), -1);
  if (geteuid() != 0)
    return;
  assert_int_equal(chown(fixture_path("others/a.stash"), 1, 1), 0);
  assert_kept(folder, "a.stash", 7, false);
  assert_int_equal(chown(folder, 1, 1), 0);
  assert_int_equal(prof_stash_write(folder, "b.stash", 7, written, 3), -1);
  assert_int_equal(prof_stash_write(fixture_path("others/below"), "b.stash", 7, written, 3), -1);
  assert_int_not_equal(access(fixture_path("others/below"), F_OK), 0);
}

static void the_oldest_files_go(void **state) {
  const char *folder = fixture_path("many");
  char name[32], path[512];
  (void)state;
  assert_int_equal(fixture_run("mkdir '%s' && touch -d 1980-01-01 '%s/not-ours'", folder, folder),
                   0);
  for (int i = 0; i < PROF_STASH_FILES + 3; i++) {
    snprintf(name, sizeof name, "%d.stash", i);
    assert_int_equal(prof_stash_write(folder, name, 7, written, 3), 0);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const struct timespec times[] = {{1000000 + i, 0}, {1000000 + i, 0}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
  }
  for (int i = 0; i < PROF_STASH_FILES + 3; i++) {
    snprintf(name, sizeof name, "%d.stash", i);
    assert_kept(folder, name, 7, i >= 3);
  }
  assert_int_equal(access(fixture_path("many/not-ours"), F_OK), 0);
}

static void assert_kernel(struct prof_kernel *kernel, uint64_t address, const char *name) {
  struct prof_kernel_symbol symbol;
  uint64_t start;
  assert_int_equal(prof_kernel_find(kernel, address, &symbol), name != NULL);
  if (!name)
    return;
  assert_string_equal(symbol.name, name);
  assert_true(prof_kernel_start(kernel, address, &start));
  assert_true(start == symbol.start);
}

static struct prof_kernel *kernel_of(const char *folder, const char *text) {
  struct prof_kernel *kernel = prof_kernel_create(fixture_write("kallsyms", text));
  assert_non_null(kernel);
  prof_kernel_stash(kernel, folder);
  return kernel;
}

static void the_kernels_names_are_read_once_for_a_boot(void **state) {
  const char *folder = fixture_path("kernel");
  static const char before[] = "ffffffff81000000 T _stext\n"
                               "ffffffff81000000 T startup_64\n"
                               "ffffffff81000040 t helper\n"
                               "ffffffff81002000 T last\n"
                               "ffffffffc0001000 t first\t[veth]\n"
                               "ffffffffc0001800 t second\t[veth]\n"
                               "ffffffffc0004000 t bpf_prog_1\t[bpf]\n"
                               "ffffffffc0005000 t third\t[xfs]\n";
  (void)state;
  if (!prof_kernel_rows_key()) {
    print_message("skipped: /proc/sys/kernel/random/boot_id cannot be read\n");
    skip();
  }
  struct prof_kernel *kernel = kernel_of(folder, before);
  assert_kernel(kernel, 0xffffffff81000041, "helper");
  prof_kernel_free(kernel);
  /* What was kept is believed, the file is not read. */
  kernel = kernel_of(folder, "ffffffff81000000 T other\nffffffffc0004000 t bpf_prog_2\t[bpf]\n");
  assert_null(prof_kernel_note(kernel));
  assert_kernel(kernel, 0xffffffff81000001, "startup_64");
  assert_kernel(kernel, 0xffffffff81001fff, "helper");
  assert_kernel(kernel, 0xffffffff81002fff, "last");
  assert_kernel(kernel, 0xffffffffc00017ff, "first");
  assert_kernel(kernel, 0xffffffffc0001fff, "second");
  assert_kernel(kernel, 0xffffffffc0005fff, "third");
  uint64_t start;
  assert_false(prof_kernel_start(kernel, 0xffffffffc0004001, &start));
  assert_kernel(kernel, 0xffffffff81002000, "last");
  /* But for what comes and goes: then all is read again. */
  assert_kernel(kernel, 0xffffffffc0004001, "bpf_prog_2");
  assert_kernel(kernel, 0xffffffff81000041, "other");
  prof_kernel_free(kernel);
  /* Which has not changed what is kept. */
  kernel = kernel_of(folder, "ffffffff81000000 T other\n");
  assert_kernel(kernel, 0xffffffff81000041, "helper");
  /* The page behind a module's last function may be a newer program's. */
  assert_kernel(kernel, 0xffffffffc0002000, NULL);
  prof_kernel_free(kernel);
}

static void hidden_kernel_addresses_are_neither_kept_nor_told(void **state) {
  const char *folder = fixture_path("hidden");
  struct prof_kernel *kernel = kernel_of(folder, "0000000000000000 T _stext\n");
  (void)state;
  assert_int_equal(prof_kernel_count(kernel), 0);
  prof_kernel_free(kernel);
  kernel = kernel_of(folder, "ffffffff81000000 T now\n");
  assert_kernel(kernel, 0xffffffff81000000, "now");
  prof_kernel_free(kernel);
  /* Hidden since: then what is kept is not told either. */
  kernel = kernel_of(folder, "0000000000000000 T now\n");
  assert_non_null(prof_kernel_note(kernel));
  assert_kernel(kernel, 0xffffffff81000000, NULL);
  prof_kernel_free(kernel);
}

#define BASE 0x7f0000000000ull
enum { FUNCTIONS = PROF_KNOWN_SYMBOLS_MIN + 1000, BYTES = 16, STEP = 37 };

struct world {
  struct prof_modules *modules;
  struct prof_space *space;
  struct prof_symbols *symbols;
  struct prof_arena arena;
  const struct prof_module *module;
};

static void world_open(struct world *world, const char *path, const char *folder) {
  struct prof_image image;
  *world = (struct world){.space = prof_space_create()};
  world->modules = prof_modules_create(NULL);
  prof_arena_init(&world->arena, 0);
  world->symbols = prof_symbols_create(world->modules, NULL, &world->arena);
  prof_symbols_stash(world->symbols, folder);
  assert_int_equal(prof_image_open_file(&image, path), 0);
  assert_int_equal(prof_modules_map_image(world->modules, world->space, &image, path, BASE), 0);
  prof_image_close(&image);
  world->module = prof_modules_at(world->modules, 0);
}

static void world_close(struct world *world) {
  prof_symbols_free(world->symbols);
  prof_modules_free(world->modules);
  prof_space_free(world->space);
  prof_arena_free(&world->arena);
}

static struct prof_named name_of(struct world *world, size_t function) {
  uint64_t address = world->module->start + function * BYTES + 3;
  struct prof_place place = prof_space_place(world->space, address);
  const struct prof_code *code = prof_space_code(world->space, place.code);
  struct prof_named named;
  assert_int_equal(prof_symbols_resolve(world->symbols, code, place.code, place.offset, &named, 1),
                   1);
  return named;
}

/* Functions of C, every tenth one of Rust, each with an alias that is chosen by its name. */
static void make_library(const char *path, const char *prefix) {
  char *text = malloc(FUNCTIONS * 256 + 256);
  size_t at = (size_t)sprintf(text, ".text\n");
  for (int i = 0; i < FUNCTIONS; i++) {
    char name[64];
    if (i % 10)
      snprintf(name, sizeof name, "%s%05d", prefix, i);
    else
      snprintf(name, sizeof name, "_RNvCs1_5crate%d%s%05d", (int)strlen(prefix) + 5, prefix, i);
    at += (size_t)sprintf(text + at,
                          ".globl %s\n.globl __%d\n.type %s,@function\n.type __%d,@function\n"
                          "__%d:\n%s: .skip %d,0x90\n.size %s,%d\n.size __%d,%d\n",
                          name, i, name, i, i, name, BYTES, name, BYTES, i, BYTES);
  }
  sprintf(text + at, ".section .note.GNU-stack\n");
  assert_int_equal(
      fixture_run("cc -shared -nostdlib -o '%s' '%s'", path, fixture_write("big.s", text)), 0);
  free(text);
}

static void assert_same(const struct prof_named *a, const struct prof_named *b) {
  assert_string_equal(a->name, b->name);
  assert_string_equal(a->symbol, b->symbol);
  assert_true(!a->crate == !b->crate);
  if (a->crate)
    assert_string_equal(a->crate, b->crate);
  assert_int_equal(a->module, b->module);
  assert_int_equal(a->kind, b->kind);
  assert_int_equal(a->tier, b->tier);
  assert_int_equal(a->named, b->named);
  assert_true(a->identity == b->identity);
}

static size_t files_in(const char *folder) {
  char command[512], line[512];
  size_t count = 0;
  snprintf(command, sizeof command, "ls '%s' 2>/dev/null", folder);
  FILE *pipe = popen(command, "r");
  while (pipe && fgets(line, sizeof line, pipe))
    count++;
  if (pipe)
    pclose(pipe);
  return count;
}

/* Names some functions with and without the folder; they must be the same. How many there were. */
static size_t compare(const char *path, const char *folder, size_t first, size_t step,
                      bool is_saved) {
  struct world fresh, stashed;
  size_t checked = 0;
  world_open(&fresh, path, NULL);
  world_open(&stashed, path, folder);
  for (size_t i = first; i < FUNCTIONS; i += step, checked++) {
    struct prof_named a = name_of(&fresh, i), b = name_of(&stashed, i);
    assert_same(&a, &b);
    assert_int_equal(a.kind, i % 10 ? PROF_KIND_NATIVE : PROF_KIND_RUST);
  }
  if (is_saved)
    prof_symbols_save(stashed.symbols);
  world_close(&fresh);
  world_close(&stashed);
  return checked;
}

/* What is in the stash of the library: 0, or how many functions. */
static size_t functions_known(const char *path, const char *folder) {
  struct prof_image image, debug = {.fd = -1};
  struct prof_symtab table = {.image = {.fd = -1}, .debug = {.fd = -1}};
  assert_int_equal(prof_image_open_file(&image, path), 0);
  struct prof_known *known = prof_known_open(folder, strrchr(path, '/') + 1, path, &image, &debug);
  assert_non_null(known);
  bool has_table = prof_known_table(known, &table, &image, &debug);
  size_t count = known->count;
  if (has_table)
    prof_symtab_free(&table);
  else
    prof_image_close(&image);
  prof_known_free(known);
  return has_table ? count : 0;
}

static void a_large_binarys_names_are_the_same_from_the_stash(void **state) {
  char path[256], folder[256];
  (void)state;
  strcpy(path, fixture_path("big.so"));
  strcpy(folder, fixture_path("known"));
  make_library(path, "function");
  assert_int_equal(functions_known(path, folder), 0);
  size_t named = compare(path, folder, 0, STEP, true);
  assert_int_equal(functions_known(path, folder), named);
  compare(path, folder, 0, STEP, true);
  assert_int_equal(functions_known(path, folder), named);
  /* A few more: not worth the writing. Many more: beside those of before. */
  compare(path, folder, 1, FUNCTIONS / 5, true);
  assert_int_equal(functions_known(path, folder), named);
  size_t more = compare(path, folder, 1, STEP, true);
  assert_int_equal(functions_known(path, folder), named + more);
  compare(path, folder, 0, 1, false);
  assert_int_equal(files_in(folder), 1);
  /* Another file in its place, also one of the same size. */
  make_library(path, "procedur");
  assert_int_equal(functions_known(path, folder), 0);
  compare(path, folder, 0, STEP, true);
  assert_int_equal(functions_known(path, folder), named);
  assert_int_equal(files_in(folder), 1);
}

static void a_stash_that_leads_astray_is_not_taken(void **state) {
  char path[256], folder[256], file[512] = "";
  struct prof_stash_part parts[PROF_STASH_PARTS];
  (void)state;
  strcpy(path, fixture_path("astray.so"));
  strcpy(folder, fixture_path("astray"));
  make_library(path, "function");
  struct prof_image image, debug = {.fd = -1};
  assert_int_equal(prof_image_open_file(&image, path), 0);
  struct prof_known *known = prof_known_open(folder, "astray.so", path, &image, &debug);
  snprintf(file, sizeof file, "%s", known->name);
  for (int i = 0; i < PROF_STASH_PARTS; i++) {
    compare(path, folder, 0, STEP, true);
    assert_int_not_equal(functions_known(path, folder), 0);
    assert_int_equal(prof_stash_read(folder, file, known->key, parts, PROF_STASH_PARTS), 0);
    if (i == 0)
      parts[i].size = 0; /* no rows */
    else if (i == 2)
      parts[i].size--;
    else
      memset(parts[i].bytes, 0x7f, parts[i].size); /* offsets out of bounds, no NUL */
    assert_int_equal(prof_stash_write(folder, file, known->key, parts, PROF_STASH_PARTS), 0);
    prof_stash_free(parts, PROF_STASH_PARTS);
    assert_int_equal(functions_known(path, folder), 0);
  }
  compare(path, folder, 0, STEP, false);
  prof_known_free(known);
  prof_image_close(&image);
}

static void small_tables_are_not_kept(void **state) {
  const char *folder = fixture_path("small");
  char path[256];
  struct world world;
  (void)state;
  strcpy(path, fixture_path("small.so"));
  const char *source = fixture_write("small.s", ".globl f\n.type f,@function\nf: .skip 64\n"
                                                ".size f,64\n.section .note.GNU-stack\n");
  assert_int_equal(fixture_run("cc -shared -nostdlib -o '%s' '%s'", path, source), 0);
  world_open(&world, path, folder);
  assert_string_equal(name_of(&world, 0).name, "f");
  prof_symbols_save(world.symbols);
  world_close(&world);
  assert_int_equal(files_in(folder), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_written_is_read_again),
      cmocka_unit_test(a_damaged_file_is_none),
      cmocka_unit_test(what_others_could_have_written_is_refused),
      cmocka_unit_test(the_oldest_files_go),
      cmocka_unit_test(the_kernels_names_are_read_once_for_a_boot),
      cmocka_unit_test(hidden_kernel_addresses_are_neither_kept_nor_told),
      cmocka_unit_test(a_large_binarys_names_are_the_same_from_the_stash),
      cmocka_unit_test(a_stash_that_leads_astray_is_not_taken),
      cmocka_unit_test(small_tables_are_not_kept),
  };
  return cmocka_run_group_tests_name("stash", tests, fixture_setup, fixture_teardown);
}
