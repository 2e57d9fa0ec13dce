#include "format/near.h"

#include "support/test.h"

#include <string.h>

static const char *best(const char *word)
{
        static const char *const known[] = { "bake_s", "gap_s", "gather_s", "controls", "id", "a_name_that_is_longer_than_forty_letters_x" };
        struct near near = { .word = word };
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                near_consider(&near, known[i]);
        return near.best ? near.best : "";
}

TEST(near, finds_the_closest_name)
{
        CHECK(strcmp(best("bake"), "bake_s") == 0);
        CHECK(strcmp(best("gap_"), "gap_s") == 0);
        CHECK(strcmp(best("cotnrols"), "controls") == 0);
        CHECK(strcmp(best("ib"), "id") == 0);
}

TEST(near, says_nothing_when_nothing_is_close)
{
        CHECK(strcmp(best("holdout_ppm"), "") == 0);
        CHECK(strcmp(best(""), "") == 0);
        CHECK(strcmp(best("a_name_that_is_longer_than_forty_letters_y"), "") == 0);
}
