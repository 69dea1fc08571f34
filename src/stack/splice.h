/*
 * splice: the words of a walk, the kernel's callchain and V8's interpreted functions -> one node of
 * the calling-context tree.
 *
 * Frames are places, (code id << 32 | offset), named at the end. Where an offset cannot change the
 * function it is left out (V8's code) or made the same for all of the function's (symbols): the
 * tree has half as many nodes then. Interpreted functions stand in for the interpreter's own
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
#include "code/symbol.h"
#include "profile/tree.h"
#include "stack/frames.h"
#include "stack/unlisted.h"

struct prof_splice {
  struct prof_tree *tree;
  struct prof_space *space;
  struct prof_bytecode_layout bytecode;
  struct prof_symbols *symbols;   /* NULL: places stay as they are */
  struct prof_unlisted *unlisted; /* NULL: what V8 did not list stays an address */
  uint64_t unnamed_interpreter;   /* counter: interpreted frames whose bytecode is not known */
  struct prof_splice_slot {
    uint64_t word;              /* 0: empty */
    uint32_t frame, generation; /* of the tree, of the space */
  } slots[16384];               /* so that most words are not looked up */
  struct prof_splice_chain {    /* the same of kernel addresses, in the kernel's tree */
    uint64_t address;           /* 0: empty */
    uint32_t frame;
  } chain[1024];
  uint32_t *grafted; /* of each frame of the kernel's tree: that of tree, plus 1; 0: not yet */
  size_t grafted_capacity;
};
void prof_splice_free(struct prof_splice *self);

/* More is known of which places are one function's: words are to be looked up anew. */
void prof_splice_forget(struct prof_splice *self);

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

/* Kernel addresses, innermost first: their leaf in kernel, always the same tree. */
uint32_t prof_splice_kernel(struct prof_splice *self, struct prof_tree *kernel,
                            const uint64_t *chain, uint32_t count);

/* The frames from kernel's root down to its node `leaf`, below node. */
uint32_t prof_splice_graft(struct prof_splice *self, uint32_t node, const struct prof_tree *kernel,
                           uint32_t leaf);

/* One more frame. */
uint32_t prof_splice_frame(struct prof_tree *tree, uint32_t node, uint64_t key);

/* The frame of a user address as of now. */
uint64_t prof_splice_key(struct prof_splice *self, uint64_t address);

void prof_splice_memo_free(struct prof_splice_memo *memo);

#endif
