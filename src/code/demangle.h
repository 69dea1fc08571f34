/*
 * demangle: linker name -> what a person reads.
 *
 * Rust (v0 and legacy) without hashes, C++ without parameter lists: the same text that perf shows
 * (libiberty with no options). The caller owns the buffer. A name that is not mangled, or that the
 * demangler refuses, comes out as it is, less an ".llvm.NNN" suffix.
 * Refuses: names over 64 KB, and Rust v0 names whose back references would grow without bounds (see
 * rustv0.h).
 */
#ifndef RSPACK_PROF_CODE_DEMANGLE_H
#define RSPACK_PROF_CODE_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>

enum prof_language { PROF_LANGUAGE_OTHER, PROF_LANGUAGE_RUST, PROF_LANGUAGE_CXX };

/* Up to capacity - 1 bytes and a NUL. Returns the whole length (as snprintf); *language may be
 * NULL. */
size_t prof_demangle(const char *raw, char *out, size_t capacity, enum prof_language *language);

/* Length of raw without compiler suffixes that only split or copy a function: ".cold", ".llvm.1".
 */
size_t prof_demangle_base_length(const char *raw);

#endif
