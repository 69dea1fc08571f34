/*
 * frames: what a frame of a recording's tree stands for, as the key that it is interned by.
 *
 * A place (code id << 32 | offset), or, with a code id from PROF_FRAME_SPECIAL on, one of these.
 * Whoever shows a tree names both. Refuses: nothing.
 */
#ifndef RSPACK_PROF_STACK_FRAMES_H
#define RSPACK_PROF_STACK_FRAMES_H

#include <stdint.h>

#define PROF_FRAME_SPECIAL 0xfffffff0u
#define PROF_FRAME_KEY(code, offset) ((uint64_t)(code) << 32 | (offset))
#define PROF_FRAME_GAP PROF_FRAME_KEY(PROF_FRAME_SPECIAL, 0)       /* frames that are not known */
#define PROF_FRAME_TRUNCATED PROF_FRAME_KEY(PROF_FRAME_SPECIAL, 1) /* deeper than the limit */
#define PROF_FRAME_BROKEN PROF_FRAME_KEY(PROF_FRAME_SPECIAL, 2)    /* the walk could not go on */
#define PROF_FRAME_HANDLER PROF_FRAME_KEY(PROF_FRAME_SPECIAL, 3)   /* the profiler's own handler */

/* Stack that a scan skipped: bytes (a power of two, at least as many) of frames of a module, whose
 * index is in the lower bits; PROF_SKIPPED_NO_MODULE: of none. */
#define PROF_FRAME_SKIPPED 0xfffffff1u
#define PROF_SKIPPED_MODULE(offset) ((offset)&0xffffffu)
#define PROF_SKIPPED_BYTES(offset) ((uint64_t)1 << ((offset) >> 24))
#define PROF_SKIPPED_NO_MODULE 0xffffffu

#endif
