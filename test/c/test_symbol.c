/* symbol, symtab, plt, inline: places -> functions, against libdwfl and fixtures built here */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "code_fixture.h"

#include "base/arena.h"
#include "base/status.h"
#include "code/debugfile.h"
#include "code/image.h"
#include "code/kernel.h"
#include "code/module.h"
#include "code/space.h"
#include "code/starts.h"
#include "code/symbol.h"
#include "code/symtab.h"

#define BASE 0x7f0000000000ull

struct world {
  struct prof_modules *modules;
  struct prof_space *space;
  struct prof_symbols *symbols;
  struct prof_arena arena;
  uint64_t bias; /* of the file that was mapped last */
};

static void world_open(struct world *world, struct prof_kernel *kernel) {
  *world = (struct world){.space = prof_space_create()};
  world->modules = prof_modules_create(NULL);
  prof_arena_init(&world->arena, 0);
  world->symbols = prof_symbols_create(world->modules, kernel, &world->arena);
  prof_symbols_set_space(world->symbols, world->space);
  prof_symbols_inline_budget(world->symbols, 60000000000u);
  assert_non_null(world->symbols);
}

static void world_close(struct world *world) {
  prof_symbols_free(world->symbols);
  prof_modules_free(world->modules);
  prof_space_free(world->space);
  prof_arena_free(&world->arena);
}

static int map_file(struct world *world, const char *path) {
  struct prof_image image;
  assert_int_equal(prof_image_open_file(&image, path), 0);
  int index = prof_modules_map_image(world->modules, world->space, &image, path, BASE);
  prof_image_close(&image);
  if (index >= 0)
    world->bias = prof_modules_at(world->modules, (size_t)index)->bias;
  return index;
}

static int resolve(struct world *world, uint64_t address, struct prof_named *out, int capacity) {
  struct prof_place place = prof_space_place(world->space, address);
  return prof_symbols_resolve(world->symbols, prof_space_code(world->space, place.code), place.code,
                              place.offset, out, capacity);
}

/* The place that stands for the one at address: it has the same names, whatever stands there. */
static uint32_t assert_same_names(struct world *world, uint64_t address) {
  struct prof_place place = prof_space_place(world->space, address);
  const struct prof_code *code = prof_space_code(world->space, place.code);
  uint32_t same = prof_symbols_same(world->symbols, code, place.offset);
  struct prof_named names[8], wanted[8];
  int count = prof_symbols_resolve(world->symbols, code, place.code, place.offset, wanted, 8);
  assert_int_equal(prof_symbols_resolve(world->symbols, code, place.code, same, names, 8), count);
  for (int i = 0; i < count; i++)
    assert_int_equal(names[i].identity, wanted[i].identity);
  return same;
}

/* Virtual address of a symbol, by nm. */
static uint64_t address_of(const char *path, const char *symbol) {
  char command[1024];
  unsigned long long address = 0;
  snprintf(command, sizeof command, "nm '%s' | awk '$3 == \"%s\" { print $1; exit }'", path,
           symbol);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  assert_int_equal(fscanf(pipe, "%llx", &address), 1);
  pclose(pipe);
  return address;
}

static const char assembly[] = ".text\n"
                               ".globl strong\n.type strong,@function\n"
                               ".weak weak_alias\n.type weak_alias,@function\n"
                               ".globl __strong_alias\n.type __strong_alias,@function\n"
                               ".globl strong_longer\n.type strong_longer,@function\n"
                               "strong:\nweak_alias:\n__strong_alias:\nstrong_longer:\n"
                               "local_alias:\n.type local_alias,@function\n"
                               ".weak weak_and_longest_of_them\n"
                               ".type weak_and_longest_of_them,@function\n"
                               "weak_and_longest_of_them:\n.size weak_and_longest_of_them,4\n"
                               ".globl unsized_and_longest_of_all\nunsized_and_longest_of_all:\n"
                               "nop\nnop\nnop\nnop\n"
                               ".size strong,4\n.size weak_alias,4\n.size __strong_alias,4\n"
                               ".size strong_longer,4\n.size local_alias,4\n"
                               ".skip 12,0x90\n"
                               ".globl unsized\nunsized:\n.skip 32,0x90\n"
                               ".globl outer\n.type outer,@function\nouter:\n.skip 8,0x90\n"
                               ".type inner,@function\ninner:\n.skip 4,0x90\n.size inner,4\n"
                               ".skip 8,0x90\n.size outer,20\n.skip 12,0x90\n"
                               ".globl caller\n.type caller,@function\ncaller:\n"
                               "call getpid@plt\nret\n.size caller,6\n"
                               ".type _ZN1a1fEv.cold,@function\n_ZN1a1fEv.cold:\n.skip 8,0x90\n"
                               ".size _ZN1a1fEv.cold,8\n"
                               ".globl _ZN1a1fEv\n.type _ZN1a1fEv,@function\n_ZN1a1fEv:\n"
                               ".skip 8,0x90\n.size _ZN1a1fEv,8\n"
                               ".type plain,@function\nplain:\n.skip 8,0x90\n.size plain,8\n"
                               ".type plain.cold.3,@function\nplain.cold.3:\n.skip 8,0x90\n"
                               ".size plain.cold.3,8\n"
                               ".section .note.GNU-stack\n";

