/* What all of them keep to. */
#include "replay/director.h"

#include "replay/course.h"
#include "support/sweep.h"

#include <string.h>

enum { FLEET = 400 };

TEST(directors, stand_in_the_order_of_the_manual)
{
        static const char *const names[] = { "firebreak", "all-at-once", "rings", "error-threshold", "steps", "peeking" };
        CHECK(director_count() == sizeof(names) / sizeof(names[0]));
        for (size_t i = 0; i < director_count(); i++)
                CHECK(strcmp(director_at(i)->name, names[i]) == 0 && director_find(names[i]) == director_at(i));
        CHECK(!director_find("ring"));
}

static const struct director_ops *peer(size_t at)
{
        static const struct director_ops *const peers[] = {
                &director_all_at_once, &director_rings, &director_error_threshold, &director_steps, &director_peeking,
        };
        return at < sizeof(peers) / sizeof(peers[0]) ? peers[at] : NULL;
}

TEST(each_director, knows_only_leases_that_it_granted)
{
        for (size_t i = 0; peer(i); i++) {
                OWN(course) struct course course;
                course_open(&course, peer(i), FLEET);
                struct rollout_line line = { course.now_ms, course.devices, FLEET, course.picks, 0 };
                const struct rollout_report report = { course.now_ms, 0, ROLLOUT_PROVEN, ROLLOUT_CRASH };
                int64_t deadline_ms;
                CHECK(peer(i)->granted(course.director, 0, course.now_ms, &deadline_ms, NULL) == ERR_NOT_FOUND);
                CHECK(peer(i)->pick(course.director, &line, NULL) == OK && line.picked > 0);
                CHECK(peer(i)->report(course.director, &report, NULL) == ERR_NOT_FOUND);
                CHECK(course_view(&course).exposed == 0);
                CHECK(peer(i)->granted(course.director, 0, course.now_ms, &deadline_ms, NULL) == OK && course_view(&course).exposed == 1);
                CHECK(peer(i)->report(course.director, &report, NULL) == OK);
        }
}

TEST(each_director, refuses_devices_that_are_not_in_the_fleet)
{
        for (size_t i = 0; peer(i); i++) {
                OWN(course) struct course course;
                course_open(&course, peer(i), FLEET);
                course.devices[3].device = FLEET;
                struct rollout_line line = { course.now_ms, course.devices, FLEET, course.picks, 0 };
                CHECK(peer(i)->pick(course.director, &line, NULL) == ERR_NOT_FOUND);
                line.count = FLEET + 1;
                CHECK(peer(i)->pick(course.director, &line, NULL) == ERR_LIMIT);
        }
}

TEST(each_director, exposes_nobody_twice)
{
        for (size_t i = 0; peer(i); i++) {
                OWN(course) struct course course;
                course_open(&course, peer(i), FLEET);
                CHECK(course_ask(&course) > 0 && course_ask(&course) == 0);
                CHECK(course_view(&course).exposed <= course_view(&course).limit);
        }
}

TEST(each_director, hears_the_first_report_only)
{
        for (size_t i = 0; peer(i); i++) {
                OWN(course) struct course course;
                course_open(&course, peer(i), FLEET);
                course_ask(&course);
                course_tell(&course, 0, ROLLOUT_HARMED);
                CHECK(course_view(&course).seen_hurt == 1);
                course_tell(&course, 0, ROLLOUT_HARMED);
                course_tell(&course, 0, ROLLOUT_PROVEN);
                course_tell(&course, 1, ROLLOUT_PROVEN);
                course_tell(&course, 1, ROLLOUT_PROVEN);
                CHECK(course_view(&course).seen_hurt == 1);
        }
}

TEST(each_director, counts_a_failed_preflight_and_no_refusal)
{
        for (size_t i = 0; peer(i); i++) {
                OWN(course) struct course course;
                course_open(&course, peer(i), FLEET);
                course_ask(&course);
                course_tell(&course, 0, ROLLOUT_DECLINED);
                CHECK(course_view(&course).seen_hurt == 0);
                course_tell(&course, 1, ROLLOUT_PREFLIGHT_FAILED);
                CHECK(course_view(&course).seen_hurt == 1);
        }
}

TEST(each_director, offers_nothing_once_it_is_withdrawn)
{
        for (size_t i = 0; peer(i); i++) {
                OWN(course) struct course course;
                int64_t deadline_ms;
                course_open(&course, peer(i), FLEET);
                struct rollout_line line = { course.now_ms, course.devices, FLEET / 2, course.picks, 0 };
                CHECK(peer(i)->may_pick(course.director) && !course_is_stopped(&course));
                CHECK(peer(i)->pick(course.director, &line, NULL) == OK && line.picked > 0);
                CHECK(peer(i)->withdraw(course.director, course.now_ms + 5, NULL) == OK);
                CHECK(peer(i)->granted(course.director, 0, course.now_ms, &deadline_ms, NULL) == ERR_REFUSED);
                CHECK(!peer(i)->may_pick(course.director) && course_ask(&course) == 0);
                struct director_view view = course_view(&course);
                CHECK(view.is_stopped && view.stopped_by == ROLLOUT_BY_OPERATOR && view.stopped_ms == course.now_ms + 5 && view.window == 0);
                CHECK(peer(i)->withdraw(course.director, course.now_ms + 9, NULL) == OK && course_view(&course).stopped_ms == course.now_ms + 5);
        }
}

/* All good answers, for a week. */
TEST(each_director, completes_a_good_release)
{
        for (size_t i = 0; peer(i); i++) {
                OWN(course) struct course course;
                course_open(&course, peer(i), FLEET);
                peer(i)->seen(course.director, course.now_ms, FLEET);
                for (unsigned hour = 0; hour < 7 * 24 * 6; hour++) {
                        course_ask(&course);
                        course_wait(&course, 600);
                        for (uint32_t device = 0; device < FLEET; device++)
                                if (course.handles[device] != UINT32_MAX)
                                        course_tell(&course, device, ROLLOUT_PROVEN);
                }
                struct director_view view = course_view(&course);
                CHECK(view.is_complete && view.completed_ms > course.start_ms && !view.is_stopped && view.exposed == FLEET && view.seen_hurt == 0);
                CHECK(view.sentence[0] && strlen(view.sentence) < 199);
        }
}

TEST(each_director, survives_without_memory)
{
        for (size_t i = 0; peer(i); i++)
                SWEEP_MEMORY {
                        const struct rollout_policy policy = rollout_policy_default();
                        const struct director_fleet fleet = { .devices = FLEET, .blocks = 1 };
                        struct rollout_device device = { .device = 0 };
                        struct rollout_pick pick;
                        struct rollout_line line = { 0, &device, 1, &pick, 0 };
                        struct director *director = NULL;
                        enum err e = peer(i)->open(&fleet, &policy, &director, NULL);
                        if (!e)
                                e = peer(i)->pick(director, &line, NULL);
                        CHECK((!e && line.picked == 1) || e == ERR_NOMEM);
                        peer(i)->close(director);
                }
}
