/*
 * splice: the words of a walk, the kernel's callchain and V8's interpreted functions -> one node of
 * the calling-context tree.
 *
 * Frames are places, (code id << 32 | offset), named at the end. Where an offset cannot change the
 * function (V8's code) it is left out. Interpreted functions stand in for the interpreter's own
 * frame. A stack that does not reach its thread's start hangs below a frame that says so.
 *
 * The caller provides a space that stands at the walk's time, one thread, and a memo per sampled
 * thread: most of a stack is as it was at the thread's last sample, and is not looked up again.
 * Refuses nothing: an address that is not known is a place with code 0.
 */
#ifndef RSPACK_PROF_STACK_SPLICE_H
#define RSPACK_PROF_STACK_SPLICE_H

#include <stddef.h>
#include <stdint.h>

#include "code/bytecode.h"
#include "code/space.h"
#include "profile/tree.h"
#include "stack/unlisted.h"

/* Frames that are no places: code ids from here on. */
#define PROF_FRAME_SPECIAL 0xfffffff0u
#define PROF_FRAME_KEY(code, offset) ((uint64_t)(code) << 32 | (offset))
#define PROF_FRAME_GAP PROF_FRAME_KEY(0xfffffff0u, 0)       /* frames that are not known */
#define PROF_FRAME_TRUNCATED PROF_FRAME_KEY(0xfffffff0u, 1) /* deeper than the limit */
#define PROF_FRAME_BROKEN PROF_FRAME_KEY(0xfffffff0u, 2)    /* the walk could not go on */
#define PROF_FRAME_HANDLER PROF_FRAME_KEY(0xfffffff0u, 3)   /* the profiler's own handler */

/* Stack that a scan skipped: bytes (a power of two, at least as many) of frames of a module, whose
 * index is in the lower bits; PROF_SKIPPED_NO_MODULE: of none. */
#define PROF_FRAME_SKIPPED 0xfffffff1u
#define PROF_SKIPPED_MODULE(offset) ((offset)&0xffffffu)
#define PROF_SKIPPED_BYTES(offset) ((uint64_t)1 << ((offset) >> 24))
#define PROF_SKIPPED_NO_MODULE 0xffffffu

struct prof_splice {
  struct prof_tree *tree;
  struct prof_space *space;
  struct prof_bytecode_layout bytecode;
  struct prof_unlisted *unlisted; /* NULL: what V8 did not list stays an address */
  uint64_t unnamed_interpreter;   /* counter: interpreted frames whose bytecode is not known */
  struct prof_splice_slot {
    uint64_t word;              /* 0: empty */
    uint32_t frame, generation; /* of the tree, of the space */
  } slots[4096];                /* so that most words are not looked up */
};

/* A thread's last stack, outermost first. Zero is empty. */
struct prof_splice_memo {
  uint64_t *words;
  uint32_t *nodes; /* of each word */
  uint32_t count, capacity;
  uint32_t generation; /* of the space */
  uint64_t base;       /* the frame under the root, 0 none */
};

/* words as the unwinder left them, innermost first; base: 0, PROF_FRAME_TRUNCATED or _BROKEN.
 * memo may be NULL. */
uint32_t prof_splice_user(struct prof_splice *self, struct prof_splice_memo *memo,
                          const uint64_t *words, uint32_t count, uint64_t base);

/* Kernel addresses, innermost first, below node. */
uint32_t prof_splice_kernel(struct prof_tree *tree, uint32_t node, const uint64_t *chain,
                            uint32_t count);

/* The frames from `from`'s root down to its node `leaf`, below node (which is in self->tree). */
uint32_t prof_splice_graft(struct prof_tree *tree, uint32_t node, const struct prof_tree *from,
                           uint32_t leaf);

/* One more frame. */
uint32_t prof_splice_frame(struct prof_tree *tree, uint32_t node, uint64_t key);

/* The frame of a user address as of now. */
uint64_t prof_splice_key(struct prof_splice *self, uint64_t address);

void prof_splice_memo_free(struct prof_splice_memo *memo);

#endif
