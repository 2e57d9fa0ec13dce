/* course.h - a small fleet under one director, steered by hand. Device i is the i-th by bucket, too. */
#pragma once

#include "base/mem.h"
#include "replay/director.h"
#include "support/test.h"

struct course {
        const struct director_ops *ops;
        struct director *director;
        struct rollout_device *devices;
        struct rollout_pick *picks;              /* of the last line */
        uint32_t *handles;                       /* by device: its newest lease; UINT32_MAX: none */
        bool *is_control;                        /* is that one */
        uint32_t count;
        int64_t start_ms, now_ms;
};

static inline void course_open(struct course *course, const struct director_ops *ops, uint32_t count)
{
        const struct rollout_policy policy = rollout_policy_default();
        const struct director_fleet fleet = { .devices = count, .blocks = 1, .start_ms = 1000000 };
        *course = (struct course){ .ops = ops, .count = count, .start_ms = fleet.start_ms, .now_ms = fleet.start_ms };
        course->devices = mem_new(count, sizeof(*course->devices));
        course->picks = mem_new(count, sizeof(*course->picks));
        course->handles = mem_new(count, sizeof(*course->handles));
        course->is_control = mem_new(count, sizeof(*course->is_control));
        CHECK(course->devices && course->picks && course->handles && course->is_control);
        for (uint32_t i = 0; i < count; i++) {
                uint64_t width = UINT64_MAX / count;
                course->devices[i] = (struct rollout_device){ .device = i, .bucket = width * i + width / 2, .ring = ROLLOUT_RING_ALL };
                course->handles[i] = UINT32_MAX;
        }
        CHECK(ops->open(&fleet, &policy, &course->director, NULL) == OK);
}

static inline void course_release(struct course *course)
{
        course->ops->close(course->director);
        mem_free(course->devices);
        mem_free(course->picks);
        mem_free(course->handles);
        mem_free(course->is_control);
}

/* The whole fleet stands in line; who is picked is granted at once. Returns how many were exposed. */
static inline uint32_t course_ask(struct course *course)
{
        struct rollout_line line = { course->now_ms, course->devices, course->count, course->picks, 0 };
        uint32_t exposed = 0;
        int64_t deadline_ms;
        CHECK(course->ops->pick(course->director, &line, NULL) == OK);
        for (uint32_t i = 0; i < course->count; i++) {
                if (course->picks[i].kind == ROLLOUT_WAIT)
                        continue;
                course->handles[i] = course->picks[i].handle;
                course->is_control[i] = course->picks[i].kind == ROLLOUT_SHADOW;
                exposed += course->picks[i].kind == ROLLOUT_EXPOSE;
                CHECK(course->ops->granted(course->director, course->handles[i], course->now_ms, &deadline_ms, NULL) == OK);
                CHECK(deadline_ms == course->now_ms + 720000);
        }
        return exposed;
}

static inline void course_tell(struct course *course, uint32_t device, enum rollout_outcome outcome)
{
        const struct rollout_report report = { course->now_ms, course->handles[device], outcome, ROLLOUT_CRASH };
        CHECK(course->ops->report(course->director, &report, NULL) == OK);
}

/* Of the devices `from` .. `to` - 1, each. */
static inline void course_tell_all(struct course *course, uint32_t from, uint32_t to, enum rollout_outcome outcome)
{
        for (uint32_t i = from; i < to; i++)
                course_tell(course, i, outcome);
}

static inline void course_wait(struct course *course, int64_t seconds)
{
        course->now_ms += seconds * 1000;
        CHECK(course->ops->tick(course->director, course->now_ms, NULL) == OK);
}

static inline struct director_view course_view(const struct course *course)
{
        struct director_view view;
        course->ops->view(course->director, &view);
        return view;
}

static inline bool course_is_stopped(const struct course *course) { return course_view(course).is_stopped; }
