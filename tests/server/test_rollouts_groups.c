/* Groups that are kept on an older release, through the real handlers. */
#include "server/rollouts/groups.h"
#include "server/store/inside.h"
#include "server/world.h"

#include "support/test.h"

#include <inttypes.h>
#include <string.h>

enum { FLEET = 12, TILLS = 4, RELEASES = 24 };   /* the first ones are tills, the others office */
struct fleet { struct world world; uint8_t targets[RELEASES][32]; struct world_device devices[FLEET]; bool is_in_file; int controls; };      /* with control: a budget of 2 */

static bool is_till(int device) { return device < TILLS; }

static void publish(struct fleet *fleet, int64_t counter)
{
        char body[320];
        CHECK(world_publish(&fleet->world, counter) == 201);
        memcpy(fleet->targets[counter], fleet->world.target, 32);
        world_prove(&fleet->world, counter);
        snprintf(body, sizeof(body), "{\"stream\":\"edr-rules\",\"counter\":%" PRId64 ",\"policy\":{\"budget\":%d,\"bake_s\":2,\"gap_s\":3,\"gather_s\":0,\"holdout_ppm\":0,"
                                     "\"controls\":%d,\"watch_s\":60}}", counter, fleet->controls ? 2 : FLEET, fleet->controls);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/rollouts", body) == 201);
}

static void fleet_open(struct fleet *fleet)
{
        if (fleet->is_in_file)
                world_open_file(&fleet->world);
        else
                world_open(&fleet->world);
        for (int i = 0; i < FLEET; i++) {
                fleet->world.group = is_till(i) ? "tills" : "office";
                world_enrol(&fleet->world, &fleet->devices[i], "os=debian");
        }
        fleet->world.group = "tills";
        publish(fleet, 1);
}
static void fleet_release(struct fleet *fleet) { world_close(&fleet->world); }

static void set(struct fleet *fleet, const char *what)
{
        char body[160];
        snprintf(body, sizeof(body), "{%s,\"who\":\"ann\",\"reason\":\"test\"}", what);
        CHECK(world_ask(&fleet->world, "POST", "/api/v1/groups/tills", body) == 200);
}

static int64_t number(struct fleet *fleet, int64_t counter, const char *key)
{
        char path[64];
        snprintf(path, sizeof(path), "/api/v1/rollouts/edr-rules/%" PRId64, counter);
        CHECK(world_ask(&fleet->world, "GET", path, NULL) == 200);
        return world_int(&fleet->world, key);
}

static bool stands(struct fleet *fleet, int64_t counter, const char *state)
{
        (void)number(fleet, counter, "fleet");
        return strcmp(world_text(&fleet->world, "state"), state) == 0;
}

static bool may(struct fleet *fleet, int device, int64_t counter, bool is_new)
{
        memcpy(fleet->world.target, fleet->targets[counter], 32);
        return world_lease(&fleet->world, &fleet->devices[device], counter, is_new) == 200;
}

static void prove(struct fleet *fleet, int device, int64_t counter)
{
        fleet->devices[device].running = fleet->devices[device].proven = counter;
        CHECK(world_report(&fleet->world, &fleet->devices[device], "proven", "") == 200);
}

/* Whoever has not got it asks for the release, and proves it: how many tills, how many others. */
struct got { int tills, others; };
static struct got go_round(struct fleet *fleet, int64_t counter)
{
        struct got got = { 0, 0 };
        for (int i = 0; i < FLEET; i++)
                if (fleet->devices[i].running != counter)
                        (void)may(fleet, i, counter, true);
        world_tick(&fleet->world, 100);
        for (int i = 0; i < FLEET; i++)
                if (fleet->devices[i].running != counter && may(fleet, i, counter, false)) {
                        prove(fleet, i, counter);
                        got.tills += is_till(i);
                        got.others += !is_till(i);
                }
        world_tick(&fleet->world, 100);
        return got;
}

static bool is_for(struct got got, int tills, int others) { return got.tills == tills && got.others == others; }

