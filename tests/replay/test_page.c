#include "replay/page.h"

#include "replay/hand_made.h"
#include "replay/xml.h"
#include "support/sweep.h"

static const char *written(const struct hand_made *made, struct buf *into)
{
        buf_init(into, LIMIT_PAGE_BYTES);
        CHECK(page_write(&made->study, "firebreak replay odd --x=<1>", into, NULL) == OK);
        return buf_text(into);
}

TEST(page, is_well_formed_and_lets_no_text_become_markup)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf page;
        hand_make(&made, 1, 100);
        const char *text = written(&made, &page);
        CHECK(xml_is_whole(text));
        CHECK(!strstr(text, "<script") && strstr(text, "&lt;script&gt;alert(1)&lt;/script&gt;") && strstr(text, "A &lt;title&gt; &amp; more"));
        CHECK(strstr(text, "id=\"s-odd&amp;name\"") && strstr(text, "--x=&lt;1&gt;") && strstr(text, "It says &lt;what&gt;"));
}

TEST(page, needs_nothing_from_elsewhere)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf page;
        hand_make(&made, 3, 100);
        const char *text = written(&made, &page);
        CHECK(!strstr(text, "src=") && !strstr(text, "url(") && !strstr(text, "@import") && !strstr(text, "<link"));
        CHECK(strstr(text, "default-src 'none'"));
        for (const char *at = text; (at = strstr(at, "http")); at++)
                CHECK(strncmp(at, "http://www.w3.org/", 18) == 0 || strncmp(at, "http-equiv", 10) == 0);
}

TEST(page, says_what_happened_and_what_it_rests_on)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf page;
        hand_make(&made, 1, 100);
        const char *text = written(&made, &page);
        CHECK(strstr(text, "Firebreak with a harm budget of 30 stopped it after 12 min; 32 of 200,000 devices were hurt (the middle one of 3 runs)."));
        CHECK(strstr(text, "As it was, it hurt 8,500,000 devices.") && strstr(text, "firebreak " FIREBREAK_VERSION) && strstr(text, "<dd>7 to 9</dd>"));
        CHECK(strstr(text, "the rollout library") && strstr(text, "<dt>Bake</dt><dd>10 min</dd>") && strstr(text, "<dd>0.01%</dd>"));
        static const char *const plots[] = { "s0-exposed", "s0-hurt", "s0-window", "s0-evidence" };
        for (size_t i = 0; i < 4; i++)
                CHECK(strstr(text, plots[i]));
        CHECK(!strstr(text, "What a budget costs") && !strstr(text, "hole fleet after") && strstr(text, " Complete: 95% of the devices that had checked in by then, "));
}

TEST(page, shows_the_trade_off_of_several_budgets)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf page;
        hand_make(&made, 3, 100);
        const char *text = written(&made, &page);
        CHECK(xml_is_whole(text) && strstr(text, "s0-trade-hurt") && strstr(text, "With none of these budgets was it complete"));
        CHECK(strstr(text, "Assumed: 200,000 devices from ") && strstr(text, "<dt>Silence</dt><dd>counts as harm until it is ruled out</dd>"));
        CHECK(strstr(text, "firebreak, budget 100") && strstr(text, "<th scope=\"row\" class=\"n\">100</th>"));
}

TEST(page, is_the_same_for_the_same_study)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf one, two;
        hand_make(&made, 3, 10);
        CHECK(strcmp(written(&made, &one), written(&made, &two)) == 0);
}

/* A simulation of two days ends some seconds after them. */
TEST(page, names_no_two_columns_of_a_table_alike)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf page;
        hand_make(&made, 1, 2);
        for (size_t i = 0; i < made.study.row_count; i++)
                made.study.rows[i].runs[made.study.rows[i].typical].points[1].at_s = 172800 + 90;
        const char *text = written(&made, &page);
        CHECK(strstr(text, ">24 h</th><th scope=\"col\" class=\"n\">2 d</th></tr>"));
}

TEST(page, takes_series_of_no_point_and_of_one)
{
        for (uint32_t points = 0; points < 2; points++) {
                OWN(hand_made) struct hand_made made;
                OWN(buf) struct buf page;
                hand_make(&made, 1, points);
                CHECK(xml_is_whole(written(&made, &page)));
        }
}

TEST(page, takes_the_largest_numbers_there_are)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf page;
        hand_make(&made, 1, 2);
        struct replay_result *run = &made.study.rows[0].runs[made.study.rows[0].typical];
        run->fleet = run->exposed = run->hurt = UINT32_MAX;
        run->device_hours_lost = 1e300;
        run->stop_s = INT64_MAX;
        run->points[1] = (struct replay_point){ INT64_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, 1e308 };
        made.scenario.history.hurt = INT64_MAX;
        const char *text = written(&made, &page);
        CHECK(xml_is_whole(text) && strstr(text, "1.0e300") && strstr(text, "9,223,372,036,854,775,807"));
}

TEST(page, folds_up_many_runs)
{
        OWN(hand_made) struct hand_made made;
        OWN(buf) struct buf page;
        hand_make(&made, 1, 2);
        CHECK(!strstr(written(&made, &page), "<summary>All"));
        struct study_row *row = &made.study.rows[1];
        row->runs = mem_resize(row->runs, 100 * sizeof(*row->runs));
        for (; row->run_count < 100; row->run_count++)
                hand_run(&row->runs[row->run_count], 5, -1, 0);
        buf_done(&page);
        CHECK(strstr(written(&made, &page), "<summary>All 103 of them</summary>"));
}

TEST(page, fails_cleanly_without_memory_or_room)
{
        OWN(hand_made) struct hand_made made;
        hand_make(&made, 3, 5);
        SWEEP_MEMORY_ONCE {
                OWN(buf) struct buf page;
                buf_init(&page, LIMIT_PAGE_BYTES);
                enum err e = page_write(&made.study, NULL, &page, NULL);
                CHECK(e == OK || e == ERR_NOMEM);
        }
        OWN(buf) struct buf small;
        buf_init(&small, 20000);
        CHECK(page_write(&made.study, NULL, &small, NULL) == ERR_LIMIT);
}
