/*
 * events: "a,{b,c}:u,cpu/event=1,umask=2/" -> one text per event, with its group. Pure.
 *
 * The caller provides the text as perf writes it: commas between events, but for those inside of
 * slashes; braces around events that are to be counted together; modifiers after the brace are
 * added to each of its events. What a single text means is event.h's question.
 * Refuses: no event at all, empty names, the same text twice, braces that do not match or lie
 * inside each other, more than PROF_EVENTS_MAX events.
 */
#ifndef RSPACK_PROF_PERF_EVENTS_H
#define RSPACK_PROF_PERF_EVENTS_H

#include <stddef.h>

#include "base/status.h"

enum { PROF_EVENTS_MAX = 32, PROF_EVENTS_TEXT = 2048 };

struct prof_events_item {
  char text[96];
  int group; /* 0, 1, ..; -1: the event stands alone */
};

/* How many, or PROF_BAD_EVENT. */
int prof_events_split(const char *text, struct prof_events_item *items /* PROF_EVENTS_MAX */,
                      struct prof_error *error);

#endif
