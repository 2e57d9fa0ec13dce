#include "replay/director.h"

#include "replay/chance.h"

#include "replay/made.h"

static struct director *open_director(uint32_t devices)
{
        const uint32_t sizes[] = { devices };
        const struct director_fleet fleet = { devices, 1, 1, sizes, 1000000 };
        struct rollout_policy policy = rollout_policy_default();
        struct director *director = NULL;
        CHECK(director_firebreak.open(&fleet, &policy, &director, NULL) == OK);
        return director;
}

static void line_up(struct director *director, int64_t now_ms, struct rollout_device *devices, struct rollout_pick *picks, uint32_t count)
{
        struct rollout_line line = { now_ms, devices, count, picks, 0 };
        CHECK(director_firebreak.tick(director, now_ms, NULL) == OK && director_firebreak.pick(director, &line, NULL) == OK);
}

TEST(firebreak, exposes_its_budget_and_then_wants_no_line)
{
        enum { DEVICES = 200 };
        struct rollout_device devices[DEVICES];
        struct rollout_pick picks[DEVICES];
        struct director_view view;
        struct director *director = open_director(DEVICES);
        uint32_t exposed = 0;
        for (uint32_t i = 0; i < DEVICES; i++)
                devices[i] = (struct rollout_device){ .bucket = chance_mix(i + 1), .device = i, .strata_count = 1, .ring = ROLLOUT_RING_ALL };
        CHECK(director_firebreak.may_pick(director));
        for (unsigned line = 0; line < 5; line++) {      /* whoever is held out uses up a place in the first */
                line_up(director, 1100000, devices, picks, DEVICES);
                for (uint32_t i = 0; i < DEVICES; i++) {
                        exposed += picks[i].kind == ROLLOUT_EXPOSE;
                        CHECK(picks[i].kind != ROLLOUT_EXPOSE || !director_firebreak.is_held_out(director, devices[i].bucket));
                }
                CHECK(exposed <= 30 && director_firebreak.may_pick(director) == (exposed < 30));
        }
        CHECK(exposed == 30);
        director_firebreak.view(director, &view);
        CHECK(view.exposed == 30 && !view.window && view.limit == 30 && !view.is_stopped && !view.is_complete && view.sentence[0]);
        director_firebreak.close(director);
}

TEST(firebreak, is_stopped_by_a_spent_budget_and_can_be_withdrawn)
{
        enum { DEVICES = 200 };
        struct rollout_device devices[DEVICES];
        struct rollout_pick picks[DEVICES];
        struct director_view view;
        struct director *director = open_director(DEVICES);
        int64_t deadline_ms = 0;
        for (uint32_t i = 0; i < DEVICES; i++)
                devices[i] = (struct rollout_device){ .bucket = chance_mix(i + 1), .device = i, .strata_count = 1, .ring = ROLLOUT_RING_ALL };
        line_up(director, 1100000, devices, picks, DEVICES);
        uint32_t exposed = 0;
        for (uint32_t i = 0; i < DEVICES; i++)
                exposed += picks[i].kind == ROLLOUT_EXPOSE;
        for (uint32_t i = 0; i < DEVICES; i++)
                if (picks[i].kind == ROLLOUT_EXPOSE)
                        CHECK(director_firebreak.granted(director, picks[i].handle, 1100000, &deadline_ms, NULL) == OK && deadline_ms == 1820000);
        for (uint32_t i = 0; i < DEVICES; i++)
                if (picks[i].kind == ROLLOUT_EXPOSE)
                        CHECK(director_firebreak.report(director, &(struct rollout_report){ 1200000, picks[i].handle, ROLLOUT_HARMED, ROLLOUT_CRASH }, NULL) == OK);
        director_firebreak.view(director, &view);
        CHECK(view.is_stopped && view.stopped_by != ROLLOUT_BY_NOBODY && view.stopped_ms == 1200000 && view.seen_hurt == exposed && !director_firebreak.may_pick(director));
        CHECK(director_firebreak.tick(director, 1300000, NULL) == OK && director_firebreak.withdraw(director, 1300000, NULL) == OK);
        director_firebreak.view(director, &view);
        CHECK(view.is_stopped);
        director_firebreak.close(director);
}
