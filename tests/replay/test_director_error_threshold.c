#include "replay/course.h"

#include <string.h>

/* The same rule that lets 1 of 5 pass at 20 %, and 200 of 20,000 at 1 %; here at 10 %. */
TEST(error_threshold, fires_above_the_share_of_a_small_group_and_not_at_it)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 100);
        CHECK(course_ask(&course) == 10);
        course_tell(&course, 0, ROLLOUT_HARMED);
        course_wait(&course, 2);
        CHECK(!course_is_stopped(&course));
        course_tell(&course, 1, ROLLOUT_PREFLIGHT_FAILED);
        course_wait(&course, 2);
        CHECK(course_is_stopped(&course) && course_view(&course).stopped_by == ROLLOUT_BY_GATE);
        CHECK(strcmp(course_view(&course).sentence, "Group 1 of 10 stopped it: 2 of its 10 devices reported an error, more than 10 %.") == 0);
}

TEST(error_threshold, needs_2001_reports_in_a_group_of_20000)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 200000);
        CHECK(course_ask(&course) == 20000);
        course_tell_all(&course, 0, 2000, ROLLOUT_HARMED);
        course_wait(&course, 2);
        CHECK(!course_is_stopped(&course));
        course_tell(&course, 2000, ROLLOUT_HARMED);
        course_wait(&course, 2);
        CHECK(course_is_stopped(&course));
}

/* 100 asked of a group of 1,000, and all of them fail: 10 % of the group. */
TEST(error_threshold, counts_who_did_not_ask_yet_as_well)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 10000);
        uint32_t all = course.count;
        course.count = 100;
        CHECK(course_ask(&course) == 100);
        course_tell_all(&course, 0, 100, ROLLOUT_HARMED);
        course_wait(&course, 2);
        CHECK(!course_is_stopped(&course));
        course.count = all;
}

TEST(error_threshold, never_counts_silence)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 1000);
        CHECK(course_ask(&course) == 100);
        course_tell_all(&course, 0, 49, ROLLOUT_PROVEN);
        course_wait(&course, 604800);
        CHECK(!course_is_stopped(&course) && course_view(&course).seen_hurt == 0);
        CHECK(course_ask(&course) == 0);      /* nor lets it go on */
}

TEST(error_threshold, starts_groups_in_the_order_of_creation)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 1000);
        for (uint32_t i = 0; i < 1000; i++)
                course.devices[i].bucket = ~course.devices[i].bucket;
        for (uint32_t group = 0; group < 10; group++) {
                CHECK(course_ask(&course) == 100 && course.picks[100 * group].kind == ROLLOUT_EXPOSE);
                course_tell_all(&course, 100 * group, 100 * group + 49, ROLLOUT_PROVEN);
                course_wait(&course, 2);
                CHECK(course_ask(&course) == 0);
                course_tell(&course, 100 * group + 49, ROLLOUT_PROVEN);
                course_wait(&course, 2);
        }
        CHECK(course_view(&course).exposed == 1000);
}

TEST(error_threshold, still_counts_errors_of_groups_before)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 1000);
        course_ask(&course);
        course_tell_all(&course, 0, 50, ROLLOUT_PROVEN);
        course_wait(&course, 2);
        CHECK(course_ask(&course) == 100);
        course_tell_all(&course, 50, 61, ROLLOUT_HARMED);
        course_wait(&course, 2);
        CHECK(course_is_stopped(&course));
}

TEST(error_threshold, hears_nothing_after_success)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 1000);
        course_ask(&course);
        course_tell_all(&course, 0, 100, ROLLOUT_PROVEN);
        course_tell_all(&course, 0, 100, ROLLOUT_HARMED);
        course_wait(&course, 2);
        CHECK(!course_is_stopped(&course) && course_view(&course).seen_hurt == 0);
}

/* hawkBit takes a group without devices for finished. */
TEST(error_threshold, passes_over_empty_groups)
{
        OWN(course) struct course course;
        course_open(&course, &director_error_threshold, 3);
        uint32_t exposed = 0;
        for (unsigned i = 0; i < 20; i++) {
                exposed += course_ask(&course);
                for (uint32_t device = 0; device < 3; device++)
                        if (course.handles[device] != UINT32_MAX)
                                course_tell(&course, device, ROLLOUT_PROVEN);
                course_wait(&course, 2);
        }
        CHECK(exposed == 3);
}
