#include "agent/fetch.h"

#include "support/test.h"

TEST(fetch_date, is_read_in_the_one_form_that_servers_send)
{
        CHECK(fetch_date_s("Sun, 06 Nov 1994 08:49:37 GMT") == 784111777);
        CHECK(fetch_date_s("Thu, 01 Jan 1970 00:00:01 GMT") == 1 && fetch_date_s("Thu, 29 Feb 2024 23:59:59 GMT") == 1709251199);
        CHECK(fetch_date_s("Fri, 31 Dec 9999 23:59:59 GMT") == 253402300799);
}

TEST(fetch_date, is_0_for_all_else)
{
        static const char *const none[] = {
                "", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT+1", "Sun, 06 Nov 1994 08:49:37 CET",
                "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        };
        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
                CHECK(fetch_date_s(none[i]) == 0);
}
