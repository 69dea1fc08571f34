/*
 * v8path: the texts inside V8's names: does a file begin here, file names in one spelling, and
 * clean text. Pure.
 *
 * Results are copies in the caller's arena, NULL where its memory ends. Refuses nothing.
 */
#ifndef RSPACK_PROF_CODE_V8PATH_H
#define RSPACK_PROF_CODE_V8PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

/* An absolute path, a URL with a scheme (node:fs, file:///a, webpack://x), or [eval] and the like
 * at the start of text. */
bool prof_v8path_starts(const char *text, size_t length);

/* file:///a%20b -> /a b; a data: URL or a very long text is shortened with "..."; cleaned. */
char *prof_v8path_file(struct prof_arena *arena, const char *text, size_t length);

/* A copy in which control characters and bytes that are no UTF-8 are '?'. */
char *prof_v8path_clean(struct prof_arena *arena, const char *text, size_t length);

#endif
