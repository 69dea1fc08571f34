#include "base/crc32.h"

#include <string.h>

#define POLYNOMIAL 0xedb88320u /* IEEE 802.3, reflected */

enum { LANES = 8 };

/* lanes[n][b]: what the byte b does to the sum when n more bytes follow it. */
static void fill_lanes(uint32_t lanes[LANES][256]) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t sum = i;
    for (int bit = 0; bit < 8; bit++)
      sum = sum >> 1 ^ (sum & 1 ? POLYNOMIAL : 0);
    lanes[0][i] = sum;
  }
  for (int lane = 1; lane < LANES; lane++)
    for (int i = 0; i < 256; i++)
      lanes[lane][i] = lanes[lane - 1][i] >> 8 ^ lanes[0][lanes[lane - 1][i] & 255];
}

/* Eight bytes a step (Kounavis and Berry 2005, "A Systematic Approach to Building High Performance
 * Software-based CRC Generators"): one look-up does not wait for the other. The tables are made at
 * each call, 4,000 steps against the payload's hundreds of thousands of bytes. Little-endian. */
uint32_t prof_crc32(uint32_t crc, const void *bytes, size_t size) {
  const unsigned char *at = bytes, *end = at + size;
  uint32_t lanes[LANES][256];
  fill_lanes(lanes);
  crc = ~crc;
  for (; end - at >= LANES; at += LANES) {
    uint32_t low, high;
    memcpy(&low, at, sizeof low);
    memcpy(&high, at + sizeof low, sizeof high);
    low ^= crc;
    crc = lanes[7][low & 255] ^ lanes[6][low >> 8 & 255] ^ lanes[5][low >> 16 & 255] ^
          lanes[4][low >> 24] ^ lanes[3][high & 255] ^ lanes[2][high >> 8 & 255] ^
          lanes[1][high >> 16 & 255] ^ lanes[0][high >> 24];
  }
  for (; at < end; at++)
    crc = crc >> 8 ^ lanes[0][(crc ^ *at) & 255];
  return ~crc;
}
