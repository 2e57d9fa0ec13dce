#include "replay/world.h"

#include "base/limits.h"
#include "replay/made.h"

#include <math.h>
#include <string.h>

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DEVICES = 20000, LEASE_MS = 720000, ROUND_MS = 15000 };

/* A world where everybody gets a lease by hand, and an ear that keeps what it hears of each handle. */
struct tried {
        struct made made;
        struct world *world;
        uint32_t round, handles;
        struct heard { int64_t first_ms; enum rollout_outcome first; uint32_t reports, harms; enum rollout_signal kind; } *heard;
};

static enum err hear(void *user, const struct rollout_report *report, struct why *why)
{
        struct tried *tried = user;
        struct heard *heard = &tried->heard[report->handle];
        (void)why;
        if (!heard->reports++) {
                heard->first_ms = report->now_ms - tried->world->weather.start_ms;
                heard->first = report->outcome;
        }
        if (report->outcome == ROLLOUT_HARMED) {
                heard->harms++;
                heard->kind = report->kind;
        }
        return OK;
}

static inline void tried_release(struct tried *tried)
{
        world_close(tried->world);
        free(tried->heard);
}

static void tried_init(struct tried *tried, unsigned faults, uint32_t handles)
{
        tried->made.scenario.faults.count = faults;
        struct world_config config = { .scenario = &tried->made.scenario, .devices = DEVICES, .rounds = 345600000 / ROUND_MS, .round_ms = ROUND_MS, .bake_ms = 600000, .seed = 11 };
        tried->round = tried->handles = 0;
        tried->heard = calloc(handles, sizeof(*tried->heard));
        CHECK(tried->heard && world_open(&config, &tried->world, NULL) == OK);
        tried->world->ear = (struct world_ear){ hear, tried };
}

static int64_t now_ms(const struct tried *tried) { return (int64_t)tried->round * ROUND_MS; }

static void live_until(struct tried *tried, int64_t until_ms)
{
        for (; now_ms(tried) < until_ms; tried->round++)
                CHECK(world_happen(tried->world, tried->round, NULL) == OK);
}

static uint32_t count_waiting(const struct tried *tried)
{
        static struct rollout_device line[DEVICES];
        return (uint32_t)world_line(tried->world, (struct world_range){ 0, DEVICES }, now_ms(tried), line);
}

static void lease(struct tried *tried, uint32_t device, bool is_control)
{
        struct world_lease lease = { device, tried->handles++, is_control, now_ms(tried), now_ms(tried) + LEASE_MS };
        CHECK(world_grant(tried->world, &lease, NULL) == OK);
}

static void expose_all(struct tried *tried)
{
        for (uint32_t device = 0; device < DEVICES; device++)
                lease(tried, device, false);
}

TEST(world, hears_of_a_good_release_that_it_is_well)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried_init(&tried, 0, DEVICES);
        CHECK(count_waiting(&tried) == DEVICES);
        expose_all(&tried);
        CHECK(!count_waiting(&tried));
        live_until(&tried, LEASE_MS);
        for (uint32_t i = 0; i < DEVICES; i++)
                CHECK(tried.heard[i].reports == 1 && tried.heard[i].first == ROLLOUT_PROVEN && tried.heard[i].first_ms > 600000 && tried.heard[i].first_ms < 610000);
        struct world_counts counts = world_counts_at(tried.world, now_ms(&tried));
        CHECK(counts.exposed == DEVICES && counts.proven == DEVICES && !counts.hurt && !count_waiting(&tried) && world_is_at_rest(tried.world));
}

struct arms { uint32_t leases[2], dark[2]; };

