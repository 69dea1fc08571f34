/*
 * named: a function as symbol.h names it. Rows of data: texts are the arena's that the caller of
 * prof_symbols_create gave.
 *
 * Refuses: nothing.
 */
#ifndef RSPACK_PROF_CODE_NAMED_H
#define RSPACK_PROF_CODE_NAMED_H

#include <stdint.h>

enum prof_kind {
  PROF_KIND_RUST,
  PROF_KIND_JS,
  PROF_KIND_NATIVE,
  PROF_KIND_V8,
  PROF_KIND_KERNEL,
  PROF_KIND_UNKNOWN
};

struct prof_named {
  const char *name;   /* what a table shows: "crate::path::function", "function file:line:column" */
  const char *symbol; /* the function alone (differs from name for JavaScript) */
  const char *crate;  /* NULL where it is no Rust */
  const char *file;   /* NULL where unknown */
  uint32_t line, column; /* of the function, 1-based, 0 unknown */
  int32_t module;        /* -1: none. V8's builtins: the executable */
  uint8_t kind;          /* enum prof_kind */
  uint8_t tier;          /* docs/raw-profile.md, funcs.tier */
  uint8_t named;         /* 1: a symbol, 0: only an address */
  uint8_t inlined;       /* 1: into the entry after it */
  uint64_t identity;     /* equal exactly for places of the same function */
};

#endif
