#include "replay/course.h"

enum { FLEET = 1000 };

TEST(all_at_once, exposes_everybody_who_asks)
{
        OWN(course) struct course course;
        course_open(&course, &director_all_at_once, FLEET);
        CHECK(course_view(&course).window == FLEET);
        CHECK(course_ask(&course) == FLEET);
        CHECK(course_view(&course).window == 0 && course_view(&course).limit == FLEET);
}

TEST(all_at_once, never_stops_by_itself)
{
        OWN(course) struct course course;
        course_open(&course, &director_all_at_once, FLEET);
        course_ask(&course);
        course_tell_all(&course, 0, FLEET, ROLLOUT_HARMED);
        course_wait(&course, 604800);
        struct director_view view = course_view(&course);
        CHECK(!view.is_stopped && view.stopped_by == ROLLOUT_BY_NOBODY && view.seen_hurt == FLEET && !view.is_complete);
}

TEST(all_at_once, offers_it_again_to_who_declined)
{
        OWN(course) struct course course;
        course_open(&course, &director_all_at_once, FLEET);
        course_ask(&course);
        course_tell(&course, 5, ROLLOUT_DECLINED);
        CHECK(course_ask(&course) == 1 && course.picks[5].kind == ROLLOUT_EXPOSE);
}