/* A lease's time later; everybody has been heard of. */
static void let_pass(struct fleet *fleet)
{
        world_tick(&fleet->world, 6000);
        CHECK(db_run(fleet->world.store->db, "UPDATE devices SET seen_at = ?", VALUES(bind_int(fleet->world.now_ms / 1000)), NULL) == OK);
        world_tick(&fleet->world, 2000);
}

static void complete_first(struct fleet *fleet)
{
        fleet_open(fleet);
        CHECK(is_for(go_round(fleet, 1), TILLS, FLEET - TILLS));
        let_pass(fleet);
        CHECK(stands(fleet, 1, "complete"));
}

TEST(groups, pinned_get_nothing_above_and_nothing_waits_for_them)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        publish(&fleet, 2);
        CHECK(number(&fleet, 2, "kept_back") == TILLS && number(&fleet, 2, "eligible") == FLEET - TILLS && number(&fleet, 2, "fleet") == FLEET);
        CHECK(is_for(go_round(&fleet, 2), 0, FLEET - TILLS));
        CHECK(!may(&fleet, 0, 2, true) && strcmp(world_text(&fleet.world, "reason"), "the group of this device is kept on an older release") == 0);
        let_pass(&fleet);
        CHECK(stands(&fleet, 2, "complete") && number(&fleet, 2, "seen") == FLEET - TILLS && number(&fleet, 2, "exposed") == FLEET - TILLS);
        CHECK(is_for(go_round(&fleet, 2), 0, 0));
        set(&fleet, "\"latest\":true");
        CHECK(is_for(go_round(&fleet, 2), TILLS, 0) && number(&fleet, 2, "kept_back") == 0 && number(&fleet, 2, "eligible") == FLEET);
}

TEST(groups, pinned_are_no_control_either)
{
        OWN(fleet) struct fleet fleet = { .controls = 4 };
        fleet_open(&fleet);
        publish(&fleet, 2);
        set(&fleet, "\"pin\":1");
        for (int round = 0; round < 6; round++) {
                for (int i = 0; i < FLEET; i++)
                        (void)may(&fleet, i, 2, true);
                world_tick(&fleet.world, 100);
        }
        int64_t tills = -1, others = 0;
        static const char count[] = "SELECT count(*) FROM leases l JOIN devices d ON d.number = l.device WHERE l.rollout = 2 AND d.device_group = ?";
        CHECK(db_number(fleet.world.store->db, count, VALUES(bind_text("tills")), 0, &tills, NULL) == OK && tills == 0);
        CHECK(db_number(fleet.world.store->db, count, VALUES(bind_text("office")), 0, &others, NULL) == OK && others > 1);
        CHECK(number(&fleet, 2, "control") > 0);
}

TEST(groups, pinned_in_the_midst_keep_what_they_have_and_count_with_it)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        publish(&fleet, 2);
        (void)may(&fleet, 0, 2, true), (void)may(&fleet, 1, 2, true);
        world_tick(&fleet.world, 100);           /* both are picked; one comes in time */
        CHECK(may(&fleet, 0, 2, false));
        prove(&fleet, 0, 2);
        set(&fleet, "\"pin\":1");
        CHECK(!may(&fleet, 1, 2, false) && fleet.world.answer.status == 202);
        world_tick(&fleet.world, 100);
        CHECK(number(&fleet, 2, "kept_back") == TILLS - 1 && number(&fleet, 2, "proven") == 1);
        CHECK(is_for(go_round(&fleet, 2), 0, FLEET - TILLS));
        let_pass(&fleet);
        CHECK(stands(&fleet, 2, "complete") && number(&fleet, 2, "seen") == FLEET - TILLS + 1 && number(&fleet, 2, "dark") == 0);
}

TEST(groups, pinned_stay_so_after_a_restart)
{
        OWN(fleet) struct fleet fleet = { .is_in_file = true };
        char before[8192];
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        publish(&fleet, 2);
        CHECK(is_for(go_round(&fleet, 2), 0, FLEET - TILLS));
        for (int round = 0; round < 3; round++) {
                (void)number(&fleet, 2, "fleet");
                CHECK(fleet.world.answer.body.length < sizeof(before));
                snprintf(before, sizeof(before), "%s", buf_text(&fleet.world.answer.body));
                world_crash(&fleet.world);
                CHECK(number(&fleet, 2, "kept_back") == TILLS && strcmp(before, buf_text(&fleet.world.answer.body)) == 0);
                CHECK(is_for(go_round(&fleet, 2), 0, 0));
                let_pass(&fleet);
        }
        CHECK(stands(&fleet, 2, "complete"));
}

