/* Anything in any order through the server's own handlers: what must hold is looked at from the outside, after each step.
 *
 * Two streams, devices that ask, report, repeat, lie about whose lease it is or say nothing, people who steer, releases that
 * come meanwhile, a signer that fails, clocks that jump, crashes. By seed. */
#include "server/rollouts/run.h"
#include "server/store/inside.h"
#include "server/world.h"

#include "format/hex.h"
#include "support/test.h"

#include <inttypes.h>

enum { SEEDS = 10, STEPS = 900, FLEET_MAX = 30, FLEET_FIRST = 20, STREAMS = 2, COUNTERS = 4, ROLLOUTS = 1 + STREAMS * COUNTERS, HISTORY = 24 };
static const char *const streams[STREAMS] = { "edr-rules", "other" };

struct unit {
        struct world_device base;
        char nonces[STREAMS][33];
        struct lease leases[HISTORY];            /* the newest, in a ring */
        uint8_t of_stream[HISTORY];
        unsigned lease_count;
        bool is_revoked;
};

struct storm {
        struct world world;
        struct unit units[FLEET_MAX];
        unsigned unit_count;
        uint64_t state;
        int controls;
        uint32_t good;                           /* so many reports in one that is not */
        int64_t counters[STREAMS], floors[STREAMS];
        uint8_t targets[STREAMS][COUNTERS + 1][32];
        int64_t signed_before[ROLLOUTS], reserved_before[ROLLOUTS];
        bool is_overridden[ROLLOUTS];
        unsigned exposures;
        bool is_silent;                          /* nobody reports, as when a network is down */
};

static uint32_t draw(struct storm *storm, uint32_t below)
{
        uint64_t z = storm->state += 0x9E3779B97F4A7C15;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return (uint32_t)((z ^ z >> 31) >> 16) % below;
}

static int64_t count(struct storm *storm, const char *sql, int64_t rollout)
{
        int64_t number = -1;
        CHECK(db_number(storm->world.store->db, sql, VALUES(bind_int(rollout)), 0, &number, NULL) == OK);
        return number;
}

#define COUNTED "SELECT count(*) FROM leases WHERE rollout = ?1 AND is_counted AND kind = 'exposure' AND "

static void enrol(struct storm *storm)
{
        char attributes[64];
        struct unit *unit = &storm->units[storm->unit_count++];
        snprintf(attributes, sizeof(attributes), "os=debian,os_version=%u,site=s%u", 11 + draw(storm, 2), draw(storm, 2));
        world_enrol(&storm->world, &unit->base, attributes);
        for (int s = 0; s < STREAMS; s++)
                memset(unit->nonces[s], '0', 32);
}

static void aim(struct storm *storm, unsigned stream, int64_t counter)
{
        storm->world.stream = streams[stream];
        memcpy(storm->world.target, storm->targets[stream][counter], 32);
}

/* One release more of a stream, sometimes with a higher floor; and mostly it is started. */
static void release(struct storm *storm, unsigned stream)
{
        char body[400];
        if (storm->counters[stream] == COUNTERS)
                return;
        int64_t counter = ++storm->counters[stream];
        if (!draw(storm, 3))
                storm->floors[stream] = counter;
        storm->world.stream = streams[stream];
        storm->world.floor = storm->floors[stream];
        storm->world.now_ms += 1000;
        CHECK(world_publish(&storm->world, counter) == 201);
        memcpy(storm->targets[stream][counter], storm->world.target, 32);
        world_prove(&storm->world, counter);
        snprintf(body, sizeof(body), "{\"stream\":\"%s\",\"counter\":%" PRId64 ",\"policy\":{\"budget\":3,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":%u,"
                 "\"controls\":%d,\"watch_s\":30,\"complete_ppm\":%u,\"cap_per_bake\":%u}}", streams[stream], counter, draw(storm, 2) * 100000, storm->controls,
                 draw(storm, 2) ? 200000 : 900000, draw(storm, 2) ? 4 : 100000);
        if (draw(storm, 3) && world_ask(&storm->world, "POST", "/api/v1/rollouts", body) != 201)
                CHECK(strstr(world_text(&storm->world, "detail"), "no device may get "));      /* the clock went back */
}

