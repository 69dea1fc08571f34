/*
 * rustv0: walks a Rust v0 linker name ("_R...") without printing it: is it well formed, how much
 * work is it, and which crates does it speak of.
 *
 * The grammar is RFC 2603's with the later additions (ADT constants, pattern types: rustc 1.95).
 * The walk follows back references as a demangler must, with a budget of steps and depth, so a name
 * whose references multiply is found out before a demangler without limits sees it.
 * Pure; results point into the name. Refuses (false): anything malformed or beyond the budget.
 */
#ifndef RSPACK_PROF_CODE_RUSTV0_H
#define RSPACK_PROF_CODE_RUSTV0_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

struct prof_rust_walk {
  struct prof_text source; /* the crate that it is charged to: docs/crates.md */
  size_t steps;
};

bool prof_rustv0_walk(const char *name, struct prof_rust_walk *out);

#endif
