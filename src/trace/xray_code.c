#include "trace/xray_code.h"

#include <string.h>

#include "trace/xray_map.h"

bool prof_xray_x86_patched(uint8_t kind, uint64_t address, uint64_t trampoline, uint32_t id,
                           unsigned char *bytes) {
  int64_t distance = (int64_t)(trampoline - (address + PROF_XRAY_X86_BYTES));
  if (distance < INT32_MIN || distance > INT32_MAX)
    return false;
  int32_t near = (int32_t)distance;
  bytes[0] = 0x41; /* mov $id, %r10d */
  bytes[1] = 0xba;
  memcpy(bytes + 2, &id, sizeof id);
  bytes[6] = kind == PROF_SLED_EXIT ? 0xe9 : 0xe8;
  memcpy(bytes + 7, &near, sizeof near);
  return true;
}

void prof_xray_x86_unpatched(uint8_t kind, unsigned char first[PROF_XRAY_X86_FIRST]) {
  static const unsigned char jump[] = {0xeb, 0x09}, back[] = {0xc3, 0x2e};
  memcpy(first, kind == PROF_SLED_EXIT ? back : jump, PROF_XRAY_X86_FIRST);
}

bool prof_xray_x86_is_sled(uint8_t kind, const unsigned char *bytes) {
  if (bytes[0] == 0x41 && bytes[1] == 0xba)
    return bytes[6] == (kind == PROF_SLED_EXIT ? 0xe9 : 0xe8);
  return kind == PROF_SLED_EXIT ? bytes[0] == 0xc3 : bytes[0] == 0xeb && bytes[1] == 0x09;
}

static void put(unsigned char *bytes, size_t word, uint32_t value) {
  memcpy(bytes + word * 4, &value, sizeof value);
}

void prof_xray_arm_patched(uint64_t trampoline, uint32_t id, unsigned char *bytes) {
  put(bytes, 0, 0xa9bf7be0); /* stp x0, x30, [sp, #-16]! */
  put(bytes, 1, 0x18000071); /* ldr w17, #12 */
  put(bytes, 2, 0x58000070); /* ldr x16, #12 */
  put(bytes, 3, 0xd63f0200); /* blr x16 */
  put(bytes, 4, id);
  memcpy(bytes + 20, &trampoline, sizeof trampoline);
  put(bytes, 7, 0xa8c17be0); /* ldp x0, x30, [sp], #16 */
}

void prof_xray_arm_unpatched(unsigned char first[PROF_XRAY_ARM_FIRST]) {
  static const uint32_t branch = 0x14000008; /* b #32 */
  memcpy(first, &branch, sizeof branch);
}
