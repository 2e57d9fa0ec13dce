#include "platform/listen.h"
#include "support/test.h"

#include <string.h>

TEST(listen, takes_a_free_port_and_tells_which)
{
        static const struct { const char *asked, *got; } cases[] = {
                { "127.0.0.1:0", "127.0.0.1:" }, { "[::1]:0", "[::1]:" }, { "localhost:0", "" },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int fd = -1;
                char address[LISTEN_TEXT_MAX];
                struct why why;
                enum err e = listen_open(cases[i].asked, &fd, address, &why);
                if (e && strchr(cases[i].asked, '['))
                        continue;                       /* a machine without IPv6 */
                CHECK(e == OK && fd >= 0);
                CHECK(strncmp(address, cases[i].got, strlen(cases[i].got)) == 0);
                CHECK(strtol(strrchr(address, ':') + 1, NULL, 10) > 0);
                listen_close(fd);
        }
}

TEST(listen, says_what_to_do_about_a_port_in_use)
{
        int first = -1, second = -1;
        char address[LISTEN_TEXT_MAX], again[LISTEN_TEXT_MAX];
        struct why why;
        CHECK(listen_open("127.0.0.1:0", &first, address, NULL) == OK);
        CHECK(listen_open(address, &second, again, &why) == ERR_BUSY);
        CHECK(strstr(why.text, address) && strstr(why.text, "--listen"));
        CHECK(second == -1);
        listen_close(first);
        CHECK(listen_open(address, &second, again, NULL) == OK);
        listen_close(second);
        listen_close(-1);
}

TEST(listen, refuses_what_is_no_address)
{
        static const char *const cases[] = {
                "", ":", "8443", "127.0.0.1", "127.0.0.1:", ":8443", "127.0.0.1:http", "127.0.0.1:65536", "127.0.0.1:123456", "::1:8443", "[::1]", "[]:1",
                "127.0.0.1:1x", "192.0.2.77:8443", "999.1.1.1:80", "127.0.0.1:0123456789",
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int fd = -1;
                char address[LISTEN_TEXT_MAX];
                struct why why = { 0 };
                CHECK(listen_open(cases[i], &fd, address, &why) == ERR_USAGE);
                CHECK(fd == -1 && why.text[0]);
        }
}

TEST(listen, says_what_a_port_may_be)
{
        static const char *const cases[] = { "127.0.0.1:65536", "127.0.0.1:99999", "[::1]:123456789" };
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int fd = -1;
                char address[LISTEN_TEXT_MAX];
                struct why why = { 0 };
                CHECK(listen_open(cases[i], &fd, address, &why) == ERR_USAGE);
                CHECK(strstr(why.text, cases[i]) && strstr(why.text, "0 to 65535"));
        }
}
