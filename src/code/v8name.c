#include "code/v8name.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "code/space.h"
#include "code/v8path.h"

enum { RAW_BYTES_MAX = 4096 };

/* What stands before the first colon. The order is that of how often they come. */
enum shape { FUNCTION, SCRIPT, EVAL, BUILTIN, HANDLER, REGEXP, REGEXP_SOURCE, OTHER };

static const struct {
  const char *prefix;
  uint8_t shape;
} prefixes[] = {
    {"JS:", FUNCTION},          /* node 20 and newer */
    {"LazyCompile:", FUNCTION}, /* node 18 */
    {"Function:", FUNCTION},    /* node 18 */
    {"Builtin:", BUILTIN},
    {"BytecodeHandler:", HANDLER},
    {"Script:", SCRIPT},
    {"Eval:", EVAL},
    {"RegExp:", REGEXP},
    {"RegExp.>", REGEXP_SOURCE}, /* node 24: " src: 'o(\w)' flags: 'g'" */
    {"RegExp.<", REGEXP_SOURCE}, /* node 26 */
};

/* Takes the prefix off. */
static enum shape take_shape(struct prof_text *view) {
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    if (prof_text_starts(*view, prefixes[i].prefix)) {
      *view = prof_text_skip(*view, strlen(prefixes[i].prefix));
      return prefixes[i].shape;
    }
  }
  return OTHER;
}

/* Takes V8's mark off: ~ interpreter, ^ baseline, + maglev, * turbofan. Node 26 puts an o before
 * it for code that was entered by on-stack replacement ("o*hot", also "o+hot"); perf-maps of older
 * versions have +' and so on for context-specialised code. */
static enum prof_tier take_tier(struct prof_text *view) {
  static const char marks[] = "~^+*";
  static const uint8_t tiers[] = {PROF_TIER_INTERPRETER, PROF_TIER_BASELINE, PROF_TIER_MAGLEV,
                                  PROF_TIER_TURBOFAN};
  size_t at = view->length > 1 && view->at[0] == 'o' ? 1 : 0;
  const char *mark = view->length > at ? memchr(marks, view->at[at], 4) : NULL;
  if (!mark)
    return PROF_TIER_NONE;
  at++;
  if (at < view->length && view->at[at] == '\'')
    at++;
  *view = prof_text_skip(*view, at);
  return tiers[mark - marks];
}

void prof_v8name_classify(const char *raw, size_t length, int code_type, uint8_t *code_kind,
                          uint8_t *tier) {
  struct prof_text view = {.at = raw, .length = length};
  enum shape shape = take_shape(&view);
  enum prof_tier mark = shape <= EVAL ? take_tier(&view) : PROF_TIER_NONE;
  enum { TYPE_BYTECODE = 0, TYPE_WASM = 2 };
  if (code_type == TYPE_BYTECODE) {
    *code_kind = PROF_CODE_BYTECODE;
    *tier = PROF_TIER_INTERPRETER;
  } else if (code_type == TYPE_WASM || prof_text_starts(view, "wasm-function[")) {
    *code_kind = PROF_CODE_WASM;
    *tier = PROF_TIER_WASM;
  } else if (shape == BUILTIN) {
    *code_kind = PROF_CODE_BUILTIN;
    *tier = PROF_TIER_BUILTIN;
  } else if (shape == HANDLER) {
    *code_kind = PROF_CODE_HANDLER;
    *tier = PROF_TIER_HANDLER;
  } else if (shape == REGEXP || shape == REGEXP_SOURCE) {
    *code_kind = PROF_CODE_REGEXP;
    *tier = PROF_TIER_REGEXP;
  } else {
    *code_kind = PROF_CODE_JIT;
    *tier = (uint8_t)mark;
  }
}

/* "file" beside the digits at the end of view, if there are some behind a colon. */
static bool take_number(struct prof_text *view, uint32_t *number) {
  size_t at = view->length;
  uint64_t value = 0, scale = 1;
  while (at > 0 && view->at[at - 1] >= '0' && view->at[at - 1] <= '9') {
    at--;
    if (scale <= 1000000000)
      value += scale * (uint64_t)(view->at[at] - '0');
    scale *= scale <= 1000000000 ? 10 : 1;
  }
  if (at == view->length || at == 0 || view->at[at - 1] != ':' || value > UINT32_MAX)
    return false;
  *number = (uint32_t)value;
  view->length = at - 1;
  return true;
}

/* "file:12:5", or "file:12" as node 18 has it. */
static void take_place(struct prof_text *view, struct prof_v8name *out) {
  uint32_t last, before;
  if (!take_number(view, &last))
    return;
  if (take_number(view, &before)) {
    out->line = before;
    out->column = last;
  } else {
    out->line = last;
  }
}

/* Where the file begins in "name file": names and files may hold spaces, so the first space behind
 * which a path or a URL begins, else the last one. view.length: no file. */
static size_t file_start(struct prof_text view) {
  size_t last = view.length;
  for (size_t i = 0; i < view.length; i++) {
    if (view.at[i] != ' ')
      continue;
    last = i + 1;
    if (prof_v8path_starts(view.at + i + 1, view.length - i - 1))
      break;
  }
  return last;
}

