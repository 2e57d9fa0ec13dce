#include "base/utc.h"
#include "support/test.h"
#include "trust/tuf_time.h"

TEST(tuf_time, is_read_as_it_is_written)
{
        for (int64_t s = 0; s < 253402300799; s += 7654321) {        /* to the end of 9999 */
                char text[TUF_TIME_BYTES];
                int64_t again = -1;
                utc_text_s(s, text);
                CHECK(tuf_time_parse(text, &again) && again == s);
        }
}

TEST(tuf_time, knows_leap_years)
{
        int64_t s = 0;
        CHECK(tuf_time_parse("2000-02-29T00:00:00Z", &s) && s == 951782400);
        CHECK(!tuf_time_parse("2100-02-29T00:00:00Z", &s) && !tuf_time_parse("2025-02-29T00:00:00Z", &s));
}

TEST(tuf_time, refuses_other_forms)
{
        static const char *const bad[] = { "", "2026-11-21", "2026-11-21T04:05:06", "2026-11-21T04:05:06+00:00", "2026-11-21 04:05:06Z", "2026-11-21T04:05:06.0Z",
                                           "2026-11-21T04:05:60Z", "2026-11-21T24:00:00Z", "2026-00-21T04:05:06Z", "2026-13-21T04:05:06Z", "2026-11-31T04:05:06Z",
                                           "2026-11-00T04:05:06Z", "1969-12-31T23:59:59Z", "2026-11-21T04:05:06z", "x026-11-21T04:05:06Z" };
        int64_t s;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                CHECK(!tuf_time_parse(bad[i], &s));
}
