#include "heap/real.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>

/* The stub is the address of a symbol that its module only imports. */
static int is_stub(void *function) {
  Dl_info info;
  const ElfW(Sym) *symbol = NULL;
  return dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
         symbol->st_shndx == SHN_UNDEF;
}

/* Defined in this very module; NULL: in one that it needs, or nowhere. */
static void *find_in(const struct link_map *map, const char *symbol) {
  struct link_map *found_in = NULL;
  Dl_info info;
  void *handle = dlopen(map->l_name, RTLD_NOLOAD | RTLD_LAZY);
  if (!handle)
    return NULL;
  void *function = dlsym(handle, symbol);
  dlclose(handle); /* it is of those that came with the program: it stays */
  if (function && dladdr1(function, &info, (void **)&found_in, RTLD_DL_LINKMAP) &&
      found_in == map && !is_stub(function))
    return function;
  return NULL;
}

void *prof_real_find(const char *symbol) {
  void *function = dlsym(RTLD_DEFAULT, symbol);
  if (!function || !is_stub(function))
    return function;
  struct link_map *map = NULL;
  void *program = dlopen(NULL, RTLD_LAZY);
  if (!program || dlinfo(program, RTLD_DI_LINKMAP, &map))
    return NULL;
  for (function = NULL; map && !function; map = map->l_next) {
    if (map->l_name[0] == '/')
      function = find_in(map, symbol);
  }
  dlclose(program);
  return function;
}
