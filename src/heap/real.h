/*
 * real: where a function of the allocator really is.
 *
 * In an executable at a fixed place (node's own builds) "the address of malloc" is a stub of the
 * executable, which jumps through a slot that we turn: calls of ours through it would come back to
 * us. So the definition is looked for: the first in the order in which the linker looks, hence that
 * of a preloaded allocator where there is one.
 *
 * The caller provides a thread that may call dlopen. Refuses (NULL) what nobody defines.
 */
#ifndef RSPACK_PROF_HEAP_REAL_H
#define RSPACK_PROF_HEAP_REAL_H

void *prof_real_find(const char *symbol);

#endif
