/*
 * v8name: V8's raw name of a code object -> function, file, line, column, tier. Pure.
 *
 * The caller gives the name as V8 gave it to a JitCodeEvent or wrote it to a perf-map ("JS:*foo
 * /a/b.js:1:2", "Builtin:Call_ReceiverIsAny", ...; names seen on node 18 to 26
 * (test/fixtures/v8/names.txt), see test/fixtures/v8/), the kind under which it was reported, and
 * an arena for the results. Refuses nothing: a name of unknown shape comes out as it is, control
 * characters and broken UTF-8 replaced by '?', cut at 4 KB.
 */
#ifndef RSPACK_PROF_CODE_V8NAME_H
#define RSPACK_PROF_CODE_V8NAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* funcs.tier in docs/raw-profile.md */
enum prof_tier {
  PROF_TIER_NONE,
  PROF_TIER_INTERPRETER,
  PROF_TIER_BASELINE,
  PROF_TIER_MAGLEV,
  PROF_TIER_TURBOFAN,
  PROF_TIER_BUILTIN,
  PROF_TIER_HANDLER,
  PROF_TIER_REGEXP,
  PROF_TIER_WASM
};

struct prof_v8name {
  const char *symbol; /* function alone: "foo", "(anonymous)", "Builtin:CEntry" keeps its prefix */
  const char *name;   /* "foo /a/b.js:1:2", or the symbol where there is no file */
  const char *file;   /* path or node:... module; NULL */
  uint32_t line, column; /* from 1; 0 unknown */
  uint8_t tier;          /* enum prof_tier */
  uint8_t is_js;         /* 1: kind js, 0: kind v8 */
};

/* code_kind: enum prof_code_kind of the code object (BYTECODE decides the tier, for example).
 * 0, or -1 where the arena's memory ends. */
int prof_v8name_parse(const char *raw, size_t length, uint8_t code_kind, struct prof_arena *arena,
                      struct prof_v8name *out);

/* What a raw name says of its code object: enum prof_code_kind and enum prof_tier, without the
 * rest. code_type is V8's: 0 bytecode, 1 machine code, 2 wasm. Runs for each code event. */
void prof_v8name_classify(const char *raw, size_t length, int code_type, uint8_t *code_kind,
                          uint8_t *tier);

#endif
