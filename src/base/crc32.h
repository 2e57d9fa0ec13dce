/* crc32.h - CRC-32 (IEEE 802.3) of what is kept on disk: against a failing disk, not against an attacker. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *bytes, size_t length);
