/* module, maps, image, debugfile: what is mapped, and files that are not what they seem */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "code_fixture.h"

#include "base/status.h"
#include "code/debugfile.h"
#include "code/image.h"
#include "code/maps.h"
#include "code/module.h"
#include "code/space.h"

static const char library_source[] = "int answer(int x) { return x * 3 + 1; }\n";

struct world {
  struct prof_modules *modules;
  struct prof_space *space;
};

static struct world world_create(void) {
  struct prof_error error;
  struct world world = {prof_modules_create(&error), prof_space_create()};
  assert_non_null(world.modules);
  assert_non_null(world.space);
  return world;
}

static void world_free(struct world *world) {
  prof_modules_free(world->modules);
  prof_space_free(world->space);
}

static const struct prof_module *module_at(struct world *world, uint64_t address) {
  struct prof_place place;
  const struct prof_code *code;
  if (!prof_space_find(world->space, address, &place))
    return NULL;
  code = prof_space_code(world->space, place.code);
  assert_int_equal(code->kind, PROF_CODE_MODULE);
  assert_int_equal(code->start + place.offset, address);
  return prof_modules_at(world->modules, (size_t)code->module);
}

static void build_library(const char *name, const char *flags) {
  const char *source = fixture_write("library.c", library_source);
  assert_int_equal(fixture_run("cc -shared -fPIC -g %s -Wl,--build-id -o '%s' '%s'", flags,
                               fixture_path(name), source),
                   0);
}

static int check_object(struct dl_phdr_info *info, size_t size, void *user) {
  struct world *world = user;
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
      continue;
    const struct prof_module *module = module_at(world, info->dlpi_addr + segment->p_vaddr);
    assert_non_null(module);
    assert_int_equal(module->bias, info->dlpi_addr);
    assert_true(module->flags & PROF_MODULE_EH_FRAME);
    assert_non_null(module_at(world, info->dlpi_addr + segment->p_vaddr + segment->p_memsz - 1));
  }
  return 0;
}

static void every_loaded_object_is_found(void **state) {
  struct world world = world_create();
  (void)state;
  prof_modules_load_self(world.modules, world.space);
  assert_true(prof_modules_count(world.modules) > 3);
  dl_iterate_phdr(check_object, &world);
  assert_true(module_at(&world, (uint64_t)(uintptr_t)every_loaded_object_is_found)->flags &
              PROF_MODULE_SYMTAB);
  size_t count = prof_modules_count(world.modules), codes = prof_space_count(world.space);
  prof_modules_load_self(world.modules, world.space);
  assert_int_equal(prof_modules_count(world.modules), count); /* the same files: no new rows */
  assert_int_equal(prof_space_count(world.space), codes);
  world_free(&world);
}

static void the_vdso_is_named(void **state) {
  struct world world = world_create();
  uint64_t address = getauxval(AT_SYSINFO_EHDR);
  (void)state;
  if (!address) {
    print_message("skipped: this process has no vdso\n");
    skip();
  }
  prof_modules_load_self(world.modules, world.space);
  const struct prof_module *module = module_at(&world, address);
  assert_non_null(module);
  assert_string_equal(module->name, "[vdso]");
  assert_int_equal(module->state, PROF_MODULE_IN_MEMORY);
  assert_int_equal(module->bias, address);
  assert_true(strlen(module->build_id) >= 16);
  world_free(&world);
}

static void build_ids_are_readelfs(void **state) {
  char command[512], wanted[256] = "";
  struct prof_image image;
  char id[PROF_BUILD_ID_TEXT];
  FILE *pipe;
  (void)state;
  if (!fixture_has("readelf")) {
    print_message("skipped: no readelf\n");
    skip();
  }
  build_library("id.so", "");
  snprintf(command, sizeof command, "readelf -n '%s' | sed -n 's/.*Build ID: //p'",
           fixture_path("id.so"));
  pipe = popen(command, "r");
  assert_non_null(pipe);
  assert_int_equal(fscanf(pipe, "%255s", wanted), 1);
  pclose(pipe);
  assert_int_equal(prof_image_open_file(&image, fixture_path("id.so")), 0);
  assert_true(prof_image_build_id(&image, id));
  assert_string_equal(id, wanted);
  prof_image_close(&image);
}

/* The first executable segment of a library, as a mapping of it would be reported. */
static Elf64_Phdr code_segment(const char *path) {
  struct prof_image image;
  Elf64_Phdr found = {0};
  assert_int_equal(prof_image_open_file(&image, path), 0);
  for (size_t i = 0; i < image.header.e_phnum && !found.p_memsz; i++)
    if (image.segments[i].p_type == PT_LOAD && (image.segments[i].p_flags & PF_X))
      found = image.segments[i];
  prof_image_close(&image);
  return found;
}

