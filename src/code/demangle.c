#include "code/demangle.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* libiberty/demangle.h pulls libiberty.h in, whose basename() and asprintf() quarrel with glibc's;
 * these three have had the same prototypes since binutils 2.18. */
char *rust_demangle(const char *mangled, int options);
char *cplus_demangle_v3(const char *mangled, int options);

#include "code/rustv0.h"

enum { RAW_MAX = 65536, NO_OPTIONS = 0 };

static size_t emit(const char *text, size_t length, char *out, size_t capacity) {
  if (capacity) {
    size_t kept = length < capacity ? length : capacity - 1;
    memcpy(out, text, kept);
    out[kept] = '\0';
  }
  return length;
}

/* ".llvm.1234": LLVM made a local symbol global, for LTO. Nothing that a person wrote. */
static size_t without_llvm(const char *raw, size_t length) {
  size_t at = length;
  while (at > 0 && isxdigit((unsigned char)raw[at - 1]))
    at--;
  return at >= 6 && at < length && memcmp(raw + at - 6, ".llvm.", 6) == 0 ? at - 6 : length;
}

size_t prof_demangle_base_length(const char *raw) {
  size_t length = without_llvm(raw, strlen(raw));
  size_t at = length;
  while (at > 0 && isdigit((unsigned char)raw[at - 1]))
    at--;
  if (at > 0 && at < length && raw[at - 1] == '.')
    at--; /* ".cold.12" */
  else
    at = length;
  if (at > 5 && memcmp(raw + at - 5, ".cold", 5) == 0)
    return at - 5;
  return length;
}

/* "17h" and 16 hex digits before the closing E: what rustc's legacy scheme ends in. The name itself
 * may hold dots ("alloc..string"). */
static bool is_rust_legacy(const char *raw, size_t length) {
  size_t end = without_llvm(raw, length);
  if (strncmp(raw, "_ZN", 3) != 0 || end < 23 || raw[end - 1] != 'E' ||
      memcmp(raw + end - 20, "17h", 3) != 0)
    return false;
  for (size_t i = end - 17; i < end - 1; i++)
    if (!isdigit((unsigned char)raw[i]) && !(raw[i] >= 'a' && raw[i] <= 'f'))
      return false;
  return true;
}

size_t prof_demangle(const char *raw, char *out, size_t capacity, enum prof_language *language) {
  enum prof_language ignored;
  size_t length = strnlen(raw, RAW_MAX + 1), shown;
  char *readable = NULL;
  if (!language)
    language = &ignored;
  *language = PROF_LANGUAGE_OTHER;
  if (length > RAW_MAX)
    return emit(raw, RAW_MAX, out, capacity);
  if (strncmp(raw, "_R", 2) == 0) {
    struct prof_rust_walk walk;
    if (prof_rustv0_walk(raw, &walk)) {
      *language = PROF_LANGUAGE_RUST;
      readable = rust_demangle(raw, NO_OPTIONS);
    }
  } else if (is_rust_legacy(raw, length)) {
    *language = PROF_LANGUAGE_RUST;
    readable = rust_demangle(raw, NO_OPTIONS);
  } else if (strncmp(raw, "_Z", 2) == 0 || strncmp(raw, "_GLOBAL_", 8) == 0) {
    readable = cplus_demangle_v3(raw, NO_OPTIONS);
    if (readable)
      *language = PROF_LANGUAGE_CXX;
  }
  if (readable)
    shown = emit(readable, strlen(readable), out, capacity);
  else
    shown = emit(raw, without_llvm(raw, length), out, capacity);
  free(readable);
  return shown;
}
