#include "heap/slots.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/object.h"

enum { LEAST_NODE_ABI = 83, MOST_NODE_ABI = 250 }; /* node 14, and room for those to come */

/* The names are collected first: dlopen() must not be called with the list's lock held. */
struct found {
  struct prof_slot_module module;
  char *name; /* as dlopen takes it */
};

struct finds {
  struct prof_slots *slots;
  struct found *rows;
  size_t count, capacity;
  bool has_begun;
};

static uintptr_t page_down(uintptr_t address) {
  return address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
}

static bool is_held(const struct prof_slots *self, uintptr_t base) {
  for (size_t i = 0; i < self->module_count; i++) {
    if (self->modules[i].base == base)
      return true;
  }
  return false;
}

static int visit_module(struct dl_phdr_info *info, size_t size, void *user) {
  struct finds *finds = user;
  struct prof_object object = prof_object_of(info);
  struct found found = {
      .module = {.base = info->dlpi_addr, .start = object.start, .end = object.end}};
  if (!finds->has_begun && size >= offsetof(struct dl_phdr_info, dlpi_subs)) {
    if (finds->slots->loads == info->dlpi_adds)
      return 1; /* nothing was loaded since */
    finds->slots->loads = info->dlpi_adds;
  }
  finds->has_begun = true;
  /* Our own code's module calls the allocator itself. */
  if (is_held(finds->slots, info->dlpi_addr) ||
      prof_object_holds(&object, (uintptr_t)(void *)prof_slots_turn))
    return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + part->p_vaddr;
    if (part->p_type == PT_LOAD && part->p_flags & PF_W && !found.module.writable)
      found.module.writable = start; /* such parts come last, in each linker's layout */
    if (part->p_type == PT_DYNAMIC)
      found.module.dynamic = start;
    if (part->p_type == PT_GNU_RELRO) { /* as glibc protects it: _dl_protect_relro */
      found.module.relro = page_down(start);
      found.module.relro_bytes = page_down(start + part->p_memsz) - found.module.relro;
    }
  }
  found.name = found.module.dynamic ? strdup(info->dlpi_name) : NULL;
  if (!found.name || prof_array_reserve((void **)&finds->rows, &finds->capacity, finds->count + 1,
                                        sizeof *finds->rows)) {
    finds->slots->no_memory += found.module.dynamic != 0;
    free(found.name);
    return 0;
  }
  finds->rows[finds->count++] = found;
  return 0;
}

static struct finds find_modules(struct prof_slots *self) {
  struct finds finds = {.slots = self};
  dl_iterate_phdr(visit_module, &finds);
  return finds;
}

/* What a module says of itself; addresses in its memory. */
struct relocations {
  const Elf64_Sym *symbols;
  const char *names;
  const Elf64_Rela *tables[2];
  size_t counts[2];
};

static uintptr_t absolute(uintptr_t base, uintptr_t value) {
  return value < base ? base + value : value; /* glibc has relocated most of them */
}

static void read_dynamic(const struct prof_slot_module *module, struct relocations *out) {
  size_t bytes[2] = {0}, relative = 0;
  *out = (struct relocations){0};
  for (const Elf64_Dyn *entry = (const Elf64_Dyn *)module->dynamic; entry->d_tag != DT_NULL;
       entry++) {
    uintptr_t address = absolute(module->base, entry->d_un.d_ptr);
    switch (entry->d_tag) {
    case DT_SYMTAB:
      out->symbols = (const Elf64_Sym *)address;
      break;
    case DT_STRTAB:
      out->names = (const char *)address;
      break;
    case DT_RELA:
      out->tables[0] = (const Elf64_Rela *)address;
      break;
    case DT_RELASZ:
      bytes[0] = entry->d_un.d_val;
      break;
    case DT_RELACOUNT: /* so many come first that have no symbol: 200,000 of a binding's */
      relative = entry->d_un.d_val;
      break;
    case DT_JMPREL:
      out->tables[1] = (const Elf64_Rela *)address;
      break;
    case DT_PLTRELSZ:
      bytes[1] = entry->d_un.d_val;
      break;
    default:
      break;
    }
  }
  for (int i = 0; i < 2; i++)
    out->counts[i] = out->tables[i] ? bytes[i] / sizeof(Elf64_Rela) : 0;
  if (relative && relative <= out->counts[0]) {
    out->tables[0] += relative;
    out->counts[0] -= relative;
  }
}

static const struct prof_slot_hook *hook_for(const struct prof_slots *self, const char *symbol) {
  for (size_t i = 0; i < self->hook_count; i++) {
    if (strcmp(self->hooks[i].symbol, symbol) == 0)
      return &self->hooks[i];
  }
  return NULL;
}

static bool set_writable(const struct prof_slots *self, uint32_t relro, bool is_writable) {
  if (!relro)
    return true;
  const struct prof_slot_module *module = &self->modules[relro - 1];
  return mprotect((void *)module->relro, module->relro_bytes,
                  is_writable ? PROT_READ | PROT_WRITE : PROT_READ) == 0;
}

/* The dynamic linker may bind a lazy slot at the same time: whoever is later has it. */
static bool exchange(void **place, void *before, void *after) {
  return atomic_compare_exchange_strong((_Atomic(void *) *)place, &before, after);
}

