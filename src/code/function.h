/*
 * function: the functions that were named, each once: identity -> row.
 *
 * A function of a file is identified by its module and its linker name without the suffixes that
 * only split or copy it (".cold", ".llvm.N"), so that its split-off part, its copies and the places
 * where it was inlined are one function. Static C functions of one name in one file are one too, as
 * they are in any table by symbol.
 * The caller provides an arena that outlives the rows, and keys of its own below bit 63 for what it
 * finds faster than by name. Refuses nothing; -1 where memory ends.
 */
#ifndef RSPACK_PROF_CODE_FUNCTION_H
#define RSPACK_PROF_CODE_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/table.h"
#include "code/named.h"
#include "code/symtab.h"

#define PROF_IDENTITY_HASHED (1ull << 63)

struct prof_functions {
  struct prof_arena *arena;
  struct prof_named *rows;
  size_t count, capacity;
  struct prof_table by_identity; /* and by the keys of prof_functions_alias -> rows */
  char readable[PROF_SYMBOL_NAME_MAX];
};

void prof_functions_free(struct prof_functions *self);

/* Index of the row with this identity or key; -1: none. */
int64_t prof_functions_find(const struct prof_functions *self, uint64_t identity);

/* Adds a row under named->identity; its index. */
int64_t prof_functions_add(struct prof_functions *self, const struct prof_named *named);

/* Lets find(key) give the row at index. */
void prof_functions_alias(struct prof_functions *self, uint64_t key, int64_t index);

/* Index of the function of a linker name, which is demangled and given its crate at the first time.
 * raw is changed. is_stub: the stub that calls it, another function. */
int64_t prof_functions_link(struct prof_functions *self, int32_t module, char *raw, bool is_stub);

/* Of a linker name (or of the stub that calls it), in whatever module; and the identity of that
 * name in a module. The same again turns an identity into its hash. */
uint64_t prof_functions_hash(const char *raw, bool is_stub);
uint64_t prof_functions_identity(int32_t module, uint64_t hash);

/* A copy in the arena. */
const char *prof_functions_keep(struct prof_functions *self, const char *text);

#endif