/* Each device gets one lease, some time within six hours, if it is on then; in one arm or the other. */
static struct arms try_for_six_hours(struct tried *tried)
{
        enum { TURNS = 24, TURN_MS = 15 * MINUTE_MS };
        static struct rollout_device line[DEVICES];
        static int64_t due_ms[DEVICES];
        static bool is_control[DEVICES];
        struct arms arms = { 0 };
        for (unsigned turn = 0; turn < TURNS; turn++) {
                size_t count = world_line(tried->world, (struct world_range){ 0, DEVICES }, now_ms(tried), line);
                for (size_t i = 0; i < count; i++) {
                        uint64_t draw = chance_mix(line[i].device + 99);
                        if (draw % TURNS != turn)
                                continue;
                        due_ms[tried->handles] = now_ms(tried) + LEASE_MS;
                        is_control[tried->handles] = draw >> 32 & 1;
                        lease(tried, line[i].device, draw >> 32 & 1);
                }
                live_until(tried, now_ms(tried) + TURN_MS);
        }
        for (uint32_t i = 0; i < tried->handles; i++) {
                arms.leases[is_control[i]]++;
                arms.dark[is_control[i]] += !tried->heard[i].reports || tried->heard[i].first_ms > due_ms[i];
        }
        return arms;
}

static bool is_alike(const struct arms *arms)
{
        double n[2] = { arms->leases[0], arms->leases[1] }, rate = (arms->dark[0] + arms->dark[1]) / (n[0] + n[1]);
        return fabs(arms->dark[0] / n[0] - arms->dark[1] / n[1]) < 3 * sqrt(rate * (1 - rate) * (1 / n[0] + 1 / n[1]));
}

/* From 14:00 to 20:00: offices close, without a goodbye. */
TEST(world, darkens_both_arms_alike_in_the_evening)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.scenario.start = "tue 14:00";
        tried.made.scenario.fleet.office_ppm = 500000;
        tried.made.scenario.fleet.laptop_ppm = 200000;
        tried.made.scenario.weather.dark_ppm = 5000;
        tried_init(&tried, 0, DEVICES);
        struct arms arms = try_for_six_hours(&tried);
        CHECK(arms.leases[0] > 6000 && arms.leases[1] > 6000 && arms.dark[0] > 200 && arms.dark[1] > 200 && is_alike(&arms));
}

TEST(world, darkens_both_arms_alike_when_reports_get_lost_and_power_is_cut)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.scenario.weather.lost_ppm = tried.made.scenario.weather.late_ppm = 20000;
        tried.made.scenario.weather.repeated_ppm = 50000;
        tried.made.scenario.weather.power_cuts_ppm_per_day = 200000;
        tried_init(&tried, 0, DEVICES);
        struct arms arms = try_for_six_hours(&tried);
        CHECK(arms.dark[0] > 250 && arms.dark[1] > 250 && is_alike(&arms));
}

TEST(world, lets_no_control_device_go_for_good)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.scenario.weather.lost_ppm = 300000;
        tried.made.scenario.weather.late_ppm = 300000;
        tried.made.scenario.weather.repeated_ppm = 300000;
        tried.made.scenario.weather.dark_ppm = 100000;
        tried.made.scenario.weather.crash_ppm_per_day = 1000000;
        tried_init(&tried, 0, 5 * DEVICES);
        for (unsigned turn = 0; turn < 5; turn++) {
                CHECK(count_waiting(&tried) == DEVICES);
                for (uint32_t device = 0; device < DEVICES; device++)
                        lease(&tried, device, true);
                CHECK(!count_waiting(&tried));
                live_until(&tried, now_ms(&tried) + LEASE_MS + ROUND_MS);
        }
}

TEST(world, counts_a_silent_brick_as_hurt_and_hears_nothing)
{
        OWN(tried) struct tried tried;
        uint32_t unheard = 0;
        made_init(&tried.made);
        tried_init(&tried, 1, DEVICES);
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        for (uint32_t i = 0; i < DEVICES; i++)
                unheard += !tried.heard[i].reports;
        struct world_counts counts = world_counts_at(tried.world, now_ms(&tried));
        CHECK(counts.hurt == tried.world->fleet->stratum_sizes[1] && counts.hurt == unheard && counts.dark == unheard && counts.unwell == unheard);
        CHECK(counts.proven == DEVICES - unheard);
        CHECK(counts.hours_lost > unheard * .99 && counts.hours_lost < unheard);
}

