/*
 * xray_trace: the functions of a plan, traced by their sleds in this very process: threads' buffers
 * -> calls -> figures and the file of events: tracer.h's work without the kernel's, and without
 * root. Owns the thread that drains.
 *
 * The caller provides a plan whose objects are loaded here. Refuses: plans of which not every
 * function has a sled (PROF_BAD_OPTION), and what xray_patch.h refuses.
 */
#ifndef RSPACK_PROF_TRACE_XRAY_TRACE_H
#define RSPACK_PROF_TRACE_XRAY_TRACE_H

#include "trace/tracer.h"

struct prof_xray_trace;

/* How many of a plan's functions have sleds in this process. */
size_t prof_xray_trace_count(const struct prof_call_plan *plan);
/* is_command and sample_hz do not apply. */
int prof_xray_trace_start(const struct prof_tracer_options *options, struct prof_xray_trace **out,
                          struct prof_error *error);
void prof_xray_trace_stop(struct prof_xray_trace *self, struct prof_tracer_result *out);
void prof_xray_trace_free(struct prof_xray_trace *self);

#endif