static const char *build_assembly(void) {
  const char *source = fixture_write("symbols.s", assembly);
  assert_int_equal(fixture_run("cc -shared -nostdlib -Wl,-z,lazy -o '%s' '%s' -lc",
                               fixture_path("symbols.so"), source),
                   0);
  return fixture_path("symbols.so");
}

static void assert_name(struct world *world, uint64_t address, const char *wanted) {
  struct prof_named named[8];
  int count = resolve(world, address, named, 8);
  assert_int_equal(count, 1);
  assert_string_equal(named[0].name, wanted);
  assert_int_equal(named[0].named, wanted[0] != '[');
  assert_int_equal(named[0].module, 0);
}

static void aliases_gaps_and_stubs_are_named_as_perf_does(void **state) {
  const char *path = build_assembly();
  struct prof_named part[1], whole[1], stub[1];
  struct prof_symtab table;
  struct prof_image image;
  struct world world;
  uint64_t strong, unsized, outer, caller, cold;
  int stubs = 0;
  (void)state;
  world_open(&world, NULL);
  assert_int_equal(map_file(&world, path), 0);
  strong = world.bias + address_of(path, "strong");
  unsized = world.bias + address_of(path, "unsized");
  outer = world.bias + address_of(path, "outer");
  caller = world.bias + address_of(path, "caller");
  cold = world.bias + address_of(path, "_ZN1a1fEv.cold");
  assert_name(&world, strong, "strong_longer");
  assert_name(&world, strong + 3, "strong_longer");
  assert_name(&world, strong + 4, "[symbols.so]");
  assert_name(&world, unsized + 31, "unsized");
  assert_name(&world, outer + 7, "outer");
  assert_name(&world, outer + 8, "inner");
  assert_name(&world, outer + 12, "outer");        /* past the inner one */
  assert_name(&world, outer + 20, "[symbols.so]"); /* the unsized one ended where outer started */
  assert_name(&world, caller, "caller");
  resolve(&world, cold, part, 1);
  resolve(&world, world.bias + address_of(path, "_ZN1a1fEv"), whole, 1);
  assert_string_equal(part[0].name, "a::f");
  assert_int_equal(part[0].identity, whole[0].identity);
  assert_int_equal(part[0].kind, PROF_KIND_NATIVE);
  resolve(&world, world.bias + address_of(path, "plain.cold.3"), part, 1);
  resolve(&world, world.bias + address_of(path, "plain"), whole, 1);
  assert_string_equal(part[0].name, "plain");
  assert_int_equal(part[0].identity, whole[0].identity);
  prof_image_open_file(&image, path);
  assert_int_equal(prof_symtab_load(&table, &image, NULL), 0);
  for (size_t i = 0; i < table.count; i++)
    if (table.rows[i].plt) {
      resolve(&world, world.bias + table.base + table.rows[i].start + 6, stub, 1);
      assert_string_equal(stub[0].name, "getpid@plt");
      stubs++;
    }
  assert_int_equal(stubs, 1);
  prof_symtab_free(&table);
  world_close(&world);
}

/* Every 7th address of a file's symbols against libdwfl: same start of the function. */
static void compare_with_libdwfl(const char *path, size_t step, size_t at_least) {
  static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                           .find_debuginfo = dwfl_standard_find_debuginfo,
                                           .section_address = dwfl_offline_section_address};
  struct prof_symtab table;
  struct prof_image image;
  Dwfl *dwfl = dwfl_begin(&callbacks);
  Dwfl_Module *module;
  GElf_Addr bias = 0;
  size_t checked = 0, other_start = 0, other_name = 0;
  char raw[PROF_SYMBOL_NAME_MAX];
  assert_int_equal(prof_image_open_file(&image, path), 0);
  assert_int_equal(prof_symtab_load(&table, &image, NULL), 0);
  dwfl_report_begin(dwfl);
  module = dwfl_report_elf(dwfl, path, path, -1, 0x100000000000, false);
  assert_non_null(module);
  dwfl_report_end(dwfl, NULL, NULL);
  dwfl_module_getelf(module, &bias);
  for (size_t i = 0; i < table.count; i += step) {
    uint64_t address = table.base + table.rows[i].start;
    GElf_Sym symbol;
    int64_t row = prof_symtab_find(&table, address);
    const char *name = dwfl_module_addrsym(module, address + bias, &symbol, NULL);
    if (table.rows[i].plt || !name)
      continue;
    assert_true(row >= 0);
    assert_true(prof_symtab_name(&table, (size_t)row, raw, sizeof raw) > 0);
    checked++;
    other_start += symbol.st_value - bias != address;
    other_name += strcmp(name, raw) != 0; /* another alias may be preferred */
  }
  print_message("%s: %zu checked, %zu other aliases\n", path, checked, other_name);
  assert_true(checked >= at_least);
  assert_int_equal(other_start, 0);
  assert_true(other_name * 2 < checked);
  prof_symtab_free(&table);
  dwfl_end(dwfl);
}

