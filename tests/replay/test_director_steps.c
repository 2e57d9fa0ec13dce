#include "replay/course.h"

#include <string.h>

enum { FLEET = 1000, FIRST = 50, BAKE_S = 600, LOOK_S = 300 };

static void open_first_step(struct course *course, uint32_t bad)
{
        course_open(course, &director_steps, FLEET);
        CHECK(course_ask(course) == FIRST);
        course_wait(course, BAKE_S);
        course_tell_all(course, 0, bad, ROLLOUT_HARMED);
        course_tell_all(course, bad, FIRST, ROLLOUT_PROVEN);
}

TEST(steps, go_on_after_five_good_measurements)
{
        OWN(course) struct course course;
        open_first_step(&course, 2);      /* 96 % of 50 */
        for (unsigned look = 0; look < 5; look++) {
                CHECK(course_ask(&course) == 0);
                course_wait(&course, LOOK_S);
        }
        CHECK(course_ask(&course) == 50 && course_view(&course).limit == 100);
}

TEST(steps, stop_at_the_fourth_bad_measurement)
{
        OWN(course) struct course course;
        open_first_step(&course, 3);      /* 94 % of 50 */
        for (unsigned look = 0; look < 3; look++)
                course_wait(&course, LOOK_S);
        CHECK(!course_is_stopped(&course));
        course_wait(&course, LOOK_S);
        struct director_view view = course_view(&course);
        CHECK(view.is_stopped && view.stopped_by == ROLLOUT_BY_GATE && view.seen_hurt == 3);
        CHECK(strcmp(view.sentence, "The analysis at step 1 of 5 aborted it: 47 of 50 answers were good, and 95 % are asked for.") == 0);
}

TEST(steps, take_those_who_answer_for_all)
{
        OWN(course) struct course course;
        course_open(&course, &director_steps, FLEET);
        course_ask(&course);
        course_wait(&course, BAKE_S);
        course_tell(&course, 0, ROLLOUT_PROVEN);      /* the other 49 are bricks */
        for (unsigned look = 0; look < 5; look++)
                course_wait(&course, LOOK_S);
        CHECK(course_ask(&course) == 50 && !course_is_stopped(&course));
}

TEST(steps, wait_while_nobody_answers)
{
        OWN(course) struct course course;
        course_open(&course, &director_steps, FLEET);
        course_ask(&course);
        for (unsigned look = 0; look < 1000; look++)
                course_wait(&course, LOOK_S);
        CHECK(course_ask(&course) == 0 && !course_is_stopped(&course));
        CHECK(strcmp(course_view(&course).sentence, "Step 1 of 5, 5 %: the analysis is inconclusive, because nobody answered; the step waits.") == 0);
        course_tell(&course, 0, ROLLOUT_PROVEN);
        for (unsigned look = 0; look < 5; look++)
                course_wait(&course, LOOK_S);
        CHECK(course_ask(&course) == 50);
}

static void pass_all_steps(struct course *course)
{
        static const uint32_t ends[] = { 50, 100, 250, 500, 1000 };
        course_open(course, &director_steps, FLEET);
        for (unsigned step = 0; step < 5; step++) {
                uint32_t before = step ? ends[step - 1] : 0;
                CHECK(course_ask(course) == ends[step] - before);
                course_wait(course, BAKE_S);
                course_tell_all(course, before, ends[step], ROLLOUT_PROVEN);
                for (unsigned look = 0; look < 5; look++)
                        course_wait(course, LOOK_S);
        }
}

TEST(steps, are_over_when_it_is_fully_promoted)
{
        OWN(course) struct course course;
        pass_all_steps(&course);
        course_tell_all(&course, 0, FLEET, ROLLOUT_HARMED);
        for (unsigned look = 0; look < 10; look++)
                course_wait(&course, LOOK_S);
        CHECK(!course_is_stopped(&course) && course_view(&course).seen_hurt == FLEET);
        CHECK(strcmp(course_view(&course).sentence, "It is fully promoted, and no analysis looks at it any more.") == 0);
}

TEST(steps, count_harm_that_earlier_steps_tell_later)
{
        OWN(course) struct course course;
        open_first_step(&course, 0);
        for (unsigned look = 0; look < 5; look++)
                course_wait(&course, LOOK_S);
        CHECK(course_ask(&course) == 50);
        course_wait(&course, BAKE_S);
        course_tell_all(&course, 0, FIRST, ROLLOUT_HARMED);
        for (unsigned look = 0; look < 4; look++)
                course_wait(&course, LOOK_S);
        CHECK(course_is_stopped(&course));
}