static void storm_open(struct storm *storm, uint64_t seed)
{
        world_open_file(&storm->world);
        storm->state = seed;
        storm->controls = seed % 2 ? 2 : 0;
        storm->good = seed % 4 < 2 ? 3 : 40;
        storm->floors[0] = storm->floors[1] = 1;
        while (storm->unit_count < FLEET_FIRST)
                enrol(storm);
        release(storm, 0);
        release(storm, 1);
}
static void storm_release(struct storm *storm) { world_close(&storm->world); }

/* All rollouts as people see them. */
static void views(struct storm *storm, struct buf *into)
{
        buf_clear(into);
        CHECK(world_ask(&storm->world, "GET", "/api/v1/rollouts?limit=20", NULL) == 200);
        buf_add(into, storm->world.answer.body.bytes, storm->world.answer.body.length);
        CHECK(buf_check(into, NULL) == OK);
}

static void check_same(struct storm *storm, const struct buf *before)
{
        OWN(buf) struct buf after;
        buf_init(&after, 1 << 20);
        views(storm, &after);
        CHECK(after.length == before->length && memcmp(after.bytes, before->bytes, after.length) == 0);
}

static void check_lease(const struct storm *storm, const struct unit *unit, unsigned stream, int64_t counter)
{
        const struct lease *lease = &unit->base.lease;
        CHECK(strcmp(lease->stream, streams[stream]) == 0);
        if (lease->is_shadow)
                CHECK(lease->counter == 0);
        else
                CHECK(lease->counter == (uint64_t)counter && memcmp(lease->target, storm->targets[stream][counter], 32) == 0);
}

static void ask(struct storm *storm)
{
        struct unit *unit = &storm->units[draw(storm, storm->unit_count)];
        unsigned stream = draw(storm, STREAMS);
        int64_t counter = draw(storm, 3) ? storm->counters[stream] : 1 + (int64_t)draw(storm, (uint32_t)storm->counters[stream]);
        bool is_new = unit->nonces[stream][0] == '0' || !draw(storm, 12);
        aim(storm, stream, counter);
        memcpy(unit->base.nonce, unit->nonces[draw(storm, 60) ? stream : 1 - stream], 33);       /* sometimes that of the other stream */
        int status = world_lease(&storm->world, &unit->base, counter, is_new);
        CHECK(status == 200 || status == 202 || status == 409 || status == 503 || (status == 401 && unit->is_revoked));
        memcpy(unit->nonces[stream], unit->base.nonce, 33);
        if (status == 409)
                unit->nonces[stream][0] = '0';
        if (status != 200)
                return;
        check_lease(storm, unit, stream, counter);
        unit->of_stream[unit->lease_count % HISTORY] = (uint8_t)stream;
        unit->leases[unit->lease_count++ % HISTORY] = unit->base.lease;
        storm->exposures += !unit->base.lease.is_shadow;
}

static int tell(struct storm *storm, struct unit *unit, const struct unit *whose, unsigned which)
{
        static const char *const bad[] = { "harmed", "declined", "preflight_failed" };
        const char *outcome = draw(storm, storm->good) ? "proven" : bad[draw(storm, 3)];
        storm->world.stream = streams[whose->of_stream[which]];
        unit->base.lease = whose->leases[which];
        hex_encode(unit->base.lease.nonce, 16, unit->base.nonce);
        return world_report(&storm->world, &unit->base, outcome, strcmp(outcome, "harmed") == 0 ? "crash" : "");
}

static int64_t answered(struct storm *storm)
{
        return count(storm, "SELECT count(*) FROM leases WHERE outcome IN ('harmed', 'proven', 'declined', 'preflight_failed') AND rollout > ?1", 0);
}

/* Of its newest lease mostly; now and then of an old one, of another's, or under a number that was taken. */
static void report(struct storm *storm)
{
        OWN(buf) struct buf before;
        struct unit *unit = &storm->units[draw(storm, storm->unit_count)], *whose = draw(storm, 20) ? unit : &storm->units[draw(storm, storm->unit_count)];
        buf_init(&before, 1 << 20);
        if (!whose->lease_count || storm->is_silent)
                return;
        unsigned age = draw(storm, 4) ? 0 : draw(storm, whose->lease_count < HISTORY ? whose->lease_count : HISTORY);
        bool is_again = unit->base.seq && !draw(storm, 6);
        if (unit->is_revoked)
                views(storm, &before);
        int64_t answered_before = answered(storm);
        unit->base.seq -= is_again;
        int status = tell(storm, unit, whose, (whose->lease_count - 1 - age) % HISTORY);
        CHECK(status == 200 || (status == 401 && unit->is_revoked));
        if (unit->is_revoked)
                check_same(storm, &before);
        if (whose != unit)
                CHECK(answered(storm) == answered_before);
}