static void the_c_library_agrees_with_libdwfl(void **state) {
  char path[512] = "";
  struct prof_named named[4];
  (void)state;
  Dl_info info;
  assert_true(dladdr((void *)(uintptr_t)getpid, &info) != 0);
  snprintf(path, sizeof path, "%s", info.dli_fname);
  compare_with_libdwfl(path, 7, 200);
  (void)named;
}

static void node_agrees_with_libdwfl(void **state) {
  struct stat found;
  (void)state;
  if (stat("/usr/bin/node", &found) || found.st_size < 1000000) {
    print_message("skipped: no /usr/bin/node\n");
    skip();
  }
  compare_with_libdwfl("/usr/bin/node", 97, 500);
}

static void the_binding_agrees_with_libdwfl(void **state) {
  struct stat found;
  (void)state;
  if (stat(DEBUG_BINDING, &found)) {
    print_message("skipped: no @rspack-debug binding is installed\n");
    skip();
  }
  compare_with_libdwfl(DEBUG_BINDING, 1501, 50);
}

static const char inline_source[] =
    "volatile int sink;\n"
    "static inline __attribute__((always_inline)) void deepest(int x) {\n"
    "  sink = x;\n  __asm__ volatile(\".globl probe\\nprobe:\\nnop\");\n  sink = x + 1;\n}\n"
    "static inline __attribute__((always_inline)) void middle(int x) { deepest(x * 3); }\n"
    "__attribute__((noinline)) int whole(int x) { middle(x); return sink; }\n"
    "int caller(int x) { return whole(x) + 1; }\n";

static void assert_inlined(const char *name, const char *flags, const char *after) {
  const char *source = fixture_write("inline.c", inline_source), *path = fixture_path(name);
  struct prof_named named[8];
  struct world world;
  struct prof_symtab table;
  struct prof_image image;
  uint64_t probe, last;
  assert_int_equal(fixture_run("cd '%s' && cc -shared -fPIC -O2 -g %s -o '%s' '%s'", fixture_folder,
                               flags, path, source),
                   0);
  probe = address_of(path, "probe");
  assert_int_equal(prof_image_open_file(&image, path), 0);
  assert_int_equal(prof_symtab_load(&table, &image, NULL), 0);
  int64_t row = prof_symtab_find(&table, address_of(path, "whole"));
  assert_true(row >= 0);
  last = table.base + table.rows[row].end - 1; /* its return instruction: inlined from nowhere */
  prof_symtab_free(&table);
  if (after)
    assert_int_equal(fixture_run("cd '%s' && %s", fixture_folder, after), 0);
  world_open(&world, NULL);
  assert_int_equal(map_file(&world, path), 0);
  assert_true(prof_modules_at(world.modules, 0)->flags & PROF_MODULE_DEBUG_INFO);
  int count = resolve(&world, world.bias + probe, named, 8);
  assert_int_equal(count, 3);
  assert_string_equal(named[0].name, "deepest");
  assert_string_equal(named[1].name, "middle");
  assert_int_equal(named[0].line, 2);
  assert_int_equal(named[1].line, 7);
  assert_int_equal(named[0].inlined, 1);
  assert_int_equal(named[1].inlined, 1);
  assert_int_equal(named[2].inlined, 0);
  assert_non_null(strstr(named[0].file, "inline.c"));
  assert_int_equal(named[2].line, 8);
  assert_string_equal(named[2].name, "whole"); /* not the label inside it */
  assert_true(named[0].identity != named[1].identity && named[1].identity != named[2].identity);
  assert_int_equal(resolve(&world, world.bias + last, named + 3, 4), 1);
  assert_int_equal(named[3].identity, named[2].identity);
  struct prof_named outer[1];
  assert_int_equal(resolve(&world, world.bias + probe, outer, 1), 1);
  assert_int_equal(outer[0].identity, named[2].identity);
  prof_symbols_inline_budget(world.symbols, 0);
  assert_int_equal(resolve(&world, world.bias + probe, named, 8), 1);
  world_close(&world);
}

static void inlined_functions_stand_inside_first(void **state) {
  (void)state;
  assert_inlined("dwarf5.so", "-gdwarf-5", NULL);
  assert_inlined("dwarf4.so", "-gdwarf-4", NULL);
}

static void debug_information_may_be_packed_or_elsewhere(void **state) {
  (void)state;
  assert_inlined("packed.so", "-gz", NULL);
  assert_inlined("split.so", "-gsplit-dwarf", NULL);
  if (!fixture_has("objcopy")) {
    print_message("skipped: no objcopy\n");
    skip();
  }
  assert_inlined("linked.so", "-Wl,--build-id",
                 "objcopy --only-keep-debug linked.so linked.debug && "
                 "objcopy --strip-all --add-gnu-debuglink=linked.debug linked.so");
}

