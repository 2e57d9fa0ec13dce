#include "replay/run.h"

#include "replay/made.h"

#include <string.h>

TEST(replay, of_a_good_release_completes_and_hurts_nobody)
{
        struct made made;
        made_init(&made);
        struct replay_result result = made_run(&made, 1);
        CHECK(result.fleet == 20000 && !result.susceptible && !result.hurt && !result.dark && result.stop_s == -1);
        CHECK(result.complete_s > 0 && result.complete_s < 10 * 3600);
        CHECK(result.exposed > 19000 && result.exposed <= 20000);
        CHECK(!result.seen_hurt && !result.was_stopped_wrongly);
        replay_result_done(&result);
}

TEST(replay, of_a_brick_stops_within_the_budget)
{
        struct made made;
        made_init(&made);
        made.scenario.faults.count = 1;
        made.faults[0].only.count = 0;
        for (uint64_t seed = 1; seed <= 5; seed++) {
                struct replay_result result = made_run(&made, seed);
                CHECK(result.susceptible == 20000 && result.stop_s > 0 && result.stopped_by);
                CHECK(result.hurt > 0 && result.hurt <= 30 && result.dark == result.hurt && result.hurt_at_stop == result.hurt);
                CHECK(result.recovered == result.hurt && result.device_hours_lost > 24.0 * result.hurt);
                replay_result_done(&result);
        }
}

TEST(replay, of_a_fault_with_an_attribute_hurts_only_these)
{
        struct made made;
        made_init(&made);
        made.scenario.faults.count = 1;
        struct replay_result result = made_run(&made, 1);
        CHECK(result.susceptible > 5500 && result.susceptible < 6500);
        CHECK(result.stop_s > 0 && result.hurt && result.hurt <= 30 && result.exposed > result.hurt);
        CHECK(result.unanswered < result.exposed && result.control && !result.control_hurt);
        replay_result_done(&result);
}

static bool is_same_point(const struct replay_point *a, const struct replay_point *b)
{
        return a->at_s == b->at_s && a->exposed == b->exposed && a->proven == b->proven && a->hurt == b->hurt && a->seen_hurt == b->seen_hurt &&
               a->window == b->window && memcmp(&a->evidence, &b->evidence, sizeof(a->evidence)) == 0;
}

static void stormy(struct made *made)
{
        made_init(made);
        made->scenario.faults.count = 2;
        made->faults[0].susceptible_ppm = 3000;
        made->faults[1].susceptible_ppm = 1000;
        made->faults[1].told_ppm = 600000;
        made->scenario.fleet.office_ppm = 300000;
        made->scenario.fleet.laptop_ppm = 200000;
        made->scenario.weather = (struct scenario_weather){
                .crash_ppm_per_day = 1000, .dark_ppm = 1000, .dark_for_s = 14400, .lost_ppm = 2000, .late_ppm = 5000, .late_s = 3600, .repeated_ppm = 5000,
                .power_cuts_ppm_per_day = 100000, .power_cut_s = 3600, .early_factor_pct = 200, .outages = { 1, &made->outage },
        };
        made->outage = (struct scenario_outage){ 7200, 1800, 200000 };
}

TEST(replay, of_the_same_is_the_same)
{
        struct made made;
        struct replay_result results[3];
        stormy(&made);
        struct replay_config config = made_config(&made);
        config.points = 100;
        for (unsigned i = 0; i < 3; i++) {
                config.seed = i < 2 ? 7 : 8;
                CHECK(replay_run(&config, &results[i], NULL) == OK);
        }
        const struct replay_result *a = &results[0], *b = &results[1], *other = &results[2];
        CHECK(a->exposed == b->exposed && a->hurt == b->hurt && a->stop_s == b->stop_s && a->recovered == b->recovered && a->complete_s == b->complete_s);
        CHECK(memcmp(&a->device_hours_lost, &b->device_hours_lost, sizeof(double)) == 0 && !strcmp(a->sentence, b->sentence));
        CHECK(a->point_count == b->point_count && a->point_count > 20 && a->point_count <= 100);
        for (uint32_t i = 0; i < a->point_count; i++) {
                CHECK(is_same_point(&a->points[i], &b->points[i]));
                CHECK(!i || a->points[i].at_s >= a->points[i - 1].at_s);
        }
        CHECK(a->exposed != other->exposed || a->hurt != other->hurt || a->seen_hurt != other->seen_hurt || a->stop_s != other->stop_s);
        for (unsigned i = 0; i < 3; i++)
                replay_result_done(&results[i]);
}

struct told { unsigned times; double least, most; };

static void tell(void *user, double done)
{
        struct told *told = user;
        told->least = told->times++ && told->least < done ? told->least : done;
        told->most = told->most > done ? told->most : done;
}

TEST(replay, tells_how_far_it_is)
{
        struct made made;
        struct replay_result result;
        struct told told = { 0 };
        made_init(&made);
        made.scenario.fleet.devices = 500;
        struct replay_config config = made_config(&made);
        config.progress = tell;
        config.user = &told;
        CHECK(replay_run(&config, &result, NULL) == OK && told.times > 2 && told.least >= 0 && told.least < .1 && told.most > .1 && told.most <= 1);
}

/* Slower than the gap is dark by the deadline, in control as well; such a rollout goes slowly, if it goes at all. */
TEST(replay, of_a_fleet_that_switches_slowly_takes_longer)
{
        struct made made;
        made_init(&made);
        made.scenario.fleet.devices = 500;
        int64_t quick_s = made_run(&made, 1).complete_s;
        made.scenario.fleet.switch_s = 240;
        int64_t slow_s = made_run(&made, 1).complete_s;
        CHECK(quick_s > 0 && (slow_s < 0 || slow_s > quick_s));
}
