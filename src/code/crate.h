/*
 * crate: the Rust crate in which somebody would change a function: where its source stands, or the
 * visitor's for a generic walk. The rules and why: docs/crates.md.
 *
 * From a v0 linker name exactly (it carries the crate of each impl); from demangled text (legacy
 * names, DWARF) by rule. Pure. Refuses: what is not Rust (false, out is "").
 */
#ifndef RSPACK_PROF_CODE_CRATE_H
#define RSPACK_PROF_CODE_CRATE_H

#include <stdbool.h>

#include "base/text.h"

#define PROF_CRATE_TEXT 128

/* raw: the linker name ("_R...") or NULL; demangled: its readable form (used where raw is no v0).
 */
bool prof_crate_find(const char *raw, const char *demangled, char out[PROF_CRATE_TEXT]);

/* core, alloc, std and the crates that are built with them. */
bool prof_crate_is_std(struct prof_text name);

#endif
