/*
 * onstack: calls a function on another stack, in a way that unwinders can follow: by rbp, as the
 * stacker crate does.
 *
 * The caller provides the stack's top (16-byte aligned). Refuses other machines than x86_64: there
 * it calls on the stack it is on.
 */
#ifndef RSPACK_PROF_HEAP_ONSTACK_H
#define RSPACK_PROF_HEAP_ONSTACK_H

void prof_heap_on_stack(void *top, void (*call)(void *user), void *user);

#endif
