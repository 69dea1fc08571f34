/*
 * stops: our walk wherever a timer's signal falls, printed for whoever stopped there as well.
 *
 * gdb stops at the signal (`handle SIGALRM stop pass`), takes its own backtrace and lets the signal
 * go on; the handler then walks from the very same registers and prints the words, innermost first,
 * one line a stop: `stop pc return return ..` in hex, closed by the walk's end.
 *
 * The caller works until stops_end() is true. One thread; not together with steps.
 */
#ifndef RSPACK_PROF_TEST_TRUTH_STOPS_H
#define RSPACK_PROF_TEST_TRUTH_STOPS_H

#include <stdbool.h>

#include "stack/unwind.h"

/* wanted: lines to print. Not 0: the timer or the handler cannot be had. */
int stops_begin(int wanted, struct prof_unwind *unwind);
bool stops_end(void);

#endif
