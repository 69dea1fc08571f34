#include "code/crate.h"

#include <ctype.h>
#include <string.h>

#include "code/rustv0.h"

bool prof_crate_is_std(struct prof_text name) {
  static const char *const known[] = {
      "core",      "alloc",      "std",          "proc_macro",  "test",
      "hashbrown", "std_detect", "panic_unwind", "panic_abort", "compiler_builtins"};
  return prof_text_among(name, known, sizeof known / sizeof *known);
}

static bool is_primitive(struct prof_text word) {
  static const char *const known[] = {"bool",   "char",   "str", "u8",  "u16", "u32",   "u64",
                                      "u128",   "usize",  "i8",  "i16", "i32", "i64",   "i128",
                                      "isize",  "f32",    "f64", "dyn", "mut", "const", "impl",
                                      "unsafe", "extern", "fn",  "for", "as"};
  return word.length == 1 || /* T, F: a parameter */
         prof_text_among(word, known, sizeof known / sizeof *known);
}

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool starts(const char *at, const char *end, const char *word) {
  return prof_text_starts((struct prof_text){at, (size_t)(end - at)}, word);
}

/* First segment of the first path ("a::b") in [at, end), skipping references, "dyn", parameters and
 * primitives; foreign: the first that does not belong to std. */
static struct prof_text first_crate(const char *at, const char *end, bool foreign) {
  const char *start = at;
  while (at < end) {
    struct prof_text word = {at, 0};
    bool is_head = at - start < 2 || at[-1] != ':' || at[-2] != ':';
    if (!is_word(*at)) {
      at++;
      continue;
    }
    while (at < end && is_word(*at))
      at++;
    word.length = (size_t)(at - word.at);
    if (is_head && starts(at, end, "::") && !is_primitive(word) &&
        (!foreign || !prof_crate_is_std(word)))
      return word;
  }
  return (struct prof_text){0};
}

/* The '>' that closes the '<' at open; end where there is none. "->" closes nothing. */
static const char *closing(const char *open, const char *end) {
  int depth = 0;
  for (const char *at = open; at < end; at++) {
    if (*at == '<')
      depth++;
    else if (*at == '>' && at[-1] != '-' && --depth == 0)
      return at;
  }
  return end;
}

/* word at depth 0 between open + 1 and close: " as ", " for ". NULL: none. */
static const char *find_at_top(const char *open, const char *close, const char *word) {
  int depth = 0;
  for (const char *at = open + 1; at < close; at++) {
    if (*at == '<' || *at == '(' || *at == '[')
      depth++;
    else if ((*at == '>' && at[-1] != '-') || *at == ')' || *at == ']')
      depth--;
    else if (depth == 0 && starts(at, close, word))
      return at;
  }
  return NULL;
}

/* "<Type as Trait>::method". Text does not tell the impl's crate; the orphan rule leaves the type's
 * or the trait's: the type's, unless that belongs to std and the trait's does not. */
static struct prof_text of_impl(const char *text, const char *close) {
  const char *as = find_at_top(text, close, " as ");
  struct prof_text type = first_crate(text + 1, as ? as : close, false), trait;
  if (!as)
    return type;
  trait = first_crate(as + 4, close, false);
  if (!type.at || (prof_crate_is_std(type) && trait.at && !prof_crate_is_std(trait)))
    return trait.at ? trait : type;
  return type;
}

static struct prof_text of_path(const char *text) {
  const char *end = text + strlen(text);
  if (starts(text, end, "core::ptr::drop_in_place") || starts(text, end, "core::ptr::drop_glue")) {
    struct prof_text owner = first_crate(text + strcspn(text, "<"), end, true);
    if (owner.at)
      return owner;
  }
  if (*text == '<')
    return of_impl(text, closing(text, end));
  return first_crate(text, end, false);
}

static bool put(struct prof_text crate, char out[PROF_CRATE_TEXT]) {
  if (!crate.at || crate.length == 0 || crate.length >= PROF_CRATE_TEXT)
    return false;
  memcpy(out, crate.at, crate.length);
  out[crate.length] = '\0';
  return true;
}

bool prof_crate_find(const char *raw, const char *demangled, char out[PROF_CRATE_TEXT]) {
  struct prof_rust_walk walk;
  out[0] = '\0';
  if (raw && strncmp(raw, "_R", 2) == 0)
    return prof_rustv0_walk(raw, &walk) && put(walk.source, out);
  return demangled && put(of_path(demangled), out);
}
