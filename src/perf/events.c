#include "perf/events.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where this event's text ends: at a comma or brace outside of "pmu/terms/". */
static const char *find_end(const char *at) {
  bool in_terms = false;
  for (; *at; at++) {
    if (*at == '/')
      in_terms = !in_terms;
    else if (!in_terms && strchr(",{}", *at))
      break;
  }
  return at;
}

static const char *skip_blanks(const char *at) {
  while (isspace((unsigned char)*at))
    at++;
  return at;
}

static int add_item(struct prof_events_item *items, int count, const char *from, const char *end,
                    int group, struct prof_error *error) {
  struct prof_events_item *item = &items[count];
  while (end > from && isspace((unsigned char)end[-1]))
    end--;
  if (end == from)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "an event has no name: write them as 'cycles,instructions'");
  if (count == PROF_EVENTS_MAX)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL, "there are more than %d events",
                          PROF_EVENTS_MAX);
  if ((size_t)(end - from) >= sizeof item->text)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "an event's name has at most %zu characters, '%.20s..' has %zu",
                          sizeof item->text - 1, from, (size_t)(end - from));
  snprintf(item->text, sizeof item->text, "%.*s", (int)(end - from), from);
  item->group = group;
  return 0;
}

/* "cycles" and ":u" -> "cycles:u"; "cycles:p" and ":u" -> "cycles:pu", as perf has it. */
static int add_modifiers(struct prof_events_item *item, const char *modifiers, size_t length,
                         struct prof_error *error) {
  const char *colon = strrchr(item->text, ':'), *slash = strrchr(item->text, '/');
  size_t used = strlen(item->text);
  bool has_own = (slash && slash[1]) ||
                 (colon && !strchr(colon, '/') && colon[1 + strspn(colon + 1, "ukhp")] == '\0');
  int written = snprintf(item->text + used, sizeof item->text - used, "%s%.*s", has_own ? "" : ":",
                         (int)length, modifiers);
  if (used + (size_t)written < sizeof item->text)
    return 0;
  return prof_error_set(error, PROF_BAD_EVENT, 0, NULL, "'%.*s' is too long for '%.40s..'",
                        (int)length, modifiers, item->text);
}

static int refuse_repeats(const struct prof_events_item *items, int count,
                          struct prof_error *error) {
  for (int i = 1; i < count; i++)
    for (int j = 0; j < i; j++)
      if (!strcmp(items[i].text, items[j].text))
        return prof_error_set(error, PROF_BAD_EVENT, 0, NULL, "event '%s' is given twice",
                              items[i].text);
  return count;
}

int prof_events_split(const char *text, struct prof_events_item *items, struct prof_error *error) {
  int count = 0, groups = 0, first = -1 /* of the group that is open */, status;
  const char *at = skip_blanks(text);
  if (!*at)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                          "no event is given: `rspack-prof list` shows them");
  for (;;) {
    at = skip_blanks(at);
    if (*at == '{') {
      if (first >= 0)
        break;
      first = count;
      at = skip_blanks(at + 1);
    }
    const char *end = find_end(at);
    status = add_item(items, count, at, end, first >= 0 ? groups : -1, error);
    if (status)
      return status;
    count++;
    at = end;
    if (*at == '}') {
      if (first < 0)
        break;
      end = find_end(++at);
      const char *modifiers = *at == ':' ? at + 1 : at;
      for (int i = first; end > modifiers && i < count; i++)
        if ((status = add_modifiers(&items[i], modifiers, (size_t)(end - modifiers), error)))
          return status;
      first = -1;
      groups++;
      at = end;
    }
    if (!*at && first < 0)
      return refuse_repeats(items, count, error);
    if (*at != ',')
      break;
    at++;
  }
  return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                        "the braces of '%.80s' do not match: a group is written '{a,b}'", text);
}
