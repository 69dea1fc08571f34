/*
 * lethal: whether perf_event_open would end this process. A seccomp filter may answer it by killing
 * (systemd's SystemCallFilter= does unless told otherwise) or by SIGSYS; container runtimes answer
 * EPERM, which harms nobody.
 *
 * Tried out once by a child process that does nothing else, and only where a filter is in force:
 * 1 to 2 ms in a process of 60 MB. Refuses nothing: where no child can be had the answer is yes,
 * since a build without perf events is better than none.
 */
#ifndef RSPACK_PROF_PERF_LETHAL_H
#define RSPACK_PROF_PERF_LETHAL_H

#include <stdbool.h>

bool prof_lethal_perf_event_open(void);

#endif