TEST(groups, pinned_hold_for_those_who_enrol_later)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device late;
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        publish(&fleet, 2);
        CHECK(is_for(go_round(&fleet, 2), 0, FLEET - TILLS));
        let_pass(&fleet);
        world_tick(&fleet.world, 100000);
        CHECK(stands(&fleet, 2, "watched"));
        world_enrol(&fleet.world, &late, "os=debian");
        CHECK(world_lease(&fleet.world, &late, 2, true) == 202 && !may(&fleet, 0, 2, true));
        fleet.world.group = "office";
        world_enrol(&fleet.world, &late, "os=debian");
        CHECK(world_lease(&fleet.world, &late, 2, true) == 200);
}

TEST(groups, pinned_are_reached_by_a_withdrawal)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        publish(&fleet, 2);
        CHECK(is_for(go_round(&fleet, 2), 0, FLEET - TILLS));
        CHECK(world_ask(&fleet.world, "POST", "/api/v1/rollouts/edr-rules/1/halt", "{\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        CHECK(world_ask(&fleet.world, "POST", "/api/v1/rollouts/edr-rules/1/withdraw", "{\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        int64_t says = 0;
        CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM cohorts WHERE says LIKE '% -1 @1:%'", NO_VALUES, 0, &says, NULL) == OK && says == 1);
}

TEST(groups, pinned_below_the_floor_get_what_brings_them_to_it_and_no_more)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        fleet.world.floor = 2;
        publish(&fleet, 2);
        CHECK(number(&fleet, 2, "kept_back") == 0 && is_for(go_round(&fleet, 2), TILLS, FLEET - TILLS));
        let_pass(&fleet);
        publish(&fleet, 3);
        CHECK(number(&fleet, 3, "kept_back") == TILLS && is_for(go_round(&fleet, 3), 0, FLEET - TILLS));
        CHECK(world_ask(&fleet.world, "GET", "/api/v1/groups/tills", NULL) == 200);
        const struct json *rule = json_get(json_get(fleet.world.json, "streams"), "edr-rules");
        CHECK(json_int(json_get(rule, "pin"), 0) == 1 && json_int(json_get(rule, "newest"), 0) == 2);
}

/* The one that raised the floor was stopped: what was published after it brings them to the floor. */
TEST(groups, pinned_below_the_floor_do_not_wait_for_a_release_that_was_left_out)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        fleet.world.floor = 2;
        CHECK(world_publish(&fleet.world, 2) == 201);
        publish(&fleet, 3);
        CHECK(number(&fleet, 3, "kept_back") == 0 && is_for(go_round(&fleet, 3), TILLS, FLEET - TILLS));
}