TEST(world, cures_by_hand_after_the_stop)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried_init(&tried, 1, DEVICES);
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        CHECK(world_stop(tried.world, now_ms(&tried), NULL) == OK);
        live_until(&tried, 25 * HOUR_MS);
        CHECK(world_counts_at(tried.world, now_ms(&tried)).unwell == tried.world->counts.hurt);
        live_until(&tried, 25 * HOUR_MS + ROUND_MS);
        CHECK(!world_counts_at(tried.world, now_ms(&tried)).unwell && tried.world->counts.hurt);
}

TEST(world, tells_of_a_crash_once_and_cures_it_by_the_agent)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.faults[0] = tried.made.faults[1];
        tried_init(&tried, 1, DEVICES);
        expose_all(&tried);
        live_until(&tried, 5 * MINUTE_MS);
        CHECK(tried.world->counts.hurt == DEVICES && tried.world->counts.unwell == DEVICES && !tried.world->counts.dark);
        live_until(&tried, HOUR_MS);
        CHECK(!tried.world->counts.unwell && !tried.world->counts.proven && world_is_back(tried.world));
        for (uint32_t i = 0; i < DEVICES; i++)
                CHECK(tried.heard[i].reports == 1 && tried.heard[i].harms == 1 && tried.heard[i].kind == ROLLOUT_CRASH && tried.heard[i].first_ms < 66000);
}

TEST(world, tells_of_harm_after_it_was_proven)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.faults[0] = tried.made.faults[1];
        tried.made.faults[0].after_s = 7200;
        tried_init(&tried, 1, DEVICES);
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        CHECK(tried.world->counts.proven == DEVICES && !tried.world->counts.hurt);
        live_until(&tried, 3 * HOUR_MS);
        CHECK(tried.world->counts.hurt == DEVICES);
        for (uint32_t i = 0; i < DEVICES; i++)
                CHECK(tried.heard[i].reports == 2 && tried.heard[i].first == ROLLOUT_PROVEN && tried.heard[i].harms == 1);
}

/* All that ask within a poll's time. */
static void take_all_back(struct tried *tried)
{
        struct world_range ranges[2];
        for (unsigned i = 0; i < 5 * MINUTE_MS / ROUND_MS; i++) {
                live_until(tried, now_ms(tried) + ROUND_MS);
                world_polls(tried->world, now_ms(tried) - ROUND_MS, ROUND_MS, ranges);
                for (unsigned k = 0; k < 2; k++)
                        CHECK(world_take_back(tried->world, ranges[k], now_ms(tried), NULL) == OK);
        }
}

TEST(world, takes_back_what_has_not_broken_out_yet)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.faults[0].onset = "date";
        tried.made.faults[0].after_s = 7200;
        tried.made.faults[0].only.count = 0;
        tried_init(&tried, 1, DEVICES);
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        take_all_back(&tried);
        CHECK(world_is_back(tried.world));
        live_until(&tried, 3 * HOUR_MS);
        CHECK(!tried.world->counts.hurt);
}

/* Whose turn is over: all but those who have yet to ask for the first time. */
static uint32_t count_turns(const struct tried *tried, int64_t after_ms, int64_t over_s)
{
        struct rollout_device facts;
        uint32_t count = 0;
        for (uint32_t i = 0; i < DEVICES; i++) {
                fleet_facts(tried->world->fleet, i, &facts);
                count += withdrawal_turn_ms(facts.bucket, over_s) < after_ms;
        }
        return count;
}

TEST(world, goes_back_device_by_device_when_it_is_their_turn)
{
        enum { OVER_S = 3600 };
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried_init(&tried, 0, DEVICES);
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        world_withdraw(tried.world, HOUR_MS, OVER_S);
        uint32_t before = DEVICES;
        for (unsigned i = 1; i <= 12; i++) {
                take_all_back(&tried);
                uint32_t turns = count_turns(&tried, i * 5 * MINUTE_MS, OVER_S);
                CHECK(tried.world->running_count == DEVICES - turns && tried.world->running_count <= before);
                before = tried.world->running_count;
                CHECK(i > 11 || before > DEVICES / 3);
        }
        CHECK(world_is_back(tried.world));
}

