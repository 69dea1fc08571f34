/*
 * pages: zeroed memory in whole pages, each taken from the system when it is first written.
 *
 * The caller gives it back with munmap(2). Refuses (NULL, errno set) what the address space does
 * not hold.
 */
#ifndef RSPACK_PROF_BASE_PAGES_H
#define RSPACK_PROF_BASE_PAGES_H

#include <stddef.h>

void *prof_pages_reserve(size_t bytes);

#endif
