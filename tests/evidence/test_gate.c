#include "evidence/gate.h"

#include "base/text.h"
#include "evidence/records.h"
#include "support/test.h"

#include <string.h>

enum { NOW = 1784440000 };

struct scene { struct record records[16]; size_t count; struct gate_decision decision; };

static struct record *add(struct scene *scene, const char *origin, const char *stage, enum record_status status)
{
        struct record *record = &scene->records[scene->count];
        *record = test_record(origin, stage, status);
        record->finished += (int64_t)scene->count++;
        return record;
}

static bool is_open(struct scene *scene)
{
        struct gate_question question = { &gate_policy_default, TARGET_A, scene->records, scene->count, NOW };
        gate_decide(&question, &scene->decision);
        CHECK(scene->decision.is_open == !scene->decision.unmet_count);
        return scene->decision.is_open;
}

static bool says(const struct scene *scene, const char *words)
{
        for (size_t i = 0; i < scene->decision.unmet_count && i < GATE_UNMET_MAX; i++)
                if (strstr(scene->decision.unmet[i], words))
                        return true;
        return false;
}

static void add_passes(struct scene *scene, const char *origin)
{
        add(scene, origin, "S1", RECORD_PASS);
        add(scene, origin, "S2", RECORD_PASS);
        add(scene, origin, "S4", RECORD_PASS);
}

static enum err override(const struct scene *scene, const char *first, const char *second, const char *reason)
{
        return gate_override(&scene->decision, &(struct gate_people){ first, second, reason }, NULL);
}

TEST(gate, opens_when_every_stage_has_passed)
{
        struct scene scene = { 0 };
        CHECK(!is_open(&scene) && scene.decision.unmet_count == 3 && says(&scene, "S2: no lab has run it"));
        add_passes(&scene, "lab.acme");
        CHECK(is_open(&scene));
        scene.count--;
        CHECK(!is_open(&scene) && scene.decision.unmet_count == 1 && says(&scene, "S4: no lab has run it"));
}

TEST(gate, believes_the_latest_record_in_whatever_order_they_come)
{
        struct scene scene = { 0 };
        add_passes(&scene, "lab.acme");
        struct record *fail = add(&scene, "lab.acme", "S4", RECORD_FAIL);
        fail->why = "rule flag_ls matches /bin/ls";
        CHECK(!is_open(&scene) && says(&scene, "S4 by lab.acme (linux-amd64): FAIL: rule flag_ls matches /bin/ls"));
        fail->finished = 1784432000;
        CHECK(is_open(&scene));
}

TEST(gate, takes_the_worse_of_two_records_of_one_second)
{
        for (unsigned is_reversed = 0; is_reversed < 2; is_reversed++) {
                struct scene scene = { 0 };
                add_passes(&scene, "lab.acme");
                add(&scene, "lab.acme", "S4", RECORD_PASS);
                scene.records[2].status = is_reversed ? RECORD_PASS : RECORD_MISS;
                scene.records[3].status = is_reversed ? RECORD_MISS : RECORD_PASS;
                scene.records[3].finished = scene.records[2].finished;
                CHECK(!is_open(&scene) && says(&scene, "MISS"));
        }
}

TEST(gate, never_lets_a_pass_hide_what_another_found)
{
        static const enum record_status bad[] = { RECORD_FAIL, RECORD_ERROR, RECORD_MISS };
        for (size_t i = 0; i < 3; i++) {
                struct scene scene = { 0 };
                add(&scene, "lab.bank", "S4", bad[i]);
                add_passes(&scene, "lab.acme");
                CHECK(!is_open(&scene) && says(&scene, "lab.bank"));
                scene.records[0] = test_record("lab.acme", "S4", bad[i]);
                CHECK(is_open(&scene));
                scene.records[0].check = "org.firebreak.other";
                CHECK(!is_open(&scene));
                scene.records[0].check = scene.records[1].check;
                scene.records[0].platform = "linux-arm64";
                CHECK(!is_open(&scene) && says(&scene, "linux-arm64"));
        }
}

TEST(gate, is_shut_by_a_fault_in_a_stage_that_nobody_asked_for)
{
        struct scene scene = { 0 };
        add_passes(&scene, "lab.acme");
        struct record *more = add(&scene, "lab.acme", "S6", RECORD_DONE);
        CHECK(is_open(&scene));
        more->status = RECORD_FAIL;
        CHECK(!is_open(&scene));
}

TEST(gate, takes_neither_done_nor_skip_for_a_pass)
{
        struct scene scene = { 0 };
        add_passes(&scene, "lab.acme");
        add_passes(&scene, "lab.bank");
        scene.records[5].status = RECORD_SKIP;
        CHECK(!is_open(&scene) && says(&scene, "S4 by lab.bank: no PASS that counts"));
        scene.records[5].status = RECORD_DONE;
        CHECK(!is_open(&scene) && scene.decision.unmet_count == 1);
}

