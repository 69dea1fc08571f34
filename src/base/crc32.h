/*
 * crc32: the checksum of IEEE 802.3, as zlib, PNG and .gnu_debuglink have it. Pure; refuses
 * nothing.
 */
#ifndef RSPACK_PROF_BASE_CRC32_H
#define RSPACK_PROF_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Of what crc is of, followed by these bytes; crc: 0 to begin with. */
uint32_t prof_crc32(uint32_t crc, const void *bytes, size_t size);

#endif