TEST(groups, pinned_below_the_floor_do_not_wait_for_a_release_that_was_stopped)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        fleet.world.floor = 2;
        publish(&fleet, 2);
        CHECK(world_ask(&fleet.world, "POST", "/api/v1/rollouts/edr-rules/2/halt", "{\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        publish(&fleet, 3);
        CHECK(number(&fleet, 3, "kept_back") == 0 && is_for(go_round(&fleet, 3), TILLS, FLEET - TILLS));
}

/* It is not below the floor, but what it is pinned to was taken back. */
TEST(groups, pinned_to_what_was_withdrawn_are_brought_to_the_floor)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        publish(&fleet, 2);
        (void)go_round(&fleet, 2);
        let_pass(&fleet);
        set(&fleet, "\"pin\":2");
        fleet.world.floor = 2;
        CHECK(world_publish(&fleet.world, 3) == 201);
        CHECK(world_ask(&fleet.world, "POST", "/api/v1/rollouts/edr-rules/2/halt", "{\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        CHECK(world_ask(&fleet.world, "GET", "/api/v1/groups/tills", NULL) == 200);
        CHECK(json_int(json_get(json_get(json_get(fleet.world.json, "streams"), "edr-rules"), "newest"), 0) == 3);
}

static bool director_says(struct fleet *fleet, const char *what)
{
        int64_t says = 0;
        CHECK(db_number(fleet->world.store->db, "SELECT count(*) FROM cohorts WHERE says = ?", VALUES(bind_text(what)), 0, &says, NULL) == OK);
        return says == 1;
}

/* Asks for the newest: told which older one it may have. */
static int64_t instead(struct fleet *fleet, int device, int64_t newest)
{
        CHECK(!may(fleet, device, newest, true) && fleet->world.answer.status == 202);
        return world_int(&fleet->world, "counter");
}

/* What tills would get now, as people see it; -1: nothing. */
static int64_t gets_now(struct fleet *fleet)
{
        CHECK(world_ask(&fleet->world, "GET", "/api/v1/groups/tills", NULL) == 200);
        return json_int(json_get(json_get(json_get(fleet->world.json, "streams"), "edr-rules"), "now"), -1);
}

static void complete_next(struct fleet *fleet, int64_t counter)
{
        publish(fleet, counter);
        (void)go_round(fleet, counter);
        let_pass(fleet);
        CHECK(stands(fleet, counter, "complete"));
}

TEST(groups, behind_get_a_release_when_a_newer_one_is_complete)
{
        OWN(fleet) struct fleet fleet = { .is_in_file = true };
        complete_first(&fleet);
        set(&fleet, "\"behind\":1");
        complete_next(&fleet, 2);
        CHECK(director_says(&fleet, "go 2 1 <1") && instead(&fleet, 0, 2) == -1);                 /* it runs 1 */
        publish(&fleet, 3);
        CHECK(!may(&fleet, 0, 2, true) && instead(&fleet, 0, 3) == -1);
        CHECK(is_for(go_round(&fleet, 3), 0, FLEET - TILLS));
        let_pass(&fleet);
        CHECK(stands(&fleet, 3, "complete") && director_says(&fleet, "go 3 2 <2") && instead(&fleet, 0, 3) == 2);
        world_crash(&fleet.world);
        CHECK(instead(&fleet, 0, 3) == 2 && number(&fleet, 3, "kept_back") == TILLS && number(&fleet, 2, "kept_back") == 0);
        for (int i = 0; i < TILLS; i++)
                (void)may(&fleet, i, 2, true);
        world_tick(&fleet.world, 100);
        for (int i = 0; i < TILLS; i++) {
                CHECK(may(&fleet, i, 2, false));
                prove(&fleet, i, 2);
        }
        world_tick(&fleet.world, 100);
        CHECK(number(&fleet, 2, "proven") == FLEET && instead(&fleet, 0, 3) == -1);
}

TEST(groups, behind_never_get_a_release_that_was_stopped)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        set(&fleet, "\"behind\":1");
        CHECK(gets_now(&fleet) == -1);
        complete_next(&fleet, 2);
        CHECK(gets_now(&fleet) == 1);
        CHECK(world_ask(&fleet.world, "POST", "/api/v1/rollouts/edr-rules/2/halt", "{\"who\":\"ann\",\"reason\":\"test\"}") == 200);
        complete_next(&fleet, 3);
        CHECK(director_says(&fleet, "go 3 1 <1") && instead(&fleet, 0, 3) == -1 && !may(&fleet, 0, 2, true) && fleet.world.answer.status == 409);
        CHECK(gets_now(&fleet) == 1);            /* one behind 3 is 2 */
}

TEST(groups, pinned_that_enrol_later_are_brought_to_their_release)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device late;
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        complete_next(&fleet, 2);
        world_enrol(&fleet.world, &late, "os=debian");
        CHECK(world_lease(&fleet.world, &late, 2, true) == 202 && world_int(&fleet.world, "counter") == 1);
        memcpy(fleet.world.target, fleet.targets[1], 32);
        CHECK(world_lease(&fleet.world, &late, 1, true) == 200);
}

