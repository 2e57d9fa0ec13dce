#include "platform/boot.h"

#include "support/test.h"

TEST(boot, is_known_and_stays_the_same)
{
        CHECK(boot_number() && boot_number() == boot_number());
}