static void turn_slot(struct prof_slots *self, uint32_t module, void **place,
                      const struct prof_slot_hook *hook) {
  const struct prof_slot_module *in = &self->modules[module];
  bool is_relro = (uintptr_t)place - in->relro < in->relro_bytes;
  bool is_writable = in->writable && (uintptr_t)place - in->writable < in->end - in->writable;
  void *before = atomic_load((_Atomic(void *) *)place);
  if (!before || before == hook->function)
    return;
  /* A relocated text is read-only again; an allocator of the module's own (RTLD_DEEPBIND) has its
   * own free(). Not bound yet: the slot leads into the module. */
  bool is_lazy = (uintptr_t)before - in->start < in->end - in->start;
  if (!(is_relro || is_writable) ||
      !(is_lazy || !self->is_real || self->is_real(hook->symbol, before))) {
    self->refused++;
    return;
  }
  if (prof_array_reserve((void **)&self->rows, &self->capacity, self->count + 1,
                         sizeof *self->rows)) {
    self->no_memory++;
    return;
  }
  uint32_t relro = is_relro ? module + 1 : 0;
  if (!set_writable(self, relro, true)) {
    self->refused++;
    return;
  }
  if (exchange(place, before, hook->function))
    self->rows[self->count++] = (struct prof_slot){place, before, hook->function, relro};
  set_writable(self, relro, false);
}

static void turn_module(struct prof_slots *self, uint32_t index) {
  struct prof_slot_module *module = &self->modules[index];
  struct relocations from;
  read_dynamic(module, &from);
  module->is_turned = true;
  if (!from.symbols || !from.names)
    return;
  for (int table = 0; table < 2; table++) {
    for (size_t i = 0; i < from.counts[table]; i++) {
      const Elf64_Rela *row = &from.tables[table][i];
      uint64_t type = ELF64_R_TYPE(row->r_info);
      const Elf64_Sym *symbol = &from.symbols[ELF64_R_SYM(row->r_info)];
      bool is_address = type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT ||
                        (type == R_X86_64_64 && row->r_addend == 0);
      if (!is_address || symbol->st_shndx != SHN_UNDEF || !symbol->st_name)
        continue;
      const struct prof_slot_hook *hook = hook_for(self, from.names + symbol->st_name);
      if (hook)
        turn_slot(self, index, (void **)(module->base + row->r_offset), hook);
    }
  }
}

/* An addon that registers itself in a constructor, as node's oldest way is: it has to be unloaded
 * and loaded again for each worker, or node does not find it the second time (node_binding.cc,
 * DLOpen). */
static bool must_come_again(const char *name, void *handle) {
  char versioned[40];
  size_t length = strlen(name);
  if (length < 5 || strcmp(name + length - 5, ".node") != 0 ||
      dlsym(handle, "napi_register_module_v1"))
    return false;
  for (int abi = LEAST_NODE_ABI; abi <= MOST_NODE_ABI; abi++) {
    snprintf(versioned, sizeof versioned, "node_register_module_v%d", abi);
    if (dlsym(handle, versioned))
      return false;
  }
  return true;
}

/* dlopen took the lock under which the dynamic linker wrote that: TSan does not see its locks. */
__attribute__((noinline, no_sanitize("thread"))) static bool is_at(const struct link_map *map,
                                                                   uintptr_t base) {
  return map->l_addr == base;
}

/* Once it is held, the dynamic linker has done with it, and it stays. */
static void hold(struct prof_slots *self, const struct found *found) {
  void *handle = dlopen(found->name[0] ? found->name : NULL, RTLD_NOLOAD | RTLD_LAZY);
  struct link_map *map;
  if (!handle)
    return; /* the vdso; or it went again */
  bool is_another = dlinfo(handle, RTLD_DI_LINKMAP, &map) || !is_at(map, found->module.base);
  if (is_another || prof_array_reserve((void **)&self->modules, &self->module_capacity,
                                       self->module_count + 1, sizeof *self->modules)) {
    self->no_memory += !is_another;
    dlclose(handle);
    return;
  }
  struct prof_slot_module *module = &self->modules[self->module_count++];
  *module = found->module;
  module->is_left = must_come_again(found->name, handle);
  if (module->is_left) {
    self->refused++;
    dlclose(handle);
  }
}

void prof_slots_turn(struct prof_slots *self) {
#if defined(__x86_64__)
  struct finds finds = find_modules(self);
  for (size_t i = 0; i < finds.count; i++) {
    hold(self, &finds.rows[i]);
    free(finds.rows[i].name);
  }
  free(finds.rows);
  for (uint32_t i = 0; i < self->module_count; i++) {
    if (!self->modules[i].is_turned && !self->modules[i].is_left)
      turn_module(self, i);
  }
#else
  (void)self;
#endif
}

void prof_slots_restore(struct prof_slots *self) {
  for (size_t i = 0; i < self->count; i++) {
    struct prof_slot *slot = &self->rows[i];
    if (!set_writable(self, slot->relro, true)) {
      self->refused++; /* the hook there goes on: it only passes calls through */
      continue;
    }
    exchange(slot->place, slot->after, slot->before);
    set_writable(self, slot->relro, false);
  }
  self->count = 0;
  for (size_t i = 0; i < self->module_count; i++)
    self->modules[i].is_turned = false;
}