static const char rust_source[] =
    "#![allow(named_asm_labels)]\n"
    "use std::arch::asm;\n"
    "pub struct Tree { pub leaf: u32 }\n"
    "impl Tree {\n"
    "    #[inline(always)] fn deepest(&self) -> u32 {\n"
    "        unsafe { asm!(\".globl probe\", \"probe:\", \"nop\") };\n        self.leaf + 1\n    "
    "}\n"
    "}\n"
    "#[inline(always)] fn middle(tree: &Tree) -> u32 { tree.deepest() * 3 }\n"
    "#[inline(never)] pub fn whole(tree: &Tree) -> u32 { middle(tree) + 1 }\n"
    "#[no_mangle] pub extern \"C\" fn entry(leaf: u32) -> u32 { whole(&Tree { leaf }) }\n";

static void rust_frames_have_crates_and_lines(void **state) {
  const char *schemes[] = {"v0", "legacy"};
  (void)state;
  if (!fixture_has("rustc")) {
    print_message("skipped: no rustc\n");
    skip();
  }
  for (int i = 0; i < 2; i++) {
    const char *source = fixture_write("tree_fixture.rs", rust_source);
    const char *path = fixture_path("libtree.so");
    struct prof_named named[8];
    struct world world;
    assert_int_equal(fixture_run("RUSTC_BOOTSTRAP=1 rustc --crate-type cdylib -O -g -C panic=abort "
                                 "-Z unstable-options -C symbol-mangling-version=%s -o '%s' '%s'",
                                 schemes[i], path, source),
                     0);
    world_open(&world, NULL);
    assert_int_equal(map_file(&world, path), 0);
    int count = resolve(&world, world.bias + address_of(path, "probe"), named, 8);
    assert_int_equal(count, 3);
    assert_string_equal(named[0].name,
                        i ? "tree_fixture::Tree::deepest" : "<tree_fixture::Tree>::deepest");
    assert_string_equal(named[1].name, "tree_fixture::middle");
    assert_int_equal(named[0].line, 5);
    assert_int_equal(named[1].line, 10);
    for (int j = 0; j < 2; j++) {
      assert_string_equal(named[j].crate, "tree_fixture");
      assert_int_equal(named[j].kind, PROF_KIND_RUST);
    }
    assert_int_equal(named[2].line, 11);
    assert_non_null(strstr(named[2].file, "tree_fixture.rs"));
    world_close(&world);
  }
}

static void one_function_is_one_identity(void **state) {
  const char *path = build_assembly();
  struct prof_named a, b, c;
  struct world world;
  (void)state;
  world_open(&world, NULL);
  map_file(&world, path);
  uint64_t outer = world.bias + address_of(path, "outer");
  resolve(&world, outer, &a, 1);
  resolve(&world, outer + 15, &b, 1);
  resolve(&world, outer + 9, &c, 1);
  assert_int_equal(a.identity, b.identity);
  assert_ptr_equal(a.name, b.name); /* named once */
  assert_int_not_equal(a.identity, c.identity);
  world_close(&world);
}

static struct prof_named resolve_code(struct world *world, uint64_t start, uint8_t kind,
                                      uint8_t tier, const char *name) {
  struct prof_code code = {
      .kind = kind, .tier = tier, .start = start, .size = 64, .name = name, .module = -1};
  struct prof_named named;
  assert_true(prof_space_add(world->space, &code) != PROF_CODE_NONE);
  assert_int_equal(resolve(world, start + 10, &named, 1), 1);
  return named;
}

static void tiers_of_a_javascript_function_are_one_function(void **state) {
  struct prof_named first, second, other, builtin;
  struct world world;
  (void)state;
  world_open(&world, NULL);
  first = resolve_code(&world, 0x1000, PROF_CODE_BYTECODE, 1, "Script:~run /app/a.js:10:3");
  second = resolve_code(&world, 0x2000, PROF_CODE_JIT, 4, "JS:*foo /app/a.js:20:5");
  other = resolve_code(&world, 0x3000, PROF_CODE_BYTECODE, 1, "JS:~foo /app/a.js:20:5");
  assert_int_equal(second.identity, other.identity);
  assert_int_not_equal(first.identity, second.identity);
  assert_int_equal(second.kind, PROF_KIND_JS);
  assert_string_equal(second.symbol, "foo");
  assert_string_equal(second.name, "foo /app/a.js:20:5");
  assert_int_equal(second.line, 20);
  assert_int_equal(second.tier, 4);
  assert_int_equal(other.tier, 1);
  resolve(&world, 0x3000, &other, 1); /* again: each code keeps its own tier */
  assert_int_equal(other.tier, 1);
  other = resolve_code(&world, 0x4000, PROF_CODE_JIT, 4, "JS:*foo /app/a.js:21:5");
  assert_int_not_equal(second.identity, other.identity);
  builtin = resolve_code(&world, 0x5000, PROF_CODE_BUILTIN, 5, "Builtin:LoadIC");
  assert_int_equal(builtin.kind, PROF_KIND_V8);
  assert_int_equal(builtin.module, -1);
  assert_int_equal(builtin.named, 1);
  assert_int_equal(map_file(&world, build_assembly()), 0);
  uint64_t inside = prof_modules_at(world.modules, 0)->start + 64;
  builtin = resolve_code(&world, inside, PROF_CODE_BUILTIN, 5, "Builtin:StoreIC");
  assert_int_equal(builtin.module, 0); /* embedded in the executable */
  assert_int_equal(builtin.kind, PROF_KIND_V8);
  world_close(&world);
}

