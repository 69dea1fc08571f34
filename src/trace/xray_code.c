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
