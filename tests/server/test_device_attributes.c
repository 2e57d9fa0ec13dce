#include "server/device/attributes.h"

#include "support/test.h"

#include <string.h>

TEST(attributes_parse, reads_pairs_in_order)
{
        struct attributes a;
        CHECK(attributes_parse("os=debian,os_version=12,locale=de_DE,x=1.0+b-2", &a, NULL) == OK && a.count == 4);
        CHECK(strcmp(attributes_get(&a, "locale"), "de_DE") == 0 && strcmp(attributes_get(&a, "x"), "1.0+b-2") == 0);
        CHECK(!attributes_get(&a, "site") && strcmp(a.items[1].key, "os_version") == 0);
}

TEST(attributes_parse, takes_a_time_zone_as_it_is_written)
{
        struct attributes a;
        CHECK(attributes_parse("timezone=America/Argentina/Buenos_Aires,os=debian", &a, NULL) == OK && strcmp(attributes_get(&a, "timezone"), "America/Argentina/Buenos_Aires") == 0);
        CHECK(attributes_parse("timezone=Etc/GMT+5", &a, NULL) == OK && attributes_parse("timezone=UTC", &a, NULL) == OK);
        const char *bad[] = { "timezone=", "timezone=/etc/passwd", "timezone=Europe/", "timezone=Europe//Berlin", "timezone=Europe/../Berlin", "site=Europe/Berlin", "time/zone=UTC" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(attributes_parse(bad[i], &a, NULL) == ERR_SYNTAX);
}

TEST(attributes_parse, takes_none_at_all)
{
        struct attributes a;
        CHECK(attributes_parse("", &a, NULL) == OK && a.count == 0);
}

TEST(attributes_parse, refuses_what_is_not_a_list_of_names)
{
        static const char *const bad[] = { "os", "os=", "=debian", "os=debian,", ",os=debian", "os=debian,,a=b", "os=a,os=b", "os=a b", "os=a=b", "o\ns=a",
                                           "os=\xc3\xbc", "_a=b", "a=.b" };
        struct attributes a = { .count = 77 };
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(attributes_parse(bad[i], &a, NULL) == ERR_SYNTAX);
        CHECK(a.count == 77);
}

TEST(attributes_parse, has_a_ceiling_for_pairs_and_for_names)
{
        struct attributes a;
        CHECK(attributes_parse("a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1", &a, NULL) == OK && a.count == 8);
        CHECK(attributes_parse("a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1", &a, NULL) == ERR_LIMIT);
        char text[80] = "a=";
        memset(text + 2, 'x', 65);
        CHECK(attributes_parse(text, &a, NULL) == ERR_SYNTAX);
        text[66] = 0;
        CHECK(attributes_parse(text, &a, NULL) == OK);
}