static void kernel_and_unknown_places_have_names_too(void **state) {
  struct prof_kernel *kernel = prof_kernel_create(
      fixture_write("kallsyms", "ffffffff81000000 T start\nffffffff81000100 t fault\t[kvm]\n"));
  struct prof_named named;
  struct world world;
  (void)state;
  world_open(&world, kernel);
  const struct prof_code *code = prof_space_code(world.space, PROF_SPACE_KERNEL);
  assert_int_equal(prof_symbols_same(world.symbols, code, 0x81000010), 0x81000010);
  assert_true(prof_symbols_prefetch(world.symbols, code, PROF_SPACE_KERNEL, 0x81000010));
  assert_int_equal(prof_symbols_same(world.symbols, code, 0x81000010), 0x81000000);
  assert_int_equal(prof_symbols_same(world.symbols, code, 0x00000110), 0x00000110);
  assert_false(prof_symbols_prefetch(world.symbols, code, PROF_SPACE_KERNEL, 0x81000010));
  resolve(&world, 0xffffffff81000010, &named, 1);
  assert_string_equal(named.name, "start");
  assert_int_equal(named.kind, PROF_KIND_KERNEL);
  assert_int_equal(named.named, 1);
  resolve(&world, 0xffffffff81000110, &named, 1);
  assert_string_equal(named.name, "fault [kvm]");
  resolve(&world, 0xffffffff00000110, &named, 1);
  assert_string_equal(named.name, "[kernel]");
  assert_int_equal(named.named, 0);
  assert_int_equal(named.kind, PROF_KIND_KERNEL);
  resolve(&world, 0x1234, &named, 1);
  assert_string_equal(named.name, "[0x1234]");
  assert_int_equal(named.kind, PROF_KIND_UNKNOWN);
  assert_int_equal(named.named, 0);
  world_close(&world);
  prof_kernel_free(kernel);
}

static void a_file_replaced_after_it_was_seen_gives_no_names(void **state) {
  struct prof_named named;
  struct world world;
  char path[256];
  (void)state;
  strcpy(path, build_assembly());
  uint64_t strong = address_of(path, "strong");
  world_open(&world, NULL);
  map_file(&world, path);
  fixture_run("cp '%s' '%s.new' && mv '%s.new' '%s'", path, path, path, path);
  const struct prof_code code = {.kind = PROF_CODE_MODULE, .module = 0};
  assert_true(prof_symbols_prefetch(world.symbols, &code, 2, 0));
  assert_false(prof_symbols_prefetch(world.symbols, &code, 2, 0)); /* once */
  resolve(&world, world.bias + strong, &named, 1);
  assert_int_equal(named.named, 0);
  assert_int_equal(prof_symbols_stats(world.symbols).refused_tables, 1);
  world_close(&world);
}

/* More symbols than are read at once; each one is there, and a stub is another function. */
static void every_symbol_of_a_long_table_is_found(void **state) {
  enum { COUNT = 3000, BYTES = 16 };
  char *text = malloc(COUNT * 80 + 256), wanted[32], path[256];
  struct prof_named named, stub;
  struct prof_symtab table;
  struct prof_image image;
  struct world world;
  size_t at = 0, stubs = 0;
  (void)state;
  at += (size_t)sprintf(text, ".text\n");
  for (int i = 0; i < COUNT; i++)
    at += (size_t)sprintf(text + at,
                          ".globl f%d\n.type f%d,@function\nf%d:\n.skip %d,0x90\n"
                          ".size f%d,%d\n",
                          i, i, i, BYTES, i, BYTES);
  sprintf(text + at, "call f7@plt\n.section .note.GNU-stack\n");
  const char *source = fixture_write("long.s", text);
  strcpy(path, fixture_path("long.so"));
  assert_int_equal(fixture_run("cc -shared -nostdlib -Wl,-z,lazy -o '%s' '%s'", path, source), 0);
  world_open(&world, NULL);
  assert_int_equal(map_file(&world, path), 0);
  uint64_t first = world.bias + address_of(path, "f0");
  for (int i = 0; i < COUNT; i++) {
    sprintf(wanted, "f%d", i);
    assert_name(&world, first + (unsigned)i * BYTES + BYTES - 1, wanted);
  }
  resolve(&world, first + 7 * BYTES, &named, 1);
  assert_int_equal(prof_image_open_file(&image, path), 0);
  assert_int_equal(prof_symtab_load(&table, &image, NULL), 0);
  for (size_t i = 0; i < table.count; i++)
    if (table.rows[i].plt) {
      resolve(&world, world.bias + table.base + table.rows[i].start, &stub, 1);
      assert_string_equal(stub.name, "f7@plt");
      assert_int_not_equal(stub.identity, named.identity);
      stubs++;
    }
  assert_int_equal(stubs, 1);
  prof_symtab_free(&table);
  world_close(&world);
  free(text);
}