TEST(world, lets_those_go_at_once_whom_it_harmed)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.faults[0] = tried.made.faults[1];
        tried.made.faults[0].only = (struct yaml_texts){ 1, tried.made.only };
        tried.made.faults[0].sign = "resource";
        tried.made.faults[0].heals = "revert";
        tried_init(&tried, 1, DEVICES);
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        uint32_t hurt = tried.world->counts.unwell;
        CHECK(hurt > DEVICES / 5 && hurt < DEVICES / 2);
        world_withdraw(tried.world, HOUR_MS, LIMIT_ROLL_BACK_S);
        take_all_back(&tried);
        CHECK(tried.world->running_count <= DEVICES - hurt && tried.world->running_count >= DEVICES - hurt - 5);
        live_until(&tried, 2 * HOUR_MS);
        CHECK(!tried.world->counts.unwell);
}

TEST(world, is_cured_or_hurt_by_the_way_back)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.faults[0].heals = "revert";
        tried.made.faults[0].heals_after_s = 60;
        tried.made.faults[1].onset = "revert";
        tried.made.faults[1].only = (struct yaml_texts){ 1, (const char *[]){ "os=mac" } };
        tried.made.faults[1].heals = "never";
        tried_init(&tried, 2, DEVICES);
        const uint32_t *sizes = tried.world->fleet->stratum_sizes;
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        CHECK(tried.world->counts.hurt == sizes[1] && tried.world->counts.dark == sizes[1]);
        take_all_back(&tried);
        live_until(&tried, 2 * HOUR_MS);
        CHECK(tried.world->counts.hurt == sizes[1] + sizes[2] && tried.world->counts.unwell == sizes[2] && world_is_back(tried.world));
}

TEST(world, harms_nobody_who_is_off_until_it_is_on_again)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.scenario.fleet.office_ppm = 1000000;
        tried.made.faults[0].only.count = 0;
        tried.made.faults[0].after_s = 12 * 3600;
        tried_init(&tried, 1, DEVICES);
        expose_all(&tried);
        live_until(&tried, 21 * HOUR_MS);
        CHECK(!tried.world->counts.hurt);
        live_until(&tried, 24 * HOUR_MS);
        CHECK(tried.world->counts.hurt == DEVICES);
}

TEST(world, loses_nobody_from_its_counts)
{
        OWN(tried) struct tried tried;
        made_init(&tried.made);
        tried.made.faults[0].preflight_ppm = 200000;
        tried.made.faults[1].susceptible_ppm = 100000;
        tried.made.faults[1].told_ppm = 500000;
        tried_init(&tried, 2, DEVICES);
        expose_all(&tried);
        live_until(&tried, HOUR_MS);
        struct world_counts counts = world_counts_at(tried.world, now_ms(&tried));
        CHECK(counts.refused && counts.refused + counts.exposed == DEVICES && counts.proven + counts.hurt == counts.exposed);
        CHECK(counts.dark < counts.hurt && counts.unwell <= counts.hurt);
        uint32_t told = 0, refused = 0;
        for (uint32_t i = 0; i < DEVICES; i++) {
                told += tried.heard[i].harms;
                refused += tried.heard[i].reports && tried.heard[i].first == ROLLOUT_PREFLIGHT_FAILED;
        }
        CHECK(refused == counts.refused && told == counts.hurt - counts.dark);
}

/* One device in five lies; all get the release, then a shadow lease, and the release kills those with linux. */
static void let_lie(struct tried *tried, const char *liars)
{
        made_init(&tried->made);
        tried->made.scenario.fleet.liars_ppm = 200000;
        tried->made.scenario.fleet.liars = liars;
        tried_init(tried, 1, 2 * DEVICES);
        expose_all(tried);
        live_until(tried, HOUR_MS);
        for (uint32_t device = 0; device < DEVICES; device++)
                lease(tried, device, true);
        live_until(tried, 2 * HOUR_MS);
        CHECK(tried->world->counts.hurt == tried->world->fleet->stratum_sizes[1]);
}

static uint32_t count_first(const struct tried *tried, uint32_t from, enum rollout_outcome outcome)
{
        uint32_t count = 0;
        for (uint32_t i = from; i < from + DEVICES; i++)
                count += tried->heard[i].reports && tried->heard[i].first == outcome;
        return count;
}

