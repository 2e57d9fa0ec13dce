#include "base/crc32.h"

/* Four bits at a time: 16 KB a few times a release. */
uint32_t crc32_of(const void *bytes, size_t length)
{
        static const uint32_t of_four[16] = {
                0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
        };
        uint32_t crc = ~0u;
        for (const uint8_t *at = bytes, *end = at + length; at < end; at++) {
                crc ^= *at;
                crc = crc >> 4 ^ of_four[crc & 15];
                crc = crc >> 4 ^ of_four[crc & 15];
        }
        return ~crc;
}