static void the_c_librarys_own_inlining_is_not_shown(void **state) {
  struct prof_named named[8];
  struct world world;
  size_t checked = 0;
  (void)state;
  assert_true(prof_debugfile_is_distribution("/usr/lib/debug/.build-id/ab/cd.debug"));
  assert_false(prof_debugfile_is_distribution("/usr/lib/debugger/cd.debug"));
  assert_false(prof_debugfile_is_distribution("/app/native.debug"));
  world_open(&world, NULL);
  prof_modules_load_self(world.modules, world.space);
  for (size_t i = 0; i < prof_modules_count(world.modules); i++) {
    const struct prof_module *module = prof_modules_at(world.modules, i);
    if (!module->debug_path || !prof_debugfile_is_distribution(module->debug_path))
      continue;
    for (uint64_t at = module->start; at < module->end; at += 4099, checked++)
      assert_int_equal(resolve(&world, at, named, 8), 1);
  }
  world_close(&world);
  if (!checked) {
    print_message("skipped: no debug packages of the distribution are installed\n");
    skip();
  }
}

/* Only its inode is left, which the kernel shows to the privileged. */
static void a_deleted_file_that_is_mapped_still_has_names(void **state) {
  char path[256];
  struct prof_named named;
  struct world world;
  (void)state;
  strcpy(path, fixture_path("gone.so"));
  assert_int_equal(fixture_run("echo 'static int inner(int x) { return x * 7; } "
                               "int (*answer(void))(int) { return inner; }' | "
                               "cc -shared -fPIC -O0 -x c -o '%s' -",
                               path),
                   0);
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  assert_non_null(handle);
  uint64_t (*answer)(void);
  *(void **)&answer = dlsym(handle, "answer");
  uint64_t inner = answer();
  unlink(path);
  world_open(&world, NULL);
  prof_modules_load_self(world.modules, world.space);
  int count = resolve(&world, inner, &named, 1);
  assert_int_equal(count, 1);
  const struct prof_module *module = prof_modules_at(world.modules, (size_t)named.module);
  char mapping[128];
  snprintf(mapping, sizeof mapping, "/proc/self/map_files/%llx-%llx",
           (unsigned long long)module->start, (unsigned long long)module->end);
  int fd = open(mapping, O_RDONLY);
  bool may = fd >= 0;
  if (may)
    close(fd);
  if (may)
    assert_string_equal(named.name, "inner");
  else
    assert_string_equal(named.name, "[gone.so]");
  world_close(&world);
  dlclose(handle);
  if (!may) {
    print_message("skipped: this process may not read /proc/self/map_files\n");
    skip();
  }
}

/* Two functions with unwind tables, one without between them, no symbols. */
static void stripped_functions_are_named_by_their_starts(void **state) {
  static const char text[] = ".text\n.globl first\n.type first,@function\nfirst:\n.cfi_startproc\n"
                             ".skip 40,0x90\n.cfi_endproc\n.size first,40\n"
                             ".globl bare\n.type bare,@function\nbare:\n.skip 40,0x90\n"
                             ".size bare,40\n"
                             ".globl last\n.type last,@function\nlast:\n.cfi_startproc\n"
                             ".skip 40,0x90\n.cfi_endproc\n.size last,40\n"
                             ".section .note.GNU-stack\n";
  const char *path = fixture_path("bare.so"), *source = fixture_write("bare.s", text);
  struct prof_named a, b, c, d;
  struct world world;
  char wanted[64];
  (void)state;
  assert_int_equal(fixture_run("cc -shared -nostdlib -Wl,--eh-frame-hdr -Wl,--version-script=%s "
                               "-o '%s' '%s'",
                               fixture_write("none.map", "{ local: *; };\n"), path, source),
                   0);
  uint64_t first = address_of(path, "first"), last = address_of(path, "last");
  uint64_t bare = address_of(path, "bare");
  assert_int_equal(fixture_run("strip '%s'", path), 0);
  world_open(&world, NULL);
  assert_int_equal(map_file(&world, path), 0);
  resolve(&world, world.bias + first, &a, 1);
  resolve(&world, world.bias + first + 39, &b, 1);
  snprintf(wanted, sizeof wanted, "[bare.so+0x%llx]", (unsigned long long)first);
  assert_string_equal(a.name, wanted);
  assert_int_equal(a.identity, b.identity);
  assert_int_equal(a.named, 0);
  assert_int_equal(a.module, 0);
  resolve(&world, world.bias + bare, &b, 1);
  resolve(&world, world.bias + bare + 39, &c, 1);
  assert_string_equal(b.name, "[bare.so]"); /* and not the one before it */
  assert_int_equal(b.identity, c.identity);
  resolve(&world, world.bias + last + 39, &c, 1);
  snprintf(wanted, sizeof wanted, "[bare.so+0x%llx]", (unsigned long long)last);
  assert_string_equal(c.name, wanted);
  resolve(&world, world.bias + last + 40, &d, 1); /* padding of the page */
  assert_string_equal(d.name, "[bare.so]");
  for (uint64_t at = first; at < last + 60; at++)
    assert_same_names(&world, world.bias + at);
  uint32_t unnamed = assert_same_names(&world, world.bias + bare);
  assert_int_equal(assert_same_names(&world, world.bias + last + 50), unnamed);
  world_close(&world);
}

