/*
 * settle: a sample whose stack is known, or will never be, becomes a row: a node in the tree, and
 * exactly one end (complete, truncated, broken) with its reason.
 *
 * Called by follow.c and, through stack/join, for samples that waited for their walk. The
 * recording's space must stand at the sample's time.
 */
#ifndef RSPACK_PROF_SESSION_SETTLE_H
#define RSPACK_PROF_SESSION_SETTLE_H

#include "session/recording.h"

/* A prof_join_emit; user is the struct prof_recording. */
void prof_settle_decided(void *user, struct prof_join_thread *thread, const struct prof_wait *wait,
                         enum prof_join_fate fate);

/* A sample that waits for no walk: its stack is a copy or a callchain in its record, or nothing. */
void prof_settle_at_once(struct prof_recording *self, struct prof_join_thread *thread,
                         const struct prof_wait *wait, const struct prof_record_sample *sample);

/* A row for the sample, its kernel part added to node; end_pc: where the walk broke off. */
void prof_settle_row(struct prof_recording *self, const struct prof_join_thread *thread,
                     const struct prof_wait *wait, uint32_t node, enum prof_sample_end end,
                     int reason, uint64_t end_pc, uint8_t flags);

/* A sample without a stack of its own: its user pc alone, below a frame that says broken. */
void prof_settle_leaf(struct prof_recording *self, const struct prof_join_thread *thread,
                      const struct prof_wait *wait, enum prof_join_fate fate);

/* No stacks were asked for: the leaf is all there is, and the stack is truncated by wish. */
void prof_settle_flat(struct prof_recording *self, const struct prof_join_thread *thread,
                      const struct prof_wait *wait);

/* Of a walk (PROF_STACK_*), as a sample has them: one that had to scan is put together from two
 * pieces of the stack. */
uint8_t prof_settle_flags(uint32_t walk_flags);

enum prof_sample_end prof_settle_end(enum prof_walk_end end);

/* The frame below the root for stacks that end so; 0 for whole ones. */
uint64_t prof_settle_base(enum prof_walk_end end);

#endif
