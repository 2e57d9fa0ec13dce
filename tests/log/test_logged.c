#include "log/logged.h"
#include "support/test.h"

#include <string.h>

static const char text[] = "firebreak log entry v1\nkind release\nname edr-rules\nnumber 4\n"
                           "digest 00ff000000000000000000000000000000000000000000000000000000000000\n";

TEST(logged, is_one_text)
{
        struct logged logged = { .kind = LOGGED_RELEASE, .name = "edr-rules", .number = 4, .digest = { 0, 0xff } }, again;
        OWN(buf) struct buf written;
        buf_init(&written, LOGGED_BYTES_MAX);
        logged_write(&logged, &written);
        CHECK(strcmp(buf_text(&written), text) == 0);
        CHECK(logged_parse(written.bytes, written.length, &again, NULL) == OK && memcmp(&again, &logged, sizeof(again)) == 0);
}

TEST(logged, comes_back_whatever_it_is_of)
{
        for (int kind = 0; kind < LOGGED_KINDS; kind++) {
                struct logged logged = { .kind = (enum logged_kind)kind, .number = INT64_MAX }, again;
                memset(logged.name, 'n', LIMIT_NAME_BYTES);
                OWN(buf) struct buf written;
                buf_init(&written, LOGGED_BYTES_MAX);
                logged_write(&logged, &written);
                CHECK(buf_check(&written, NULL) == OK);
                CHECK(logged_parse(written.bytes, written.length, &again, NULL) == OK && memcmp(&again, &logged, sizeof(again)) == 0);
        }
}

TEST(logged, is_read_strictly)
{
        static const char *const bad[] = {
                "", "firebreak log entry v2\n", "firebreak log entry v1\nkind statement\n", "firebreak log entry v1\nkind release\nname ../x\n",
                "firebreak log entry v1\nkind release\nname a\nnumber 04\n", "firebreak log entry v1\nkind release\nname a\nnumber 4\ndigest 00\n",
        };
        struct logged logged = { .number = 7 };
        char more[sizeof(text) + 8];
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(logged_parse(bad[i], strlen(bad[i]), &logged, NULL) == ERR_SYNTAX);
        for (size_t cut = 0; cut + 1 < sizeof(text); cut++)
                CHECK(logged_parse(text, cut, &logged, NULL) == ERR_SYNTAX);
        snprintf(more, sizeof(more), "%smore 1\n", text);
        CHECK(logged_parse(more, strlen(more), &logged, NULL) == ERR_SYNTAX);
        CHECK(logged_parse(text, sizeof(text), &logged, NULL) == ERR_SYNTAX);      /* with its NUL */
        char huge[LOGGED_BYTES_MAX + 1] = "";
        CHECK(logged_parse(huge, sizeof(huge), &logged, NULL) == ERR_LIMIT);
        CHECK(logged.number == 7);
}
