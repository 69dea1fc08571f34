/*
 * slots: the places where this process's modules keep the addresses of functions that they import
 * (the GOT, and pointers in data), turned to functions of ours and back.
 *
 * Turned are only relocations of symbols that the module itself does not define, in every module
 * but our own: libc's calls within itself, and an allocator that is linked into a module, stay.
 * Each slot is one aligned word that is stored whole: a call that is under way goes to the old or
 * the new function. Read-only ones (RELRO) are made writable for that store. A module is held by
 * dlopen(RTLD_NOLOAD) before it is touched, which waits until the dynamic linker has done its own
 * stores there, and is never let go: a slot must not be unmapped under us.
 *
 * The caller provides functions that stay mapped for ever (the program may keep a copy of their
 * addresses), and one thread. Refuses: other machines than x86_64 with RELA relocations.
 */
#ifndef RSPACK_PROF_HEAP_SLOTS_H
#define RSPACK_PROF_HEAP_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prof_slot_hook {
  const char *symbol;
  void *function;
};

struct prof_slots {
  const struct prof_slot_hook *hooks;
  size_t hook_count;
  /* Whether the function at address is the one that the hook passes on to; NULL: any is. */
  bool (*is_real)(const char *symbol, const void *address);
  struct prof_slot {
    void **place;
    void *before, *after;
    uint32_t relro; /* index of its module's read-only range + 1; 0: writable */
  } * rows;
  size_t count, capacity;
  struct prof_slot_module {
    uintptr_t base;               /* what its addresses are relative to */
    uintptr_t dynamic;            /* its dynamic section */
    uintptr_t start, end;         /* its mappings */
    uintptr_t writable;           /* where those that it may write begin */
    uintptr_t relro, relro_bytes; /* read-only after relocation, whole pages; 0: none */
    bool is_turned;
    bool is_left; /* may not be held, so its slots are left alone */
  } * modules;    /* that are held */
  size_t module_count, module_capacity;
  uint64_t loads;   /* dlopens up to the last look */
  uint64_t refused; /* counter: slots that could not or must not be written */
  uint64_t no_memory;
};

/* Turns what is not turned yet: at the start, and again to catch what was loaded since. Quick where
 * nothing was. */
void prof_slots_turn(struct prof_slots *self);

/* Back to what stood there; slots that somebody else has written to since are left alone. The
 * struct can turn again. */
void prof_slots_restore(struct prof_slots *self);

#endif
