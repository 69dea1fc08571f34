/*
 * attr: a plan -> struct perf_event_attr, the one place that knows which bits we ask for and why.
 * Pure. The caller provides a plan and the cookie. Refuses nothing: the kernel does.
 */
#ifndef RSPACK_PROF_PERF_ATTR_H
#define RSPACK_PROF_PERF_ATTR_H

#include <stdint.h>

#include <linux/perf_event.h>

#include "perf/choose.h"

void prof_attr_fill(const struct prof_plan *plan, uint64_t sig_data, struct perf_event_attr *out);

#endif
