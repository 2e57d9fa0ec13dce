#include "wire/outcome.h"

#include "support/test.h"

#include <string.h>

TEST(outcome, each_word_finds_its_number)
{
        for (int i = 0; i < WIRE_OUTCOMES; i++) {
                enum wire_outcome found = WIRE_OUTCOMES;
                CHECK(wire_outcome_find(wire_outcome_word((enum wire_outcome)i), &found, NULL) == OK && found == (enum wire_outcome)i);
        }
        for (int i = 0; i < WIRE_KINDS; i++) {
                enum wire_kind found = WIRE_KINDS;
                CHECK(wire_kind_find(wire_kind_word((enum wire_kind)i), &found, NULL) == OK && found == (enum wire_kind)i);
        }
        CHECK(strcmp(wire_outcome_word(WIRE_PREFLIGHT_FAILED), "preflight_failed") == 0 && wire_kind_word(WIRE_KIND_NONE)[0] == 0);
}

TEST(outcome, no_other_word_is_one)
{
        enum wire_outcome outcome = WIRE_HARMED;
        enum wire_kind kind = WIRE_KIND_CRASH;
        CHECK(wire_outcome_find("", &outcome, NULL) == ERR_SYNTAX && wire_outcome_find("Proven", &outcome, NULL) == ERR_SYNTAX);
        CHECK(wire_kind_find("crash ", &kind, NULL) == ERR_SYNTAX && wire_kind_find("dark", &kind, NULL) == ERR_SYNTAX);
        CHECK(outcome == WIRE_HARMED && kind == WIRE_KIND_CRASH);
}
