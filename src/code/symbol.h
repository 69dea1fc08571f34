/*
 * symbol: place (code object, offset) -> function: name, crate, kind, module, source; innermost
 * inlined function first where the module has .debug_info.
 *
 * The caller provides the modules, the kernel's names (NULL: none) and an arena that outlives what
 * is returned; one thread at a time. Tables are read lazily, once per module (prof_symbols_prefetch
 * reads ahead, while a recording runs). Each function is named once.
 * Refuses nothing: a place without a symbol gets "[object+0x1234]" (where its function starts, by
 * the unwind tables) or, all such places of an object together, "[object]"; named is 0 then.
 */
#ifndef RSPACK_PROF_CODE_SYMBOL_H
#define RSPACK_PROF_CODE_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "code/named.h"

struct prof_arena;
struct prof_code;
struct prof_kernel;
struct prof_modules;
struct prof_space;
struct prof_symbols;

struct prof_symbols_stats {
  uint64_t table_bytes;    /* symbol tables held */
  uint64_t inline_ns;      /* spent in DWARF */
  uint32_t inline_skipped; /* places whose inline frames were left out: the budget was used up */
  uint32_t refused_tables; /* modules whose symbol table was malformed or unreadable */
};

/* The modules may grow afterwards; the caller keeps all three alive. NULL where memory ends. */
struct prof_symbols *prof_symbols_create(const struct prof_modules *modules,
                                         struct prof_kernel *kernel, struct prof_arena *arena);
void prof_symbols_free(struct prof_symbols *self);

/* Names a place ahead, so that resolve has it at hand; first reads its module's symbol table or the
 * next slice of the kernel's names. true: that was work of some ms, and the place is to be passed
 * again. */
bool prof_symbols_prefetch(struct prof_symbols *self, const struct prof_code *code,
                           uint32_t code_id, uint32_t offset);

/* One offset for all places that certainly have the name of this one. Reads no file and no name. */
uint32_t prof_symbols_same(struct prof_symbols *self, const struct prof_code *code,
                           uint32_t offset);

/* Lets unknown places (code id 0) show their address; without it they are "[unknown]". */
void prof_symbols_set_space(struct prof_symbols *self, const struct prof_space *space);

/* Takes what it can from this folder (code/known.h; the caller keeps the text), and at the end puts
 * there what was found out. NULL or "": not. */
void prof_symbols_stash(struct prof_symbols *self, const char *folder);
void prof_symbols_save(const struct prof_symbols *self);

/* ns that DWARF may take altogether (default 200 ms); 0 turns inline frames off. */
void prof_symbols_inline_budget(struct prof_symbols *self, uint64_t budget_ns);

/* Fills out[0..n), innermost first, n >= 1 (capacity >= 1; what does not fit is left out from the
 * innermost side, so that the last entry is always the function that the code belongs to). */
int prof_symbols_resolve(struct prof_symbols *self, const struct prof_code *code, uint32_t code_id,
                         uint32_t offset, struct prof_named *out, int capacity);

struct prof_symbols_stats prof_symbols_stats(const struct prof_symbols *self);

#endif
