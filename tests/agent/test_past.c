#include "agent/past.h"

#include "support/test.h"

#include <string.h>

enum { MINUTE_MS = 60000, HOUR_MS = 3600000 };

static const struct agent_resources limits = { .cpu = 300, .memory = 200, .for_s = 60, .cpu_least = 25, .memory_least_mb = 64 };
static const struct past_use usual = { 200, 100 * 1024 };

static struct past past_of(const struct past_use *use, unsigned windows)
{
        struct past past = { 0 };
        for (unsigned i = 0; i < windows; i++)
                past_add(&past, use, MINUTE_MS);
        return past;
}

TEST(past, is_enough_after_so_many_windows)
{
        struct past past = past_of(&usual, PAST_WINDOWS_MIN - 1);
        CHECK(!past_is_enough(&past));
        past_add(&past, &usual, MINUTE_MS);
        CHECK(past_is_enough(&past) && past_most(&past).cpu_permille == 200 && past_most(&past).memory_kib == 100 * 1024);
}

TEST(past, remembers_the_busiest_window_of_a_week_and_forgets_it_after_eight_days)
{
        const struct past_use scan = { 2500, 300 * 1024 };
        struct past past = past_of(&scan, 1);
        for (int hour = 0; hour < 7 * 24; hour++)
                past_add(&past, &usual, HOUR_MS);
        CHECK(past_most(&past).cpu_permille == 2500 && past_most(&past).memory_kib == 300 * 1024);
        for (int hour = 0; hour < 24; hour++)
                past_add(&past, &usual, HOUR_MS);
        CHECK(past_most(&past).cpu_permille == 200 && past_most(&past).memory_kib == 100 * 1024);
}

TEST(past, of_an_engine_that_was_not_there_for_long_is_no_past)
{
        struct past past = past_of(&usual, 100);
        past_add(&past, &usual, INT64_MAX);
        CHECK(!past_is_enough(&past));
        past_add(&past, &usual, -1);
        CHECK(past.day_ms < PAST_DAY_MS);
}

TEST(past, is_written_while_it_is_new_and_then_for_a_new_day_or_an_eighth_more)
{
        struct past kept = past_of(&usual, PAST_WINDOWS_MIN - 1), now = kept;
        past_add(&now, &usual, MINUTE_MS);
        CHECK(past_is_news(&now, &kept));
        kept = now;
        past_add(&now, &usual, MINUTE_MS);
        CHECK(!past_is_news(&now, &kept));
        past_add(&now, &(struct past_use){ 226, 0 }, MINUTE_MS);
        CHECK(past_is_news(&now, &kept));
        now = kept;
        past_add(&now, &usual, PAST_DAY_MS);
        CHECK(past_is_news(&now, &kept));
}

/* "FBPS", its checksum, version 1, 60 s of the first day; one window of 200 permille and 102400 KiB. */
TEST(past, is_on_disk_as_it_was_in_the_first_version)
{
        static const uint8_t stored[48] = { 'F', 'B', 'P', 'S', 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x60, 0xea, 0, 0, 0, 0, 0, 0,
                                            1,   0,   0,   0,   0,    0,    0,    0,    0xc8, 0, 0, 0, 0, 0, 0, 0, 0, 0x90, 1, 0, 0, 0, 0, 0 };
        const struct past past = past_of(&usual, 1);
        const struct past_record record = past_pack(&past);
        struct past again;
        CHECK(sizeof(record) == 216 && memcmp(&record, stored, 4) == 0 && memcmp((const uint8_t *)&record + 8, stored + 8, sizeof(stored) - 8) == 0);
        CHECK(record.crc == 0xa81a26f8);
        CHECK(past_unpack(&record, sizeof(record), &again) && memcmp(&again, &past, sizeof(past)) == 0);
}

TEST(past, is_not_taken_from_what_is_damaged)
{
        const struct past past = past_of(&usual, 20);
        const struct past_record record = past_pack(&past);
        struct past again;
        CHECK(!past_unpack(&record, sizeof(record) - 1, &again) && !past_unpack("", 0, &again));
        for (size_t at = 0; at < sizeof(record); at++) {
                struct past_record damaged = record;
                ((uint8_t *)&damaged)[at] ^= 0x40;
                CHECK(!past_unpack(&damaged, sizeof(damaged), &again));
        }
        const struct past absurd = { .days = { { .windows = UINT64_MAX } } }, late = { .day_ms = PAST_DAY_MS };
        const struct past_record bad[] = { past_pack(&absurd), past_pack(&late) };
        CHECK(!past_unpack(&bad[0], sizeof(bad[0]), &again) && !past_unpack(&bad[1], sizeof(bad[1]), &again));
}

/* Windows of ten seconds with this use; after how many is it judged? 0: never. */
static unsigned judged_after(const struct past_use *use, unsigned windows, char text[PAST_TEXT_BYTES])
{
        struct past_watch watch = { 0 };
        const struct past_window window = { *use, 10000 };
        for (unsigned i = 1; i <= windows; i++)
                if (past_judge(&watch, &limits, &usual, &window, text))
                        return i;
        return 0;
}

TEST(past_judge, blames_what_is_too_much_for_too_long)
{
        char text[PAST_TEXT_BYTES];
        CHECK(judged_after(&(struct past_use){ 980, 0 }, 20, text) == 6);
        CHECK(strcmp(text, "cpu 98 % of a processor for 60 s, 20 % at most before") == 0);
        CHECK(judged_after(&(struct past_use){ 0, 201 * 1024 }, 20, text) == 6);
        CHECK(strcmp(text, "memory 201 MiB for 60 s, 100 MiB at most before") == 0);
}

TEST(past_judge, blames_nobody_for_less_than_the_share)
{
        char text[PAST_TEXT_BYTES];
        CHECK(judged_after(&(struct past_use){ 600, 200 * 1024 }, 20, text) == 0);
}

TEST(past_judge, blames_nobody_for_less_than_the_least_whatever_the_past)
{
        char text[PAST_TEXT_BYTES];
        struct past_watch watch = { 0 };
        const struct past_use idle = { 0, 0 };
        const struct past_window window = { { 250, 64 * 1024 }, 120000 }, more = { { 251, 0 }, 120000 };
        CHECK(!past_judge(&watch, &limits, &idle, &window, text) && !past_is_over(&watch) && watch.windows == 1);
        CHECK(past_judge(&watch, &limits, &idle, &more, text));
}

TEST(past_judge, begins_anew_after_a_window_that_was_well)
{
        char text[PAST_TEXT_BYTES];
        struct past_watch watch = { 0 };
        const struct past_window busy = { { 5000, 0 }, 20000 }, well = { { 100, 0 }, 10000 };
        CHECK(!past_judge(&watch, &limits, &usual, &busy, text) && !past_judge(&watch, &limits, &usual, &busy, text) && past_is_over(&watch));
        CHECK(!past_judge(&watch, &limits, &usual, &well, text) && !past_is_over(&watch));
        CHECK(!past_judge(&watch, &limits, &usual, &busy, text) && !past_judge(&watch, &limits, &usual, &busy, text));
        CHECK(past_judge(&watch, &limits, &usual, &busy, text));
}

TEST(past_judge, looks_only_at_what_is_asked_for)
{
        char text[PAST_TEXT_BYTES];
        struct past_watch watch = { 0 };
        const struct agent_resources memory = { .memory = 200, .for_s = 60, .cpu_least = 25, .memory_least_mb = 64 };
        const struct past_window busy = { { 9000, 0 }, 3600000 };
        CHECK(!past_judge(&watch, &memory, &usual, &busy, text) && !past_is_over(&watch));
}
