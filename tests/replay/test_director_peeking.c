#include "replay/course.h"
#include "support/sim_random.h"

enum { STEP_S = 600 + 5 * 300, FLEET = 4000, STRIDE = 1237 };      /* so that treated and control answer by turns */

static bool is_open(const struct course *course, uint32_t device, const bool *has_answered)
{
        return course->handles[device] != UINT32_MAX && !has_answered[course->handles[device]];
}

/* One step: everybody who is open answers after the bake, treated and control with these chances of harm, in per mille. */
static void answer_step(struct course *course, struct sim_random *random, bool *has_answered, const uint64_t harm[2])
{
        course_ask(course);
        course_wait(course, 600);
        for (uint32_t at = 0; at < course->count; at++) {
                uint32_t i = at * STRIDE % course->count;
                if (!is_open(course, i, has_answered))
                        continue;
                bool is_harmed = sim_random_below(random, 1000) < harm[course->is_control[i]];
                has_answered[course->handles[i]] = true;
                course_tell(course, i, is_harmed ? ROLLOUT_HARMED : ROLLOUT_PROVEN);
        }
        course_wait(course, STEP_S - 600);
}

/* Four steps, to half of the fleet; was it stopped? */
static bool is_stopped_within_four_steps(uint64_t seed, const uint64_t harm[2])
{
        OWN(course) struct course course;
        struct sim_random random;
        bool has_answered[2 * FLEET] = { false };
        sim_random_init(&random, seed);
        course_open(&course, &director_peeking, FLEET);
        for (unsigned step = 0; step < 4; step++)
                answer_step(&course, &random, has_answered, harm);
        return course_is_stopped(&course);
}

/* Were each of 2,000 stopped with a chance of 1 in 1,000, 12 or more would be once in 700,000 times. */
TEST(peeking, stops_harmless_releases_far_more_often_than_its_alpha)
{
        static const uint64_t harmless[2] = { 100, 100 };
        unsigned stopped = 0;
        for (uint64_t seed = 1; seed <= 2000; seed++)
                stopped += is_stopped_within_four_steps(seed, harmless);
        printf("# %u of 2000 harmless releases stopped at alpha 0.001\n", stopped);
        CHECK(stopped >= 12);
}

TEST(peeking, stops_what_hurts)
{
        static const uint64_t harm[2] = { 400, 100 };
        for (uint64_t seed = 1; seed <= 20; seed++)
                CHECK(is_stopped_within_four_steps(seed, harm));
}

TEST(peeking, has_as_many_controls_as_exposures)
{
        OWN(course) struct course course;
        course_open(&course, &director_peeking, FLEET);
        CHECK(course_ask(&course) == FLEET / 20);
        uint32_t controls = 0, early = 0;
        for (uint32_t i = 0; i < FLEET; i++) {
                controls += course.picks[i].kind == ROLLOUT_SHADOW;
                early += course.picks[i].kind == ROLLOUT_SHADOW && i < FLEET / 2;
        }
        CHECK(controls == FLEET / 20);
        CHECK(early > 60 && early < 130);      /* of 200 among 1,800 early and 2,000 late ones, about 95, 6.5 each way */
        CHECK(course_view(&course).exposed == FLEET / 20);
}

TEST(peeking, counts_the_silent)
{
        OWN(course) struct course course;
        course_open(&course, &director_peeking, FLEET);
        course_ask(&course);
        course_wait(&course, 600);
        for (uint32_t i = FLEET / 20; i < FLEET; i++)
                if (course.picks[i].kind == ROLLOUT_SHADOW)
                        course_tell(&course, i, ROLLOUT_PROVEN);
        course_wait(&course, 119);
        CHECK(!course_is_stopped(&course) && course_view(&course).seen_hurt == 0);
        course_wait(&course, 1);
        struct director_view view = course_view(&course);
        CHECK(view.is_stopped && view.stopped_by == ROLLOUT_BY_GATE && view.seen_hurt == FLEET / 20 && view.evidence > view.evidence_needed);
        course_tell(&course, 0, ROLLOUT_PROVEN);
        CHECK(course_view(&course).seen_hurt == FLEET / 20 - 1);      /* but stopped it stays */
        CHECK(course_is_stopped(&course));
}

TEST(peeking, looks_no_more_when_everybody_may_have_it)
{
        static const uint64_t harmless[2] = { 0, 0 };
        OWN(course) struct course course;
        struct sim_random random;
        bool has_answered[2 * FLEET] = { false };
        sim_random_init(&random, 1);
        course_open(&course, &director_peeking, FLEET);
        for (unsigned step = 0; step < 4; step++)
                answer_step(&course, &random, has_answered, harmless);
        CHECK(course_ask(&course) == FLEET / 2);
        course_tell_all(&course, 0, FLEET, ROLLOUT_HARMED);
        CHECK(!course_is_stopped(&course) && course_view(&course).seen_hurt == FLEET);
}