static uint32_t count_liars(const struct tried *tried, bool must_be_hurt)
{
        uint32_t count = 0;
        for (uint32_t i = 0; i < DEVICES; i++)
                count += fleet_lie(tried->world->fleet, i) && (!must_be_hurt || tried->world->ills[i]);
        return count;
}

TEST(world, hears_that_all_is_fine_from_liars_that_are_bricks)
{
        OWN(tried) struct tried tried;
        let_lie(&tried, "fine");
        uint32_t hurt = tried.world->counts.hurt, hidden = count_liars(&tried, true);
        CHECK(hidden > hurt / 6 && hidden < hurt / 4);
        CHECK(count_first(&tried, 0, ROLLOUT_PROVEN) == DEVICES - hurt + hidden && !count_first(&tried, 0, ROLLOUT_HARMED));
        CHECK(count_first(&tried, DEVICES, ROLLOUT_PROVEN) == DEVICES);
}

TEST(world, hears_that_they_crashed_from_liars_in_both_arms)
{
        OWN(tried) struct tried tried;
        let_lie(&tried, "hurt");
        uint32_t liars = count_liars(&tried, false);
        CHECK(liars > DEVICES / 6 && liars < DEVICES / 4);
        CHECK(count_first(&tried, 0, ROLLOUT_HARMED) == liars && count_first(&tried, DEVICES, ROLLOUT_HARMED) == liars);
}

TEST(world, hears_that_they_crashed_from_liars_that_were_exposed)
{
        OWN(tried) struct tried tried;
        let_lie(&tried, "hurt_when_exposed");
        CHECK(count_first(&tried, 0, ROLLOUT_HARMED) == count_liars(&tried, false) && count_first(&tried, DEVICES, ROLLOUT_PROVEN) == DEVICES);
}

TEST(world, is_asked_by_each_device_once_in_a_poll)
{
        OWN(tried) struct tried tried;
        uint32_t next = 0;
        made_init(&tried.made);
        tried_init(&tried, 0, 1);
        for (int64_t from_ms = 3600000; from_ms < 3900000; from_ms += 7000) {
                struct world_range ranges[2];
                world_polls(tried.world, from_ms, from_ms + 7000 > 3900000 ? 3900000 - from_ms : 7000, ranges);
                CHECK(ranges[0].from == next && ranges[1].from >= ranges[1].to);
                next = ranges[0].to;
        }
        CHECK(next == DEVICES);
        struct world_range around[2];
        world_polls(tried.world, 290000, 20000, around);
        uint32_t asked = around[0].to - around[0].from + around[1].to;
        CHECK(around[0].to == DEVICES && around[1].from == 0 && (asked == DEVICES * 20 / 300 || asked == DEVICES * 20 / 300 + 1));
}

TEST(world, sees_each_device_once)
{
        OWN(tried) struct tried tried;
        uint32_t at = 0, device, seen = 0;
        const struct world_range all = { 0, DEVICES };
        made_init(&tried.made);
        tried.made.scenario.fleet.office_ppm = 300000;
        tried.made.scenario.start = "tue 03:00";
        tried_init(&tried, 0, 1);
        for (at = 0; world_next_seen(tried.world, all, 0, &at, &device);)
                seen++;
        CHECK(seen > 13500 && seen < 14500);
        for (at = 0; world_next_seen(tried.world, all, 8 * HOUR_MS, &at, &device);)
                seen++;
        CHECK(seen == DEVICES && tried.world->counts.seen == DEVICES);
}

/* Memory for what it holds: 14 bytes and 3 bits a device. */
TEST(world, of_two_million_opens)
{
        struct made made;
        OWN(world) struct world *world = NULL;
        made_init(&made);
        struct world_config config = { .scenario = &made.scenario, .devices = 2000000, .rounds = 10, .round_ms = ROUND_MS, .bake_ms = 600000, .seed = 11 };
        CHECK(world_open(&config, &world, NULL) == OK && world->fleet->devices == 2000000);
        CHECK(sizeof(*world->states) + sizeof(*world->ills) + sizeof(*world->fleet->profiles) + sizeof(*world->fleet->site_of) + sizeof(*world->fleet->who) == 14);
}