static void pieces_of_one_file_are_one_module(void **state) {
  struct world world = world_create();
  const char *path;
  Elf64_Phdr code;
  (void)state;
  build_library("pieces.so", "-Wl,-z,separate-code -Wl,-Ttext-segment=0x200000");
  path = fixture_path("pieces.so");
  code = code_segment(path);
  const uint64_t base = 0x7f0000000000;
  int first = prof_modules_mapped(world.modules, world.space, base + code.p_offset, 4096,
                                  code.p_offset, path);
  assert_int_equal(first, 0);
  /* the page after it, as mprotect() leaves it */
  assert_int_equal(prof_modules_mapped(world.modules, world.space, base + code.p_offset + 4096,
                                       4096, code.p_offset, path),
                   1); /* another bias: another load of the file */
  assert_int_equal(prof_modules_mapped(world.modules, world.space, base + code.p_offset, 2048,
                                       code.p_offset, path),
                   0);
  const struct prof_module *module = prof_modules_at(world.modules, 0);
  assert_int_equal(module->bias, base + code.p_offset - code.p_vaddr);
  assert_string_equal(module->name, "pieces.so");
  assert_string_equal(module->path, path);
  assert_int_equal(module->start, base + code.p_offset);
  assert_int_equal(module->end, base + code.p_offset + 4096);
  world_free(&world);
}

static void what_is_no_elf_file_is_no_module(void **state) {
  static const char *const paths[] = {"",
                                      "//anon",
                                      "[heap]",
                                      "[vsyscall]",
                                      "/dev/zero",
                                      "/SYSV00000000 (deleted)",
                                      "/nonexistent/x.so",
                                      "/memfd:v8 (deleted)",
                                      "/etc/passwd",
                                      "relative.so"};
  struct world world = world_create();
  char *long_path = calloc(1, 10000);
  (void)state;
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    assert_int_equal(prof_modules_mapped(world.modules, world.space, 0x10000000, 4096, 0, paths[i]),
                     -1);
  memset(long_path, '/', 9999);
  memset(long_path + 1, 'x', 9998);
  assert_int_equal(prof_modules_mapped(world.modules, world.space, 0x10000000, 4096, 0, long_path),
                   -1);
  free(long_path);
  build_library("size.so", "");
  const char *path = fixture_path("size.so");
  assert_int_equal(prof_modules_mapped(world.modules, world.space, 4096, 0, 0, path), -1);
  assert_int_equal(prof_modules_mapped(world.modules, world.space, 4096, 1ull << 32, 0, path), -1);
  assert_int_equal(prof_modules_mapped(world.modules, world.space, UINT64_MAX - 10, 4096, 0, path),
                   -1);
  assert_int_equal(prof_modules_mapped(world.modules, world.space, 4096, 4096, 1 << 30, path), -1);
  assert_int_equal(prof_modules_count(world.modules), 0);
  assert_true(prof_modules_refused(world.modules) >= 4);
  world_free(&world);
}

static void assert_taken_from_memory(const char *name, uint8_t wanted, bool replace) {
  struct world world = world_create(), before = world_create();
  struct link_map *map;
  const struct prof_module *module, *whole;
  build_library(name, "-O0");
  void *handle = dlopen(fixture_path(name), RTLD_NOW | RTLD_LOCAL);
  assert_non_null(handle);
  uint64_t answer = (uint64_t)(uintptr_t)dlsym(handle, "answer");
  assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
  prof_modules_load_self(before.modules, before.space);
  whole = module_at(&before, answer);
  assert_int_equal(whole->state, PROF_MODULE_ON_DISK);
  unlink(fixture_path(name));
  if (replace) {
    build_library("other.so", "-O2 -DOTHER -Wl,--defsym=padding=1");
    rename(fixture_path("other.so"), fixture_path(name));
  }
  prof_modules_load_self(world.modules, world.space);
  module = module_at(&world, answer);
  assert_non_null(module);
  assert_int_equal(module->state, wanted);
  assert_int_equal(module->bias, map->l_addr);
  assert_string_equal(module->name, name);
  assert_string_equal(module->build_id, whole->build_id);
  assert_true(strlen(module->build_id) == 40);
  assert_int_equal(module->flags & PROF_MODULE_SYMTAB, 0);
  dlclose(handle);
  world_free(&world);
  world_free(&before);
}

static void a_deleted_file_keeps_the_build_id_of_its_memory(void **state) {
  (void)state;
  assert_taken_from_memory("deleted.so", PROF_MODULE_DELETED, false);
}