static void say(struct storm *storm, unsigned stream, int64_t counter, const char *word)
{
        char path[96];
        struct run *run = rollouts_find(storm->world.store->rollouts, streams[stream], counter);
        snprintf(path, sizeof(path), "/api/v1/rollouts/%s/%" PRId64 "/%s", streams[stream], counter, word);
        int status = world_ask(&storm->world, "POST", path, "{\"who\":\"ann\",\"second\":\"bert\",\"reason\":\"test\"}");
        CHECK(status == 200 || status == 409 || (status == 404 && !run));
        if (status == 200 && strcmp(word, "override") == 0)
                storm->is_overridden[run_facts(run)->number] = true;
}

static void steer(struct storm *storm)
{
        static const char *const words[] = { "hold", "resume", "resume", "halt", "withdraw", "cancel", "override", "override", "override" };
        unsigned stream = draw(storm, STREAMS);
        say(storm, stream, 1 + (int64_t)draw(storm, (uint32_t)storm->counters[stream]), words[draw(storm, sizeof(words) / sizeof(words[0]))]);
}

/* A release more, mostly after something was amiss with the one before. */
static void replace(struct storm *storm)
{
        unsigned stream = draw(storm, STREAMS);
        if (draw(storm, 2))
                say(storm, stream, storm->counters[stream], "halt");
        release(storm, stream);
}

static void revoke(struct storm *storm)
{
        struct unit *unit = &storm->units[draw(storm, storm->unit_count)];
        unit->is_revoked = true;
        CHECK(db_run(storm->world.store->db, "UPDATE devices SET revoked_at = 1 WHERE hex(id) = upper(?)", VALUES(bind_text(unit->base.id)), NULL) == OK);
}

/* What a request that failed had done is undone, in memory, too. */
static void ask_in_vain(struct storm *storm)
{
        OWN(buf) struct buf before;
        buf_init(&before, 1 << 20);
        views(storm, &before);
        storm->world.signer.failure = ERR_UNAVAILABLE;
        int64_t leases = count(storm, "SELECT count(*) FROM leases WHERE note IS NOT NULL AND rollout > ?1", 0);
        ask(storm);
        storm->world.signer.failure = OK;
        CHECK(count(storm, "SELECT count(*) FROM leases WHERE note IS NOT NULL AND rollout > ?1", 0) == leases);
        if (storm->world.answer.status >= 500)
                check_same(storm, &before);
}

/* Decisions are made again from what is on the disk. */
static void crash(struct storm *storm)
{
        OWN(buf) struct buf before;
        buf_init(&before, 1 << 20);
        views(storm, &before);
        world_crash(&storm->world);
        check_same(storm, &before);
}

static void jump(struct storm *storm)
{
        static const int64_t leaps[] = { 86400000, -86400000, -3000, 3600000 };
        world_tick(&storm->world, leaps[draw(storm, 4)]);
}

static void step(struct storm *storm)
{
        uint32_t die = draw(storm, 1000);
        if (die < 560)
                ask(storm);
        else if (die < 740)
                report(storm);
        else if (die < 940)
                world_tick(&storm->world, 50 + draw(storm, 1500));
        else if (die < 946)
                jump(storm);
        else if (die < 952)
                storm->is_silent = !storm->is_silent && draw(storm, 2);
        else if (die < 966)
                steer(storm);
        else if (die < 974)
                replace(storm);
        else if (die < 980 && storm->unit_count < FLEET_MAX)
                enrol(storm);
        else if (die < 982)
                revoke(storm);
        else if (die < 992)
                ask_in_vain(storm);
        else
                crash(storm);
}

/* Invariants 2, 5 and 6 of the design: where a lease was signed just now, it could be. */
static void check_grants(struct storm *storm, const struct run *run, const struct rollout_view *view)
{
        const struct run_facts *facts = run_facts(run);
        int64_t signed_now = count(storm, COUNTED "note IS NOT NULL", facts->number);
        if (signed_now > storm->signed_before[facts->number]) {
                CHECK(view->state == ROLLOUT_EXPOSING || view->state == ROLLOUT_COMPLETE);
                CHECK(view->verdict == ROLLOUT_GO && facts->counter >= storm->floors[strcmp(facts->stream, streams[0]) != 0]);
        }
        storm->signed_before[facts->number] = signed_now;
}