static void one_place_stands_for_all_of_a_function(void **state) {
  struct world world;
  char path[256];
  (void)state;
  strcpy(path, build_assembly());
  uint64_t start = address_of(path, "strong"), end = address_of(path, "plain.cold.3") + 64;
  world_open(&world, NULL);
  map_file(&world, path);
  struct prof_place outer = prof_space_place(world.space, world.bias + address_of(path, "outer"));
  const struct prof_code *code = prof_space_code(world.space, outer.code);
  assert_int_equal(prof_symbols_same(world.symbols, code, outer.offset + 3), outer.offset + 3);
  while (prof_symbols_prefetch(world.symbols, code, outer.code, outer.offset))
    ;
  assert_int_equal(prof_symbols_same(world.symbols, code, outer.offset + 3), outer.offset);
  assert_int_equal(prof_symbols_same(world.symbols, code, outer.offset + 16), outer.offset);
  for (uint64_t at = start - 16; at < end; at++)
    assert_same_names(&world, world.bias + at);
  world_close(&world);
}

static void what_was_inlined_keeps_places_apart(void **state) {
  struct world world;
  char path[256];
  (void)state;
  strcpy(path, fixture_path("apart.so"));
  const char *source = fixture_write("apart.c", inline_source);
  assert_int_equal(
      fixture_run("cd '%s' && cc -shared -fPIC -O2 -g -o '%s' '%s'", fixture_folder, path, source),
      0);
  uint64_t probe = address_of(path, "probe");
  world_open(&world, NULL);
  map_file(&world, path);
  for (uint64_t at = probe - 64; at < probe + 64; at++) {
    struct prof_place place = prof_space_place(world.space, world.bias + at);
    assert_int_equal(assert_same_names(&world, world.bias + at), place.offset);
  }
  world_close(&world);
}

/* Its merged functions have many names at one place, and others lie within each other. */
static void places_of_large_files_stand_for_the_same_function(void **state) {
  static const char *const files[] = {DEBUG_BINDING, "/usr/bin/node"};
  uint64_t seed = 7;
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct world world;
    struct stat found;
    char *path = realpath(files[i], NULL);
    if (!path || stat(path, &found) || found.st_size < 1000000) {
      free(path); /* the tests against libdwfl say so */
      continue;
    }
    world_open(&world, NULL);
    int index = map_file(&world, path);
    free(path);
    assert_true(index >= 0);
    const struct prof_module *module = prof_modules_at(world.modules, (size_t)index);
    for (int j = 0; j < 800; j++)
      assert_same_names(&world, module->start +
                                    ((uint64_t)fixture_random(&seed) << 8 ^ fixture_random(&seed)) %
                                        (module->end - module->start));
    world_close(&world);
  }
}

/* The binding has both: an FDE starts where the symbol of its code does. */
static void starts_agree_with_symbols(void **state) {
  struct prof_starts *starts;
  struct prof_symtab table;
  struct prof_image image;
  size_t checked = 0, same = 0;
  (void)state;
  if (prof_image_open_file(&image, DEBUG_BINDING)) {
    print_message("skipped: no @rspack-debug binding is installed\n");
    skip();
  }
  assert_int_equal(prof_symtab_load(&table, &image, NULL), 0);
  assert_int_equal(prof_image_open_file(&image, DEBUG_BINDING), 0);
  starts = prof_starts_open(&image);
  assert_non_null(starts);
  for (size_t i = 0; i < table.count; i += 101) {
    uint64_t start, address = table.base + table.rows[i].start;
    if (table.rows[i].nested ||
        !prof_starts_find(starts, table.base + table.rows[i].end - 1, &start))
      continue;
    checked++;
    same += start == address;
  }
  print_message("%zu of %zu starts are symbols'\n", same, checked);
  assert_true(checked > 1000);
  assert_true(same * 100 >= checked * 98);
  prof_starts_close(starts);
  prof_symtab_free(&table);
}

/* A file in memory, to be written anew thousands of times: on a disk that took ten seconds, since
 * ext4 waits for the blocks of a file that is cut short and written again. path: its name. */
static int victim_open(char *path, size_t path_bytes) {
  int fd = memfd_create("damaged", MFD_CLOEXEC);
  assert_true(fd >= 0);
  snprintf(path, path_bytes, "/proc/self/fd/%d", fd);
  return fd;
}

