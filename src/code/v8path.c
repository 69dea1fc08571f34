#include "code/v8path.h"

#include <string.h>

#include "base/text.h"

enum { DATA_URL_SHOWN = 40, FILE_SHOWN = 1024 };

static bool is_scheme_letter(char c, bool is_first) {
  bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return is_letter || (!is_first && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'));
}

bool prof_v8path_starts(const char *text, size_t length) {
  /* names that node itself gives to source without a file */
  static const char *const made_up[] = {"[eval]", "[worker eval]", "[stdin]", "evalmachine."};
  size_t i = 0;
  if (length && text[0] == '/')
    return true;
  for (size_t k = 0; k < sizeof made_up / sizeof *made_up; k++)
    if (prof_text_starts((struct prof_text){text, length}, made_up[k]))
      return true;
  while (i < length && is_scheme_letter(text[i], i == 0))
    i++;
  /* "a: b" in a function's name is no URL; the colon before a line number is followed by digits */
  return i > 1 && i + 1 < length && text[i] == ':' && text[i + 1] > ' ' &&
         !(text[i + 1] >= '0' && text[i + 1] <= '9');
}

/* Length of the well-formed UTF-8 sequence at text, 0 where there is none (RFC 3629, table in
 * section 4). */
static size_t sequence_bytes(const unsigned char *text, size_t length) {
  unsigned char first = text[0], low = 0x80, high = 0xbf;
  size_t bytes = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first >= 0x80 && (first < 0xc2 || first > 0xf4))
    return 0;
  if (bytes > length)
    return 0;
  low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
  high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
  for (size_t i = 1; i < bytes; i++) {
    if (text[i] < low || text[i] > high)
      return 0;
    low = 0x80;
    high = 0xbf;
  }
  return bytes;
}

char *prof_v8path_clean(struct prof_arena *arena, const char *text, size_t length) {
  char *copy = prof_arena_copy_text(arena, text, length);
  if (!copy)
    return NULL;
  for (size_t i = 0; i < length;) {
    size_t bytes = sequence_bytes((const unsigned char *)copy + i, length - i);
    if (bytes == 0 || (bytes == 1 && ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f))) {
      copy[i] = '?';
      bytes = 1;
    }
    i += bytes;
  }
  return copy;
}

/* In place; returns the new length. */
static size_t decode_percent(char *text, size_t length) {
  size_t to = 0;
  for (size_t i = 0; i < length; i++, to++) {
    int high = text[i] == '%' && i + 2 < length ? prof_hex_digit(text[i + 1]) : -1;
    int low = high >= 0 ? prof_hex_digit(text[i + 2]) : -1;
    text[to] = text[i];
    if (low >= 0) {
      text[to] = (char)(high * 16 + low);
      i += 2;
    }
  }
  text[to] = '\0';
  return to;
}

/* The largest length <= wanted that cuts no UTF-8 sequence. */
static size_t cut_length(const char *text, size_t wanted) {
  while (wanted && ((unsigned char)text[wanted] & 0xc0) == 0x80)
    wanted--;
  return wanted;
}

char *prof_v8path_file(struct prof_arena *arena, const char *text, size_t length) {
  char buffer[FILE_SHOWN + 4];
  const struct prof_text whole = {text, length};
  size_t shown = prof_text_starts(whole, "data:") ? DATA_URL_SHOWN : FILE_SHOWN;
  bool is_file = prof_text_starts(whole, "file:///");
  if (is_file) {
    text += strlen("file://");
    length -= strlen("file://");
  }
  if (length > shown) {
    shown = cut_length(text, shown);
    memcpy(buffer, text, shown);
    memcpy(buffer + shown, "...", 3);
    length = shown + 3;
  } else {
    memcpy(buffer, text, length);
  }
  if (is_file)
    length = decode_percent(buffer, length < sizeof buffer ? length : sizeof buffer - 1);
  return prof_v8path_clean(arena, buffer, length);
}