/* Not answered, or proven before the deadline: what may still do harm, of the fleet ("") or of one stratum. */
static int64_t young(struct storm *storm, const struct run *run, const char *stratum)
{
        int64_t number = -1;
        CHECK(db_number(storm->world.store->db, "SELECT count(*) FROM leases l JOIN devices d ON d.number = l.device WHERE l.rollout = ?1 AND l.is_counted"
                                                " AND l.kind = 'exposure' AND coalesce(l.outcome, 'proven') = 'proven' AND l.deadline_ms > ?2"
                                                " AND instr(d.attributes || ',agent=' || d.agent, ?3) > 0",
                        VALUES(bind_int(run_facts(run)->number), bind_int(run->last_ms), bind_text(stratum)), 0, &number, NULL) == OK);
        return number;
}

static void check_rule(const struct storm *storm, const struct run *run, const struct rollout_counts *counts, int64_t young)
{
        double by_open = counts->unanswered, by_young = (double)young * (counts->excess_upper_ppm - 1) / 1e6;
        CHECK((by_open < by_young ? by_open : by_young) + counts->attributed <= (double)run->policy.budget + 1e-6);
        if (!storm->controls && !storm->is_overridden[run_facts(run)->number])
                CHECK(counts->attributed >= counts->hurt - 1e-9);
}

/* Invariant 1: whenever somebody was reserved, there was room for all that are out, in the fleet and in each stratum. */
static void check_budget(struct storm *storm, const struct run *run, const struct rollout_view *view)
{
        int64_t number = run_facts(run)->number, reserved = count(storm, COUNTED "1", number);
        if (reserved > storm->reserved_before[number]) {
                check_rule(storm, run, &view->fleet, young(storm, run, "os="));
                for (uint16_t i = 0; i < run->stratum_count; i++) {
                        struct rollout_counts counts;
                        rollout_view_stratum(run->pure, i, &counts);
                        check_rule(storm, run, &counts, young(storm, run, run->strata[i]));
                }
        }
        storm->reserved_before[number] = reserved;
}

/* What people read of leases is what was counted. Not between a deadline and the next tick. */
static void check_labels(struct storm *storm, const struct run *run, const struct rollout_view *view)
{
        const struct { const char *sql; uint32_t counted; } rows[] = {
                { COUNTED "outcome = 'proven'", view->fleet.proven },     { COUNTED "outcome = 'harmed'", view->fleet.harmed },
                { COUNTED "outcome = 'dark'", view->fleet.dark },         { COUNTED "outcome = 'declined'", view->fleet.declined },
                { COUNTED "outcome = 'preflight_failed'", view->fleet.preflight_failed },
        };
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                CHECK(count(storm, rows[i].sql, run_facts(run)->number) == rows[i].counted);
}

static void check(struct storm *storm)
{
        unsigned exposing[STREAMS] = { 0 };
        CHECK(count(storm, "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM leases WHERE outcome IS NULL AND deadline_ms > ?1 GROUP BY device)",
                    storm->world.now_ms) <= 1);
        for (struct run *run = rollouts_first(storm->world.store->rollouts); run; run = run_next(run)) {
                struct rollout_view view;
                rollout_view(run->pure, &view);
                exposing[strcmp(run_facts(run)->stream, streams[0]) != 0] += view.state == ROLLOUT_EXPOSING || view.state == ROLLOUT_HOLDING;
                check_grants(storm, run, &view);
                check_budget(storm, run, &view);
        }
        CHECK(exposing[0] <= 1 && exposing[1] <= 1);
}

static void check_all_labels(struct storm *storm)
{
        world_tick(&storm->world, 1);
        check(storm);
        for (struct run *run = rollouts_first(storm->world.store->rollouts); run; run = run_next(run)) {
                struct rollout_view view;
                rollout_view(run->pure, &view);
                check_labels(storm, run, &view);
        }
}

TEST(rollouts, keep_what_they_promise_whatever_comes_in_whatever_order)
{
        unsigned exposures = 0;
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
                OWN(storm) struct storm storm = { 0 };
                storm_open(&storm, seed);
                for (unsigned i = 0; i < STEPS; i++) {
                        step(&storm);
                        check(&storm);
                        if (i % 10 == 0)
                                check_all_labels(&storm);
                }
                exposures += storm.exposures;
        }
        CHECK(exposures > 10 * SEEDS);           /* it did get somewhere */
}