static void damaged_unwind_tables_never_crash(void **state) {
  char victim[64], path[256];
  uint64_t random = 5, start;
  size_t opened = 0, size;
  struct prof_image image;
  (void)state;
  strcpy(path, fixture_path("bare.so"));
  int fd = victim_open(victim, sizeof victim);
  assert_int_equal(prof_image_open_file(&image, path), 0);
  size = image.size_bytes;
  unsigned char *bytes = malloc(size), *damaged = malloc(size);
  const Elf64_Shdr *section = prof_image_section(&image, ".eh_frame_hdr");
  assert_non_null(section);
  uint64_t from = section->sh_offset, bytes_of_tables = section->sh_size + 256;
  uint64_t address = section->sh_addr;
  assert_int_equal(prof_image_read(&image, 0, bytes, size), 0);
  prof_image_close(&image);
  for (int round = 0; round < 2000; round++) {
    memcpy(damaged, bytes, size);
    for (uint32_t changes = 1 + fixture_random(&random) % 4; changes; changes--)
      damaged[from + fixture_random(&random) % bytes_of_tables] =
          (unsigned char)(round % 2 ? 0xff : fixture_random(&random));
    assert_int_equal(pwrite(fd, damaged, size, 0), size);
    assert_int_equal(prof_image_open_file(&image, victim), 0);
    struct prof_starts *starts = prof_starts_open(&image);
    opened += starts != NULL;
    for (uint64_t at = 0; starts && at < address + 512; at += 8)
      prof_starts_find(starts, at, &start);
    prof_starts_close(starts);
  }
  assert_true(opened > 500);
  close(fd);
  free(bytes);
  free(damaged);
}

static void the_vdso_has_names(void **state) {
  struct prof_named named;
  struct world world;
  bool found = false;
  (void)state;
  world_open(&world, NULL);
  prof_modules_load_self(world.modules, world.space);
  for (size_t i = 0; i < prof_modules_count(world.modules); i++) {
    const struct prof_module *module = prof_modules_at(world.modules, i);
    for (uint64_t at = module->start;
         strcmp(module->name, "[vdso]") == 0 && at < module->end && !found; at += 16) {
      resolve(&world, at, &named, 1);
      found = strstr(named.name, "clock_gettime") != NULL;
    }
  }
  if (!found) {
    world_close(&world);
    print_message("skipped: this process has no vdso\n");
    skip();
  }
  world_close(&world);
}

static void damaged_tables_never_crash(void **state) {
  const char *path = build_assembly();
  unsigned char *bytes, *damaged;
  uint64_t random = 11;
  struct stat stat_buffer;
  size_t size, loaded = 0;
  char victim[64];
  int fd;
  (void)state;
  assert_int_equal(stat(path, &stat_buffer), 0);
  size = (size_t)stat_buffer.st_size;
  bytes = malloc(size);
  damaged = malloc(size);
  fd = open(path, O_RDONLY);
  assert_int_equal(read(fd, bytes, size), size);
  close(fd);
  fd = victim_open(victim, sizeof victim);
  for (int round = 0; round < 2000; round++) {
    struct prof_image image;
    struct prof_symtab table;
    char name[256];
    memcpy(damaged, bytes, size);
    for (uint32_t changes = 1 + fixture_random(&random) % 6; changes; changes--) {
      size_t at = fixture_random(&random) % size;
      if (round % 3 == 1)
        at = size - 1 - fixture_random(&random) % 2500; /* symbols and sections are at the end */
      damaged[at] = (unsigned char)(round % 3 == 2 ? 0xff : fixture_random(&random));
    }
    assert_int_equal(pwrite(fd, damaged, size, 0), size);
    if (prof_image_open_file(&image, victim) || prof_symtab_load(&table, &image, NULL))
      continue;
    loaded++;
    for (uint64_t at = 0; at < 0x3000; at += 64) {
      int64_t row = prof_symtab_find(&table, at);
      if (row >= 0)
        prof_symtab_name(&table, (size_t)row, name, sizeof name);
    }
    prof_symtab_free(&table);
  }
  assert_true(loaded > 500);
  close(fd);
  free(bytes);
  free(damaged);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(aliases_gaps_and_stubs_are_named_as_perf_does),
      cmocka_unit_test(the_c_library_agrees_with_libdwfl),
      cmocka_unit_test(node_agrees_with_libdwfl),
      cmocka_unit_test(the_binding_agrees_with_libdwfl),
      cmocka_unit_test(inlined_functions_stand_inside_first),
      cmocka_unit_test(debug_information_may_be_packed_or_elsewhere),
      cmocka_unit_test(rust_frames_have_crates_and_lines),
      cmocka_unit_test(one_function_is_one_identity),
      cmocka_unit_test(tiers_of_a_javascript_function_are_one_function),
      cmocka_unit_test(kernel_and_unknown_places_have_names_too),
      cmocka_unit_test(a_file_replaced_after_it_was_seen_gives_no_names),
      cmocka_unit_test(every_symbol_of_a_long_table_is_found),
      cmocka_unit_test(the_c_librarys_own_inlining_is_not_shown),
      cmocka_unit_test(a_deleted_file_that_is_mapped_still_has_names),
      cmocka_unit_test(stripped_functions_are_named_by_their_starts),
      cmocka_unit_test(one_place_stands_for_all_of_a_function),
      cmocka_unit_test(what_was_inlined_keeps_places_apart),
      cmocka_unit_test(places_of_large_files_stand_for_the_same_function),
      cmocka_unit_test(starts_agree_with_symbols),
      cmocka_unit_test(damaged_unwind_tables_never_crash),
      cmocka_unit_test(the_vdso_has_names),
      cmocka_unit_test(damaged_tables_never_crash),
  };
  return cmocka_run_group_tests_name("symbol", tests, fixture_setup, fixture_teardown);
}
