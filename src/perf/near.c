#include "perf/near.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "perf/event.h"
#include "perf/pfm.h"

#define NAME_MAX_LENGTH 63
#define BEST 3

static size_t min(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t prof_near_distance(const char *a, const char *b) {
  size_t la = strnlen(a, NAME_MAX_LENGTH), lb = strnlen(b, NAME_MAX_LENGTH);
  /* Three rows of the optimal string alignment table: two back, the last, this one. */
  size_t rows[3][NAME_MAX_LENGTH + 1];
  for (size_t j = 0; j <= lb; j++)
    rows[0][j] = j;
  for (size_t i = 1; i <= la; i++) {
    size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    now[0] = i;
    for (size_t j = 1; j <= lb; j++) {
      bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
      now[j] = min(min(last[j] + 1, now[j - 1] + 1), last[j - 1] + !same);
      if (i > 1 && j > 1 && tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 2]) &&
          tolower((unsigned char)a[i - 2]) == tolower((unsigned char)b[j - 1]))
        now[j] = min(now[j], before[j - 2] + 1);
    }
  }
  return rows[la % 3][lb];
}

struct best {
  const char *text;
  char names[BEST][NAME_MAX_LENGTH + 1]; /* nearest first */
  size_t distances[BEST];
  int count;
};

static void consider(struct best *best, const char *name) {
  size_t distance = prof_near_distance(best->text, name);
  size_t enough = strlen(best->text) / 3 > 2 ? strlen(best->text) / 3 : 2;
  int at;
  /* A name that the text is a part of is near too: "misses". */
  if (distance > enough && strlen(best->text) >= 4 && strcasestr(name, best->text))
    distance = enough;
  if (distance > enough)
    return;
  for (int i = 0; i < best->count; i++)
    if (!strcasecmp(best->names[i], name))
      return;
  for (at = best->count; at > 0 && best->distances[at - 1] > distance; at--)
    ;
  if (at == BEST)
    return;
  if (best->count < BEST)
    best->count++;
  for (int i = best->count - 1; i > at; i--) {
    best->distances[i] = best->distances[i - 1];
    memcpy(best->names[i], best->names[i - 1], sizeof best->names[i]);
  }
  best->distances[at] = distance;
  snprintf(best->names[at], sizeof best->names[at], "%s", name);
}

static bool consider_pfm(void *user, const char *pmu, const char *name, const char *description) {
  (void)pmu;
  (void)description;
  consider(user, name);
  return true;
}

int prof_near_error(const char *text, struct prof_error *error) {
  char name[NAME_MAX_LENGTH + 1], list[256] = "";
  struct best best = {.text = name};
  const struct prof_event_known *known;
  size_t used = 0;
  snprintf(name, sizeof name, "%.*s", (int)strcspn(text, ":/"), text);
  for (size_t i = 0; *name && (known = prof_event_known_at(i)); i++) {
    consider(&best, known->name);
    if (known->alias)
      consider(&best, known->alias);
  }
  if (*name)
    prof_pfm_each(consider_pfm, &best);
  for (int i = 0; i < best.count; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", best.names[i]);
  if (best.count)
    return prof_error_set(error, PROF_BAD_EVENT, 0, NULL, "unknown event '%s': did you mean %s?",
                          text, list);
  return prof_error_set(error, PROF_BAD_EVENT, 0, NULL,
                        "unknown event '%s': `rspack-prof list` shows the known ones", text);
}
