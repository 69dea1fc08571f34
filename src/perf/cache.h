/*
 * cache: the names of the hardware cache events as perf forms them ("LLC-store-misses"): a cache,
 * an operation, and "-misses" where not the accesses are meant. Pure.
 *
 * The caller provides a name without modifiers. Refuses: operations that a cache does not have
 * (the instruction TLB knows no stores), as perf does.
 */
#ifndef RSPACK_PROF_PERF_CACHE_H
#define RSPACK_PROF_PERF_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* config of PERF_TYPE_HW_CACHE. Case is ignored; "load" and "loads" are the same. */
bool prof_cache_parse(const char *name, uint64_t *config);

/* The index-th name and what it counts; false after the last. */
bool prof_cache_name(size_t index, char *name, size_t name_size, char *about, size_t about_size);

#endif
