#include "perf/plan.h"

#include <stdarg.h>
#include <stdio.h>

void prof_plan_note(struct prof_plan *self, const char *code, const char *fix, const char *format,
                    ...) {
  struct prof_plan_note *note;
  va_list args;
  if (self->note_count == (int)(sizeof self->notes / sizeof *self->notes))
    return;
  note = &self->notes[self->note_count++];
  snprintf(note->code, sizeof note->code, "%s", code);
  snprintf(note->fix, sizeof note->fix, "%s", fix);
  va_start(args, format);
  vsnprintf(note->message, sizeof note->message, format, args);
  va_end(args);
}
