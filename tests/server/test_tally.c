#include "server/rollouts/tally.h"

#include "support/test.h"

#include <string.h>

static uint32_t number_of(struct tally *tally, const char *text)
{
        uint32_t number = 0;
        CHECK(tally_number(tally, text, strlen(text), &number, NULL) == OK);
        return number;
}

TEST(tally, numbers_in_the_order_of_meeting_and_keeps_counts)
{
        OWN(tally) struct tally *tally = NULL;
        CHECK(tally_new(1000, &tally, NULL) == OK && tally_size(tally) == 0);
        for (unsigned round = 0; round < 2; round++)
                for (uint32_t i = 0; i < 1000; i++) {
                        char text[32];
                        snprintf(text, sizeof(text), "value-%u", i);
                        CHECK(number_of(tally, text) == i);
                        tally_counts(tally, i)[1] += i;
                }
        CHECK(tally_size(tally) == 1000 && strcmp(tally_bytes(tally, 999), "value-999") == 0);
        CHECK(tally_counts(tally, 7)[1] == 14 && tally_counts(tally, 7)[0] == 0);
}

TEST(tally, gives_no_number_past_its_ceiling)
{
        OWN(tally) struct tally *tally = NULL;
        CHECK(tally_new(2, &tally, NULL) == OK);
        CHECK(number_of(tally, "a") == 0 && number_of(tally, "") == 1 && number_of(tally, "b") == tally_none && number_of(tally, "a") == 0);
        CHECK(tally_size(tally) == 2);
}

TEST(tally, tells_bytes_apart_by_their_length)
{
        OWN(tally) struct tally *tally = NULL;
        uint32_t one = 9, two = 9;
        CHECK(tally_new(4, &tally, NULL) == OK);
        CHECK(tally_number(tally, "ab\0c", 4, &one, NULL) == OK && tally_number(tally, "ab", 2, &two, NULL) == OK && one == 0 && two == 1);
}
