#include "replay/words.h"

#include "replay/hand_made.h"

#include <math.h>

#define SAID(call, ...) \
        do { \
                OWN(buf) struct buf said_; \
                buf_init(&said_, 4096); \
                call; \
                if (strcmp(buf_text(&said_), (__VA_ARGS__)) != 0) \
                        printf("# said: %s\n", buf_text(&said_)); \
                CHECK(strcmp(buf_text(&said_), (__VA_ARGS__)) == 0); \
        } while (0)

TEST(words, write_figures_for_people)
{
        SAID(words_count(&said_, 0), "0");
        SAID(words_count(&said_, 999), "999");
        SAID(words_count(&said_, 1000), "1,000");
        SAID(words_count(&said_, 8500000), "8,500,000");
        SAID(words_count(&said_, -1), "-");
        SAID(words_span(&said_, 119), "119 s");
        SAID(words_span(&said_, 4680), "78 min");
        SAID(words_span(&said_, 7200), "2 h");
        SAID(words_span(&said_, 12000), "3 h 20 min");
        SAID(words_span(&said_, 345600), "4 d");
        SAID(words_span(&said_, 180000), "2 d 2 h");
        SAID(words_span(&said_, -1), "-");
        SAID(words_ppm(&said_, 20000), "2%");
        SAID(words_ppm(&said_, 100), "0.01%");
        SAID(words_ppm(&said_, 125000), "12.5%");
        SAID(words_value(&said_, 0.34), "0.3");
        SAID(words_value(&said_, 12345.6), "12,345");
        SAID(words_value(&said_, NAN), "-");
        SAID(words_value(&said_, 9999999999.0), "9,999,999,999");
        SAID(words_value(&said_, 24185450253198.0), "2.4e13");
        SAID(words_value(&said_, 1e308), "1.0e308");
        SAID(words_value(&said_, INFINITY), "beyond all numbers");
}

TEST(words, explain_the_marks_that_are_there)
{
        struct scenario scenario = { .source = "TV: a report. It was read (V2: elsewhere).", .guessed = "" };
        SAID(words_marks(&said_, &scenario), "V2: read in one that quotes it.");
        scenario.source = "V: a report";
        scenario.guessed = "half of them,\nM: as we think";
        SAID(words_marks(&said_, &scenario), "V: read in the source that is named; M: from memory, not verified.");
        scenario = (struct scenario){ .source = "No event: a release", .guessed = NULL };
        SAID(words_marks(&said_, &scenario), "");
}

TEST(words, name_all_that_a_plot_rests_on)
{
        OWN(hand_made) struct hand_made made;
        hand_make(&made, 1, 0);
        made.scenario.fleet.office_ppm = 500000;
        made.scenario.fleet.laptop_ppm = 300000;
        made.scenario.weather.dark_ppm = 5000;
        made.scenario.weather.crash_ppm_per_day = 1000;
        made.scenario.start = "tue 15:00";
        SAID(words_assumed(&said_, &made.study, &made.scenario),
             "Assumed: 200,000 devices from tue 15:00 UTC on; 50% are desktops on in office hours, 30% laptops on by fits; whatever they run, 0.5% drop out in 12 min and 0.1% crash in a day; "
             "bake 10 min, gap 2 min, silence bounded; at most 1,000,000 new exposures in a bake; 4 controls for each, 2% held out; alpha 0.01%; complete when proven by 95% of those that check in; "
             "the median of seeds 7 to 9.");
        made.study.plan.policy.bound_silence = 0;
        made.study.plan.seeds = 1;
        OWN(buf) struct buf said;
        buf_init(&said, 4096);
        words_assumed(&said, &made.study, &made.scenario);
        CHECK(strstr(buf_text(&said), "gap 2 min, silence not bounded, explicit signals alone; ") && strstr(buf_text(&said), "; seed 7."));
}

TEST(words, say_who_stopped_it)
{
        struct study_row row = { .run_count = 5 };
        SAID(words_stopped(&said_, &row), "-");
        row.stopped[ROLLOUT_BY_GATE] = 5;
        SAID(words_stopped(&said_, &row), "gate");
        row.stopped[ROLLOUT_BY_GATE] = 3;
        row.stopped[ROLLOUT_BY_BUDGET] = 1;
        SAID(words_stopped(&said_, &row), "gate 3, budget 1 of 5");
        row.stopped[ROLLOUT_BY_GATE] = 0;
        SAID(words_stopped(&said_, &row), "budget 1 of 5");
}

TEST(headline, says_what_happened_in_each_of_the_ways_it_can)
{
        OWN(hand_made) struct hand_made made;
        hand_make(&made, 1, 0);
        made.scenario.history.hurt = -1;
        made.study.rows[0].run_count = 1;
        struct replay_result *run = &made.study.rows[0].runs[0];
        made.study.rows[0].typical = 0;
        SAID(words_headline(&said_, &made.study, &made.scenario), "Firebreak with a harm budget of 30 stopped it after 12 min; 31 of 200,000 devices were hurt.");
        run->stop_s = run->complete_s = -1;
        run->hurt = 1;
        SAID(words_headline(&said_, &made.study, &made.scenario),
             "Firebreak with a harm budget of 30 neither stopped it nor finished it within 4 d; 1 of 200,000 devices was hurt.");
        made.scenario.faults.count = 0;
        run->complete_s = 18000;
        run->hurt = 0;
        SAID(words_headline(&said_, &made.study, &made.scenario),
             "Firebreak with a harm budget of 30 called this good release complete after 5 h; in all 33 of 200,000 devices got it, and none of them was hurt.");
        made.scenario.faults.count = 1;
        run->exposed = 190000;
        run->hurt = 1;
        SAID(words_headline(&said_, &made.study, &made.scenario),
             "Firebreak with a harm budget of 30 called it complete after 5 h; in all 190,000 of 200,000 devices got it, and 1 of them was hurt.");
        run->hurt = 1200;
        SAID(words_headline(&said_, &made.study, &made.scenario),
             "Firebreak with a harm budget of 30 called it complete after 5 h; in all 190,000 of 200,000 devices got it, and 1,200 of them were hurt.");
}

TEST(overview, counts_what_was_stopped_and_what_was_finished)
{
        OWN(hand_made) struct hand_made made;
        hand_make(&made, 1, 0);
        SAID(words_overview(&said_, &made.study), "Firebreak with a harm budget of 30 stopped 1 of 1 bad releases, with at most 32 devices hurt in any of these.");
        for (size_t i = 0; i < made.study.row_count; i++)
                made.study.rows[i].stop_s.median = -1;
        made.study.rows[0].complete_s.median = 9000;
        made.scenario.faults.count = 0;
        SAID(words_overview(&said_, &made.study), "Firebreak with a harm budget of 30 stopped 0 of 0 bad releases, and completed 1 of 1 good ones.");
}