TEST(gate, does_not_look_at_records_of_other_releases)
{
        struct scene scene = { 0 };
        add_passes(&scene, "lab.acme");
        struct record *other = add(&scene, "lab.acme", "S4", RECORD_FAIL);
        other->target = TARGET_B;
        other->is_critical = true;
        CHECK(is_open(&scene) && !scene.decision.is_critical);
        scene.records[2].target = TARGET_B;
        CHECK(!is_open(&scene));
}

TEST(gate, does_not_count_records_from_the_future_and_says_so)
{
        struct scene scene = { 0 };
        add_passes(&scene, "lab.acme");
        scene.records[2].finished = NOW + GATE_AHEAD_S;
        CHECK(is_open(&scene));
        scene.records[2].finished++;
        CHECK(!is_open(&scene) && says(&scene, "ahead of our time") && says(&scene, "S4: no lab has run it"));
}

TEST(gate, wants_a_pass_that_is_young_enough)
{
        struct scene scene = { 0 };
        add_passes(&scene, "lab.acme");
        struct gate_policy policy = gate_policy_default;
        struct gate_question question = { &policy, TARGET_A, scene.records, scene.count, NOW };
        policy.age_max_s = NOW - scene.records[0].finished;
        gate_decide(&question, &scene.decision);
        CHECK(scene.decision.is_open);
        question.now++;
        gate_decide(&question, &scene.decision);
        CHECK(!scene.decision.is_open && says(&scene, "S1 by lab.acme"));
}

TEST(gate_override, takes_two_different_people_and_a_reason)
{
        struct scene scene = { 0 };
        CHECK(!is_open(&scene));
        CHECK(override(&scene, "anna", "bert", "the lab's disk is broken") == OK);
        CHECK(override(&scene, "anna", "anna", "why") == ERR_REFUSED && override(&scene, "anna", "Anna", "why") == ERR_REFUSED && override(&scene, "anna", "anna ", "why") == ERR_REFUSED);
        CHECK(override(&scene, NULL, "bert", "why") == ERR_USAGE && override(&scene, "anna", NULL, "why") == ERR_USAGE);
        CHECK(override(&scene, "anna", "", "why") == ERR_USAGE);
        CHECK(override(&scene, "anna", "bert", " \n") == ERR_USAGE && override(&scene, "anna", "bert", NULL) == ERR_USAGE);
}

TEST(gate_override, cannot_pass_what_keeps_devices_from_starting)
{
        struct scene scene = { 0 };
        add_passes(&scene, "lab.acme");
        struct record *fail = add(&scene, "lab.bank", "S4", RECORD_FAIL);
        CHECK(!is_open(&scene) && override(&scene, "anna", "bert", "why") == OK);
        fail->is_critical = true;
        CHECK(!is_open(&scene) && override(&scene, "anna", "bert", "why") == ERR_REFUSED);
        fail->finished = NOW + 10 * GATE_AHEAD_S;
        CHECK(!is_open(&scene) && override(&scene, "anna", "bert", "why") == ERR_REFUSED);
        fail->finished = 1784432002;
        add(&scene, "lab.bank", "S4", RECORD_PASS);
        CHECK(is_open(&scene) && !scene.decision.is_critical);
}

TEST(gate, counts_more_faults_than_it_has_room_to_tell)
{
        static struct record records[GATE_RECORDS_MAX + 1];
        struct scene scene = { 0 };
        char why[RECORD_WHY_MAX + 1] = "";
        for (size_t i = 0; i < RECORD_WHY_MAX / 2; i++)
                memcpy(why + 2 * i, "\xc3\xa9", 3);
        for (size_t i = 0; i <= GATE_RECORDS_MAX; i++) {
                records[i] = test_record("lab.acme", "S4", RECORD_FAIL);
                records[i].check = i % 2 ? "a" : "b";
                records[i].why = why;
        }
        struct gate_question question = { &gate_policy_default, TARGET_A, records, 64, NOW };
        gate_decide(&question, &scene.decision);
        CHECK(scene.decision.unmet_count == 5);
        for (size_t i = 0; i < 64; i++)
                records[i].origin = &"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"[i];
        gate_decide(&question, &scene.decision);
        CHECK(scene.decision.unmet_count > GATE_UNMET_MAX && !scene.decision.is_critical);
        for (size_t i = 0; i < GATE_UNMET_MAX; i++)
                CHECK(text_is_utf8(scene.decision.unmet[i], strlen(scene.decision.unmet[i])));
        question.record_count = GATE_RECORDS_MAX + 1;
        gate_decide(&question, &scene.decision);
        CHECK(!scene.decision.is_open && scene.decision.unmet_count == 1 && scene.decision.is_critical);
}
