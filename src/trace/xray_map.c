#include "trace/xray_map.h"

#include <string.h>

bool prof_sled_read(const unsigned char *section, size_t size, uint64_t section_address,
                    size_t index, struct prof_sled *out) {
  uint64_t at = (uint64_t)index * PROF_SLED_ENTRY_BYTES;
  uint64_t address, function;
  if (at + PROF_SLED_ENTRY_BYTES > size)
    return false;
  memcpy(&address, section + at, sizeof address);
  memcpy(&function, section + at + 8, sizeof function);
  uint8_t kind = section[at + 16], version = section[at + 18];
  /* LOG_ARGS_ENTER (3) is an entry; 4 and above are custom and typed events. */
  if (version < 2 || kind > 3)
    return false;
  *out = (struct prof_sled){.address = section_address + at + address,
                            .function = section_address + at + 8 + function,
                            .kind = kind == 3 ? PROF_SLED_ENTRY : kind};
  return true;
}
