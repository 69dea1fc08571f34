/*
 * loaded: this process's executable mappings: of /proc/self/maps, and where that is hidden (no
 * /proc in a sandbox) by the dynamic linker's own list, which misses only what was mapped without
 * it. Any thread. Refuses nothing: what has no name is left out.
 */
#ifndef RSPACK_PROF_CODE_LOADED_H
#define RSPACK_PROF_CODE_LOADED_H

#include <stdbool.h>
#include <stdint.h>

#include "code/maps.h"

/* true: by /proc. The visitor must not load or unload libraries. */
bool prof_loaded_visit(prof_maps_visit *visit, void *user);

/* Another number once a library has been loaded or unloaded by the dynamic linker; some 100 ns. */
uint64_t prof_loaded_generation(void);

#endif
