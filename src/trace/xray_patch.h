/*
 * xray_patch: the sleds of a plan's functions in this process, patched and put back while threads
 * run through them.
 *
 * All bytes of a sled but its first two are written while nobody can run them (the first two jump
 * over them, or return); then every CPU is made to drop what it fetched (membarrier SYNC_CORE,
 * kernel 4.16), and the first two are stored at once. Putting back is those two alone. Pages are
 * writable, and stay executable, while that goes on, and no longer.
 *
 * The caller keeps the objects loaded. Refuses: objects that are not loaded here or have no sleds,
 * sleds that do not hold what they should, sleds more than 2 GB from our trampolines (counted), and
 * systems that let nobody write to code (a status).
 */
#ifndef RSPACK_PROF_TRACE_XRAY_PATCH_H
#define RSPACK_PROF_TRACE_XRAY_PATCH_H

#include <stddef.h>
#include <stdint.h>

struct prof_call_plan;
struct prof_error;

struct prof_xray_sled {
  unsigned char *at;
  uint32_t func; /* index in the plan */
  uint8_t kind;
};

struct prof_xray_patch {
  struct prof_xray_sled *sleds;
  size_t count, capacity;
  size_t refused;
  size_t functions; /* of the plan, with an entry sled */
};

/* Finds the sleds of all functions of a plan. 0 or a status. */
int prof_xray_patch_find(struct prof_xray_patch *self, const struct prof_call_plan *plan,
                         struct prof_error *error);
/* How many functions of a plan have sleds in their files, loaded here or not. */
size_t prof_xray_patch_count_in_files(const struct prof_call_plan *plan);
int prof_xray_patch_apply(struct prof_xray_patch *self, struct prof_error *error);
int prof_xray_patch_undo(struct prof_xray_patch *self, struct prof_error *error);
/* The sleds of the plan's functions that are dropped are put back, and no longer the patch's. */
int prof_xray_patch_drop(struct prof_xray_patch *self, const struct prof_call_plan *plan,
                         struct prof_error *error);
void prof_xray_patch_free(struct prof_xray_patch *self);

#endif