/* The kernel says " (deleted)" of the file that was unlinked, though another has its name. A record
 * that came before the exchange has no such mark: then the build id tells. */
static void a_replaced_file_is_seen_by_its_build_id(void **state) {
  struct world world = world_create();
  struct link_map *map;
  Elf64_Phdr code;
  (void)state;
  build_library("replaced.so", "-O0");
  void *handle = dlopen(fixture_path("replaced.so"), RTLD_NOW | RTLD_LOCAL);
  assert_non_null(handle);
  code = code_segment(fixture_path("replaced.so"));
  assert_int_equal(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
  prof_modules_load_self(world.modules, NULL);
  size_t count = prof_modules_count(world.modules);
  unlink(fixture_path("replaced.so"));
  build_library("replaced.so", "-O2");
  int index = prof_modules_mapped(world.modules, world.space, map->l_addr + code.p_vaddr,
                                  code.p_memsz, code.p_offset, fixture_path("replaced.so"));
  assert_int_equal(index, count);
  assert_int_equal(prof_modules_at(world.modules, (size_t)index)->state, PROF_MODULE_REPLACED);
  assert_int_equal(prof_modules_at(world.modules, (size_t)index)->bias, map->l_addr);
  dlclose(handle);
  world_free(&world);
  assert_taken_from_memory("deleted2.so", PROF_MODULE_DELETED, true);
}

/* The 4096 bytes of .text XORed by python, as the text of the rule has it. */
static void a_file_without_build_id_is_known_by_its_code(void **state) {
  struct prof_image image;
  char path[256], wanted[64] = "", id[PROF_BUILD_ID_TEXT];
  struct world world = world_create();
  (void)state;
  build_library("plain-id.so", "-O0");
  strcpy(path, fixture_path("plain-id.so"));
  assert_int_equal(fixture_run("cd '%s' && cc -shared -fPIC -Wl,--build-id=none -o plain-id.so "
                               "\"$(ls *.c | head -1)\"",
                               fixture_folder),
                   0);
  if (!fixture_has("python3") || !fixture_has("objcopy")) {
    world_free(&world);
    print_message("skipped: no python3 or objcopy\n");
    skip();
  }
  assert_int_equal(fixture_run("cd '%s' && objcopy -O binary -j .text plain-id.so text.bin && "
                               "python3 -c \"b=open('text.bin','rb').read()[:4096]; x=[0]*16\n"
                               "for i,c in enumerate(b): x[i%%16]^=c\n"
                               "open('id.txt','w').write(bytes(x).hex())\"",
                               fixture_folder),
                   0);
  FILE *file = fopen(fixture_path("id.txt"), "r");
  assert_int_equal(fscanf(file, "%63s", wanted), 1);
  fclose(file);
  assert_int_equal(strlen(wanted), 32);
  assert_int_equal(prof_image_open_file(&image, path), 0);
  assert_false(prof_image_build_id(&image, id));
  assert_true(prof_image_content_id(&image, id));
  assert_string_equal(id, wanted);
  prof_image_close(&image);
  Elf64_Phdr code = code_segment(path);
  int index = prof_modules_mapped(world.modules, world.space, 0x7f0000000000 + code.p_vaddr, 4096,
                                  code.p_offset, path);
  assert_true(index >= 0);
  assert_string_equal(prof_modules_at(world.modules, (size_t)index)->build_id, wanted);
  assert_int_equal(prof_modules_find(world.modules, 0x7f0000000000 + code.p_vaddr), index);
  assert_int_equal(prof_modules_find(world.modules, 0x7f0000000000 + code.p_vaddr + 4095), index);
  assert_int_equal(prof_modules_find(world.modules, 0x7f0000000000 + code.p_vaddr + 4096), -1);
  assert_int_equal(prof_modules_find(world.modules, 0x7f0000000000 + code.p_vaddr - 1), -1);
  world_free(&world);
}

static void a_debug_file_is_found_by_its_link(void **state) {
  struct prof_image image;
  char id[PROF_BUILD_ID_TEXT], found[512];
  const char *path;
  (void)state;
  if (!fixture_has("objcopy")) {
    print_message("skipped: no objcopy\n");
    skip();
  }
  for (int with_id = 0; with_id < 2; with_id++) {
    build_library("linked.so", with_id ? "" : "-Wl,--build-id=none");
    if (!with_id) /* build_library asks for one: the last option wins, so take it away */
      assert_int_equal(fixture_run("objcopy -R .note.gnu.build-id '%s'", fixture_path("linked.so")),
                       0);
    path = fixture_path("linked.so");
    assert_int_equal(
        fixture_run("cd '%s' && mkdir -p .debug && objcopy --only-keep-debug linked.so "
                    ".debug/linked.debug && objcopy --strip-all "
                    "--add-gnu-debuglink=.debug/linked.debug linked.so",
                    fixture_folder),
        0);
    assert_int_equal(prof_image_open_file(&image, path), 0);
    prof_image_build_id(&image, id);
    assert_int_equal(strlen(id), with_id ? 40 : 0);
    assert_true(prof_debugfile_find(&image, path, id, found, sizeof found));
    assert_non_null(strstr(found, "/.debug/linked.debug"));
    /* another build's debug file is refused */
    build_library("linked2.so", "-O3");
    fixture_run("cd '%s' && objcopy --only-keep-debug linked2.so .debug/linked.debug",
                fixture_folder);
    assert_false(prof_debugfile_find(&image, path, id, found, sizeof found));
    prof_image_close(&image);
  }
}

static void collect(void *user, const struct prof_mapping *mapping) {
  char *out = user;
  sprintf(out + strlen(out), "%" PRIx64 "-%" PRIx64 " %d %" PRIx64 " %" PRIx64 ":%" PRIu64 " %s;",
          mapping->start, mapping->end, mapping->is_executable, mapping->offset, mapping->device,
          mapping->inode, mapping->path);
}

static void maps_lines_are_parsed(void **state) {
  char out[1024] = "";
  char text[] = "00400000-00452000 r-xp 0001f000 08:02 173521 /usr/bin/a program\n"
                "7f00-8000 rw-p 00000000 00:00 0 \n"
                "nonsense\n-\n10-0 r-xp 0 0 0\n1-2 r-x\n\n"
                "7ffc1000-7ffc3000 r-xp 00000000 00:00 0                          [vdso]\n"
                "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0 [vsyscall]";
  (void)state;
  char before[sizeof text];
  memcpy(before, text, sizeof text);
  prof_maps_parse(text, collect, out);
  assert_memory_equal(text, before, sizeof text);
  assert_string_equal(
      out, "400000-452000 1 1f000 800000002:173521 /usr/bin/a program;7f00-8000 0 0 0:0 ;"
           "7ffc1000-7ffc3000 1 0 0:0 [vdso];"
           "ffffffffff600000-ffffffffff601000 1 0 0:0 [vsyscall];");
}

static void damaged_files_never_crash(void **state) {
  unsigned char *bytes, *damaged;
  uint64_t random = 7;
  struct stat stat_buffer;
  const char *path;
  char victim[256];
  size_t size;
  int fd, opened = 0;
  (void)state;
  build_library("whole.so", "");
  path = fixture_path("whole.so");
  assert_int_equal(stat(path, &stat_buffer), 0);
  size = (size_t)stat_buffer.st_size;
  bytes = malloc(size);
  damaged = malloc(size);
  fd = open(path, O_RDONLY);
  assert_int_equal(read(fd, bytes, size), size);
  close(fd);
  strcpy(victim, fixture_path("damaged.so"));
  for (int round = 0; round < 1500; round++) {
    struct world world = world_create();
    size_t kept = round % 10 == 0 ? fixture_random(&random) % size : size;
    memcpy(damaged, bytes, size);
    for (uint32_t changes = 1 + fixture_random(&random) % 8; changes; changes--) {
      /* headers and the section table at the end are what decides */
      size_t at = fixture_random(&random) % (round % 2 ? 800 : size);
      at = round % 4 == 2 ? size - 1 - at % 2000 : at;
      damaged[at] = (unsigned char)fixture_random(&random);
    }
    fd = open(victim, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, damaged, kept), kept);
    close(fd);
    if (prof_modules_mapped(world.modules, world.space, 0x7f0000001000, 4096, 4096, victim) >= 0)
      opened++;
    world_free(&world);
  }
  assert_true(opened > 100);
  free(bytes);
  free(damaged);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_loaded_object_is_found),
      cmocka_unit_test(the_vdso_is_named),
      cmocka_unit_test(build_ids_are_readelfs),
      cmocka_unit_test(pieces_of_one_file_are_one_module),
      cmocka_unit_test(what_is_no_elf_file_is_no_module),
      cmocka_unit_test(a_deleted_file_keeps_the_build_id_of_its_memory),
      cmocka_unit_test(a_replaced_file_is_seen_by_its_build_id),
      cmocka_unit_test(a_file_without_build_id_is_known_by_its_code),
      cmocka_unit_test(a_debug_file_is_found_by_its_link),
      cmocka_unit_test(maps_lines_are_parsed),
      cmocka_unit_test(damaged_files_never_crash),
  };
  return cmocka_run_group_tests_name("module", tests, fixture_setup, fixture_teardown);
}