static char *concatenate(struct prof_arena *arena, const char *const *pieces, size_t count) {
  size_t length = 0;
  char *text, *at;
  for (size_t i = 0; i < count; i++)
    length += strlen(pieces[i]);
  text = at = prof_arena_alloc(arena, length + 1);
  if (!text)
    return NULL;
  for (size_t i = 0; i < count; i++) {
    size_t bytes = strlen(pieces[i]);
    memcpy(at, pieces[i], bytes);
    at += bytes;
  }
  *at = '\0';
  return text;
}

static const char *print_number(char *end, uint32_t number) {
  *--end = '\0';
  do {
    *--end = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  *--end = ':';
  return end;
}

/* "symbol file:line:column" */
static int compose(struct prof_arena *arena, struct prof_v8name *out) {
  char line[16], column[16];
  const char *pieces[5] = {out->symbol};
  size_t count = 1;
  if (!out->file) {
    out->name = out->symbol;
    return out->symbol ? 0 : -1;
  }
  pieces[count++] = " ";
  pieces[count++] = out->file;
  if (out->line)
    pieces[count++] = print_number(line + sizeof line, out->line);
  if (out->line && out->column)
    pieces[count++] = print_number(column + sizeof column, out->column);
  out->name = concatenate(arena, pieces, count);
  return out->name ? 0 : -1;
}

static int parse_function(struct prof_text view, enum shape shape, struct prof_arena *arena,
                          struct prof_v8name *out) {
  struct prof_text name, file;
  size_t split;
  (void)take_tier(&view); /* known by the classification */
  out->is_js = 1;
  take_place(&view, out);
  /* a script has no name, and its file may hold spaces */
  split = shape == FUNCTION ? file_start(view) : view.length && view.at[0] == ' ' ? 1 : 0;
  file = prof_text_skip(view, split);
  name = (struct prof_text){.at = view.at, .length = split ? split - 1 : 0};
  if (split == view.length && (split == 0 || view.at[split - 1] != ' '))
    name.length = shape == FUNCTION ? view.length : 0; /* no space at all: no file */
  if (name.length)
    out->symbol = prof_v8path_clean(arena, name.at, name.length);
  else
    out->symbol = shape == SCRIPT ? "(script)" : shape == EVAL ? "(eval)" : "(anonymous)";
  if (file.length && !(out->file = prof_v8path_file(arena, file.at, file.length)))
    return -1;
  if (!file.length) /* a line of source that nobody can name */
    out->line = out->column = 0;
  return out->symbol ? compose(arena, out) : -1;
}

static int parse_prefixed(struct prof_text view, const char *prefix, struct prof_arena *arena,
                          struct prof_v8name *out) {
  const char *pieces[2] = {prefix, prof_v8path_clean(arena, view.at, view.length)};
  out->symbol = pieces[1] ? concatenate(arena, pieces, 2) : NULL;
  return compose(arena, out);
}

/* "RegExp /source/flags" from either shape */
static int parse_regexp(struct prof_text view, enum shape shape, struct prof_arena *arena,
                        struct prof_v8name *out) {
  static const char source[] = " src: '", flags[] = "' flags: '";
  struct prof_text tail = {0};
  if (shape == REGEXP && prof_text_starts(view, "Regular expression code")) {
    out->symbol = "RegExp";
    return compose(arena, out);
  }
  if (shape == REGEXP_SOURCE && prof_text_starts(view, source)) {
    view = prof_text_skip(view, sizeof source - 1);
    for (size_t i = view.length; i-- > 0;) {
      if (prof_text_starts(prof_text_skip(view, i), flags)) {
        tail = prof_text_skip(view, i + sizeof flags - 1);
        tail.length -= tail.length && tail.at[tail.length - 1] == '\'';
        view.length = i;
        break;
      }
    }
  }
  const char *pieces[4] = {"RegExp /", prof_v8path_clean(arena, view.at, view.length), "/",
                           prof_v8path_clean(arena, tail.at ? tail.at : "", tail.length)};
  out->symbol = pieces[1] && pieces[3] ? concatenate(arena, pieces, 4) : NULL;
  return compose(arena, out);
}

int prof_v8name_parse(const char *raw, size_t length, uint8_t code_kind, struct prof_arena *arena,
                      struct prof_v8name *out) {
  struct prof_text view = {.at = raw, .length = length > RAW_BYTES_MAX ? RAW_BYTES_MAX : length};
  enum shape shape;
  uint8_t kind, tier;
  int status;
  *out = (struct prof_v8name){0};
  prof_v8name_classify(view.at, view.length, 1, &kind, &tier);
  if (code_kind == PROF_CODE_WASM)
    kind = PROF_CODE_WASM;
  shape = take_shape(&view);
  if (kind == PROF_CODE_WASM) {
    tier = PROF_TIER_WASM;
    status = parse_prefixed(view, "", arena, out);
  } else if (shape == BUILTIN || shape == HANDLER) {
    /* as the node executable's own symbols spell them, so that both ways give one name */
    status = parse_prefixed(view, "Builtins_", arena, out);
  } else if (shape == REGEXP || shape == REGEXP_SOURCE) {
    status = parse_regexp(view, shape, arena, out);
  } else if (shape == OTHER) {
    status = parse_prefixed(view, "", arena, out);
  } else {
    status = parse_function(view, shape, arena, out);
  }
  out->tier = code_kind == PROF_CODE_BYTECODE ? PROF_TIER_INTERPRETER : tier;
  out->is_js = out->is_js || kind == PROF_CODE_WASM;
  return status;
}
