#include "base/crc32.h"

#include "support/test.h"

/* The check value of the catalogue of parametrised CRC algorithms. */
TEST(crc32, is_the_one_of_ieee_802_3)
{
        CHECK(crc32_of("123456789", 9) == 0xcbf43926 && crc32_of("", 0) == 0);
}
