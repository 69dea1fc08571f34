/*
 * symbolize: time to name many places of one file, ours against libdwfl's symbol table.
 *
 *   symbolize FILE COUNT PEER_COUNT ADDRESSES
 *
 * Prints one line of JSON: loadMs and nameMs (COUNT places, each function demangled and given its
 * crate), and libdwfl's loadMs and microseconds a look-up over PEER_COUNT of the same places (it
 * searches linearly, so that COUNT would take minutes). Writes the places' virtual addresses to
 * ADDRESSES for symbolizers that are programs.
 */
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "code/image.h"
#include "code/module.h"
#include "code/space.h"
#include "code/symbol.h"

#define BASE 0x100000000000ull

static double now_ms(void) {
  return (double)prof_now_ns() / 1e6;
}

/* splitmix64 (Vigna 2015, public domain): the same places on every run */
static uint64_t next_random(uint64_t *state) {
  uint64_t z = *state += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return z ^ z >> 31;
}

/* The largest executable segment. */
static Elf64_Phdr code_of(const struct prof_image *image) {
  Elf64_Phdr code = {0};
  for (size_t i = 0; i < image->header.e_phnum; i++)
    if (image->segments[i].p_type == PT_LOAD && (image->segments[i].p_flags & PF_X) &&
        image->segments[i].p_memsz > code.p_memsz)
      code = image->segments[i];
  return code;
}

static void ours(const char *path, const struct prof_image *image, const uint64_t *addresses,
                 size_t count, double *load_ms, double *name_ms, size_t *named_count) {
  struct prof_modules *modules = prof_modules_create(NULL);
  struct prof_space *space = prof_space_create();
  struct prof_arena arena;
  struct prof_symbols *symbols;
  struct prof_code code_row;
  double start = now_ms();
  int module;
  prof_arena_init(&arena, 0);
  symbols = prof_symbols_create(modules, NULL, &arena);
  module = prof_modules_map_image(modules, space, image, path, BASE);
  code_row = (struct prof_code){.kind = PROF_CODE_MODULE, .module = module};
  prof_symbols_prefetch(symbols, &code_row, 0, 0);
  *load_ms = now_ms() - start;
  *named_count = 0;
  start = now_ms();
  for (size_t i = 0; i < count; i++) {
    struct prof_place place = prof_space_place(space, BASE + addresses[i]);
    struct prof_named named[16];
    int frames = prof_symbols_resolve(symbols, prof_space_code(space, place.code), place.code,
                                      place.offset, named, 16);
    *named_count += named[frames - 1].named;
  }
  *name_ms = now_ms() - start;
  prof_symbols_free(symbols);
  prof_modules_free(modules);
  prof_space_free(space);
  prof_arena_free(&arena);
}

static void libdwfl(const char *path, const uint64_t *addresses, size_t count, double *load_ms,
                    double *look_up_us) {
  static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_build_id_find_elf,
                                           .find_debuginfo = dwfl_standard_find_debuginfo,
                                           .section_address = dwfl_offline_section_address};
  Dwfl *dwfl = dwfl_begin(&callbacks);
  Dwfl_Module *module;
  GElf_Addr bias = 0;
  GElf_Off offset;
  GElf_Sym symbol;
  double start = now_ms();
  dwfl_report_begin(dwfl);
  module = dwfl_report_elf(dwfl, path, path, -1, BASE, false);
  dwfl_report_end(dwfl, NULL, NULL);
  dwfl_module_getelf(module, &bias);
  dwfl_module_getsymtab(module);
  *load_ms = now_ms() - start;
  start = now_ms();
  for (size_t i = 0; i < count; i++)
    dwfl_module_addrinfo(module, addresses[i] + bias, &offset, &symbol, NULL, NULL, NULL);
  *look_up_us = (now_ms() - start) * 1e3 / (double)count;
  dwfl_end(dwfl);
}

int main(int argc, char **argv) {
  size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, named = 0;
  size_t peer_count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
  double load_ms, name_ms, peer_load_ms, peer_us;
  uint64_t state = 1, *addresses = calloc(count ? count : 1, sizeof *addresses);
  struct prof_image image;
  Elf64_Phdr code = {0};
  FILE *file;
  if (argc != 5 || !addresses || count == 0 || peer_count == 0 || peer_count > count) {
    fprintf(stderr, "usage: symbolize FILE COUNT PEER_COUNT ADDRESSES\n");
    return 2;
  }
  if (prof_image_open_file(&image, argv[1]) == 0)
    code = code_of(&image);
  file = fopen(argv[4], "w");
  if (!code.p_memsz || !file) {
    fprintf(stderr, "symbolize: cannot read %s or write %s\n", argv[1], argv[4]);
    return 1;
  }
  for (size_t i = 0; i < count; i++) {
    addresses[i] = code.p_vaddr + next_random(&state) % code.p_memsz;
    fprintf(file, "0x%llx\n", (unsigned long long)addresses[i]);
  }
  fclose(file);
  ours(argv[1], &image, addresses, count, &load_ms, &name_ms, &named);
  prof_image_close(&image);
  libdwfl(argv[1], addresses, peer_count, &peer_load_ms, &peer_us);
  printf("{\"loadMs\":%.3f,\"nameMs\":%.3f,\"named\":%zu,\"peerLoadMs\":%.3f,\"peerUs\":%.3f}\n",
         load_ms, name_ms, named, peer_load_ms, peer_us);
  free(addresses);
  return 0;
}
