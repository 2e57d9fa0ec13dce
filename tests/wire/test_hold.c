#include "wire/hold.h"

#include "support/test.h"

#include <string.h>

TEST(hold, finds_each_word_again)
{
        for (unsigned hold = 0; hold < WIRE_HOLDS; hold++) {
                enum wire_hold found = WIRE_HOLDS;
                CHECK(wire_hold_find(wire_hold_word((enum wire_hold)hold), &found, NULL) == OK && found == hold && wire_hold_text(found)[0]);
        }
}

TEST(hold, refuses_other_words)
{
        static const char *const others[] = { "Pin", "pinned", " pin", "none" };
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                enum wire_hold found = WIRE_HOLDS;
                struct why why = { 0 };
                CHECK(wire_hold_find(others[i], &found, &why) == ERR_SYNTAX && found == WIRE_HOLDS && strstr(why.text, others[i]));
        }
}
