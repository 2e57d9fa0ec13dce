#include "replay/truth.h"

#include "replay/made.h"

static const int64_t MINUTE = 60 * 1000;

struct told { struct made made; struct fleet *fleet; struct truth truth; };

static void told_done(struct told *told) { fleet_close(told->fleet); }
static inline void told_release(struct told *told) { told_done(told); }

static void told_init(struct told *told, unsigned faults)
{
        told->made.scenario.faults.count = faults;
        CHECK(fleet_open(&told->made.scenario, 20000, 5, &told->fleet, NULL) == OK);
        CHECK(truth_init(&told->truth, told->fleet, &told->made.scenario, NULL) == OK);
}

static uint32_t strikes(const struct told *told, int64_t at_ms)
{
        uint32_t count = 0;
        for (uint32_t device = 0; device < told->fleet->devices; device++)
                count += truth_strikes(&told->truth, 0, device, at_ms);
        return count;
}

TEST(truth, strikes_whom_the_attributes_and_the_draws_say)
{
        OWN(told) struct told told;
        made_init(&told.made);
        told.made.faults[0].susceptible_ppm = 500000;
        told.made.faults[0].harm_ppm = 200000;
        told_init(&told, 1);
        uint32_t susceptible = truth_count_susceptible(&told.truth), struck = strikes(&told, 0);
        CHECK(susceptible > 2800 && susceptible < 3200 && struck > 530 && struck < 670);
        for (uint32_t device = 0; device < told.fleet->devices; device++)
                CHECK(fleet_is_among(told.fleet, device, &told.truth.faults[0].only) || !truth_strikes(&told.truth, 0, device, 0));
}

TEST(truth, flaps_between_good_and_bad)
{
        OWN(told) struct told told;
        made_init(&told.made);
        told.made.faults[0].flaps_s = 300;
        told_init(&told, 1);
        CHECK(!strikes(&told, 0) && !strikes(&told, 5 * MINUTE - 1) && !strikes(&told, 12 * MINUTE));
        CHECK(strikes(&told, 5 * MINUTE) && strikes(&told, 16 * MINUTE));
}

TEST(truth, breaks_out_by_its_law)
{
        static const char *const laws[] = { "load", "random", "date", "revert" };
        for (unsigned i = 0; i < 4; i++) {
                OWN(told) struct told told;
                made_init(&told.made);
                told.made.faults[0].onset = laws[i];
                told.made.faults[0].after_s = 600;
                told_init(&told, 1);
                double sum = 0;
                for (uint32_t device = 0; device < 20000; device++)
                        sum += (double)(truth_onset_ms(&told.truth, 0, device, 5 * MINUTE) - 5 * MINUTE);
                double mean_ms = sum / 20000;
                double wanted_ms = i == 2 ? 5 * MINUTE : 10 * MINUTE, slack_ms = i == 1 ? 15000 : 1;
                CHECK(mean_ms > wanted_ms - slack_ms && mean_ms < wanted_ms + slack_ms);
        }
}

/* After the date: at once. */
TEST(truth, of_a_date_that_has_passed_breaks_out_at_once)
{
        OWN(told) struct told told;
        made_init(&told.made);
        told.made.faults[0].onset = "date";
        told.made.faults[0].after_s = 600;
        told_init(&told, 1);
        CHECK(truth_onset_ms(&told.truth, 0, 1, 20 * MINUTE) == 20 * MINUTE);
}

TEST(truth, is_told_by_some_and_kept_by_others)
{
        OWN(told) struct told told;
        uint32_t by_sign[3] = { 0 };
        made_init(&told.made);
        told.made.faults[0] = told.made.faults[1];
        told.made.faults[0].told_ppm = 250000;
        told.made.faults[0].untold = "nothing";
        told_init(&told, 1);
        for (uint32_t device = 0; device < 20000; device++)
                by_sign[truth_sign(&told.truth, 0, device)]++;
        CHECK(told.truth.faults[0].kind == ROLLOUT_CRASH && by_sign[TRUTH_TELLS] > 4700 && by_sign[TRUTH_TELLS] < 5300 && !by_sign[TRUTH_IS_SILENT]);
}

TEST(truth, is_seen_by_some_preflights)
{
        OWN(told) struct told told;
        uint32_t refused = 0;
        made_init(&told.made);
        told.made.faults[0].preflight_ppm = 500000;
        told_init(&told, 1);
        for (uint32_t device = 0; device < 20000; device++) {
                refused += truth_refuses(&told.truth, device, 0);
                CHECK(!truth_refuses(&told.truth, device, 0) || truth_strikes(&told.truth, 0, device, 0));
        }
        CHECK(refused > 2800 && refused < 3200);
}
