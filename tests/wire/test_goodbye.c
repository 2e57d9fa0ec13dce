#include "wire/goodbye.h"

#include "support/test.h"

#include <string.h>

TEST(goodbye, finds_each_word_again)
{
        for (unsigned kind = 0; kind < WIRE_GOODBYES; kind++) {
                enum wire_goodbye_kind found = WIRE_GOODBYES;
                CHECK(wire_goodbye_find(wire_goodbye_word((enum wire_goodbye_kind)kind), &found, NULL) == OK && found == kind && wire_goodbye_text(found)[0]);
        }
}

TEST(goodbye, refuses_other_words)
{
        static const char *const others[] = { "", "Reboot", "restart", " suspend", "hibernate" };
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
                enum wire_goodbye_kind found = WIRE_GOODBYES;
                struct why why = { 0 };
                CHECK(wire_goodbye_find(others[i], &found, &why) == ERR_SYNTAX && found == WIRE_GOODBYES && strstr(why.text, others[i]));
        }
}