/* Whatever is said of the newest: who cannot ask for it is told beside that which older one there is. */
TEST(groups, hear_of_older_releases_whatever_the_newest_does)
{
        static const char by_ann[] = "{\"who\":\"ann\",\"reason\":\"test\"}";
        static const struct { const char *path, *says; } words[] = {
                { "/api/v1/rollouts/edr-rules/3/hold", "hold 3 2 <1 <2" }, { "/api/v1/rollouts/edr-rules/3/halt", "hold 3 2 <1 <2" },
                { "/api/v1/rollouts/edr-rules/3/withdraw", "withdraw 3 2 <1 <2 @3:%" },
        };
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        set(&fleet, "\"pin\":1");
        complete_next(&fleet, 2);
        publish(&fleet, 3);
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
                int64_t says = 0;
                CHECK(world_ask(&fleet.world, "POST", words[i].path, by_ann) == 200);
                world_tick(&fleet.world, 100);
                CHECK(db_number(fleet.world.store->db, "SELECT count(*) FROM cohorts WHERE says LIKE ?", VALUES(bind_text(words[i].says)), 0, &says, NULL) == OK && says == 1);
        }
}

/* It enrolled after the newest was published; until that is complete it may have the one before. */
TEST(groups, latecomers_are_told_of_the_release_before_until_the_newest_is_complete)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct world_device late;
        complete_first(&fleet);
        publish(&fleet, 2);
        fleet.world.now_ms += 2000;
        fleet.world.group = "office";
        world_enrol(&fleet.world, &late, "os=debian");
        memcpy(fleet.world.target, fleet.targets[2], 32);
        CHECK(world_lease(&fleet.world, &late, 2, true) == 202 && world_int(&fleet.world, "counter") == 1);
        memcpy(fleet.world.target, fleet.targets[1], 32);
        CHECK(world_lease(&fleet.world, &late, 1, true) == 200);
        late.running = late.proven = 1;
        CHECK(world_report(&fleet.world, &late, "proven", "") == 200);
        memcpy(fleet.world.target, fleet.targets[2], 32);
        CHECK(world_lease(&fleet.world, &late, 2, true) == 202 && world_int(&fleet.world, "counter") == -1);
}

/* The newest sixteen, each once. */
TEST(groups, of_many_releases_the_newest_are_offered)
{
        OWN(fleet) struct fleet fleet = { 0 };
        complete_first(&fleet);
        for (int64_t counter = 2; counter < RELEASES; counter++)
                complete_next(&fleet, counter);
        for (int group = 0; group < RELEASES + 4; group++) {
                char name[16];
                snprintf(name, sizeof(name), "g%d", group);
                CHECK(db_run(fleet.world.store->db, "INSERT INTO group_rules VALUES ('edr-rules', ?, ?, 0)",
                             VALUES(bind_text(name), bind_int(1 + group * 7 % (RELEASES - 2))), NULL) == OK);
        }
        world_tick(&fleet.world, 100);
        CHECK(director_says(&fleet, "go 23 22 <7 <8 <9 <10 <11 <12 <13 <14 <15 <16 <17 <18 <19 <20 <21 <22"));
}

TEST(groups, group_newest_is_one_behind_what_was_completed)
{
        OWN(fleet) struct fleet fleet = { 0 };
        struct group_rule behind = { .behind = 1 }, pinned = { .pin = 7 };
        int64_t newest = -1;
        fleet_open(&fleet);
        CHECK(group_newest(fleet.world.store->db, "edr-rules", &behind, &newest, NULL) == OK && newest == 0);
        CHECK(is_for(go_round(&fleet, 1), TILLS, FLEET - TILLS));
        let_pass(&fleet);
        CHECK(group_newest(fleet.world.store->db, "edr-rules", &behind, &newest, NULL) == OK && newest == 0);
        CHECK(group_newest(fleet.world.store->db, "edr-rules", &pinned, &newest, NULL) == OK && newest == 7);
        CHECK(group_newest(fleet.world.store->db, "another", &behind, &newest, NULL) == OK && newest == 0);
        publish(&fleet, 2);
        CHECK(group_newest(fleet.world.store->db, "edr-rules", &behind, &newest, NULL) == OK && newest == 0);
        CHECK(is_for(go_round(&fleet, 2), TILLS, FLEET - TILLS));
        let_pass(&fleet);
        CHECK(group_newest(fleet.world.store->db, "edr-rules", &behind, &newest, NULL) == OK && newest == 1);
}
