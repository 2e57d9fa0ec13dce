#include "replay/course.h"

#include <string.h>

enum { FLEET = 60000, FIRST = 600, SECOND = 5400, DAY_S = 86400 };

TEST(rings, open_by_the_clock_whoever_is_silent)
{
        OWN(course) struct course course;
        course_open(&course, &director_rings, FLEET);
        CHECK(course_ask(&course) == FIRST);
        course_wait(&course, DAY_S - 1);
        CHECK(course_ask(&course) == 0);
        course_wait(&course, 1);
        CHECK(course_ask(&course) == SECOND);
        course_wait(&course, DAY_S);
        CHECK(course_ask(&course) == FLEET / 2 - FIRST - SECOND);
        course_wait(&course, DAY_S);
        CHECK(course_ask(&course) == FLEET / 2);
        course_wait(&course, DAY_S);
        CHECK(!course_is_stopped(&course) && course_view(&course).seen_hurt == 0);
}

TEST(rings, stop_above_five_percent_and_not_at_it)
{
        OWN(course) struct course course;
        course_open(&course, &director_rings, FLEET);
        course_ask(&course);
        course_tell_all(&course, 0, 30, ROLLOUT_HARMED);
        course_wait(&course, 60);
        CHECK(!course_is_stopped(&course));
        course_tell(&course, 30, ROLLOUT_HARMED);
        course_wait(&course, 60);
        struct director_view view = course_view(&course);
        CHECK(view.is_stopped && view.stopped_by == ROLLOUT_BY_GATE && view.stopped_ms == course.now_ms && view.seen_hurt == 31);
        CHECK(strcmp(view.sentence, "Ring 1 of 4 stopped it: 31 of the 600 devices that have it reported trouble, more than 5 %.") == 0);
        CHECK(course_ask(&course) == 0);
}

TEST(rings, judge_a_small_ring_when_its_day_is_over)
{
        OWN(course) struct course course;
        course_open(&course, &director_rings, 1000);
        CHECK(course_ask(&course) == 10);
        course_tell(&course, 0, ROLLOUT_HARMED);
        course_wait(&course, DAY_S - 1);
        CHECK(!course_is_stopped(&course));
        course_wait(&course, 1);
        CHECK(course_is_stopped(&course));
}

TEST(rings, keep_an_eye_on_those_before)
{
        OWN(course) struct course course;
        course_open(&course, &director_rings, FLEET);
        course_ask(&course);
        course_tell_all(&course, 0, FIRST, ROLLOUT_PROVEN);
        course_wait(&course, DAY_S);
        CHECK(course_ask(&course) == SECOND);
        course_tell_all(&course, 0, 31, ROLLOUT_HARMED);
        course_wait(&course, 60);
        CHECK(course_is_stopped(&course) && course_view(&course).seen_hurt == 31);
}

TEST(rings, need_no_second_day_for_a_small_one_before)
{
        OWN(course) struct course course;
        course_open(&course, &director_rings, 1000);
        course_ask(&course);
        course_wait(&course, DAY_S);
        CHECK(course_ask(&course) == 90);
        course_tell(&course, 0, ROLLOUT_HARMED);
        course_wait(&course, 60);
        CHECK(course_is_stopped(&course));
}
