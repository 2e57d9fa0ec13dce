#include "nft/rules.h"

#include "support/test.h"

#include <string.h>

TEST(rules_own, takes_a_family_and_a_name_once)
{
        struct rules_owned owned = { .count = 0 };
        static const char *const wrong[] = { "", "inet", "inet ", "acme", "netdev acme", "inet acme;", "inet acme flush", "inet -f", "inet 1", "inet a\nb", "inet firebreak_witness" };
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                CHECK(rules_own(&owned, wrong[i], NULL) == ERR_USAGE);
        CHECK(rules_own(&owned, "inet acme", NULL) == OK && rules_own(&owned, "ip acme", NULL) == OK && owned.count == 2);
        CHECK(rules_own(&owned, "inet acme", NULL) == ERR_USAGE);
        for (int i = 2; i < RULES_OWNED_MAX; i++) {
                char table[] = "inet t0";
                table[6] = (char)('0' + i);
                CHECK(rules_own(&owned, table, NULL) == OK);
        }
        CHECK(rules_own(&owned, "inet more", NULL) == ERR_USAGE);
}

TEST(rules_script, replaces_our_tables_whole_and_names_no_other)
{
        struct rules_owned owned = { .count = 0 };
        OWN(buf) struct buf text, script;
        buf_init(&text, 4096);
        buf_init(&script, 4096);
        CHECK(rules_own(&owned, "inet acme", NULL) == OK);
        buf_add_text(&text, "table inet acme {\n}\n");
        rules_script(&owned, &text, &script);
        CHECK(strcmp(buf_text(&script), "table inet acme\ndelete table inet acme\ntable inet acme {\n}\n") == 0);
}
