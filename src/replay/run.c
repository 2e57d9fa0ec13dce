#include "replay/run.h"

#include "base/mem.h"
#include "replay/world.h"

#include <stdio.h>

enum { SECOND_MS = 1000, ROUNDS_PER_LEASE = 48, ROUNDS_PER_LOOK = 4, CHUNK = 1 << 18, ROUNDS_PER_PROGRESS = 64 };

struct run {
        const struct replay_config *config;
        const struct director_ops *ops;
        struct director *director;
        struct world *world;
        struct director_view view, view_at_stop;
        int64_t now_ms, round_ms, end_ms, start_ms;      /* now, end: since the start */
        int64_t stop_ms;                         /* -1: not */
        int64_t moved_ms;                        /* when somebody was exposed last */
        bool is_withdrawn;
        struct rollout_device *devices;          /* CHUNK */
        struct rollout_pick *picks;
        struct rollout_listened *listened;       /* ROLLOUT_LISTENED_MAX */
        uint32_t *heard;
        uint32_t seen_told, hurt_at_stop, rounds_per_point, wanted;      /* wanted: proven devices, to have reached the fleet */
        struct replay_result *result;
};

static void done(struct run *run)
{
        if (run->director)
                run->ops->close(run->director);
        world_close(run->world);
        mem_free(run->devices);
        mem_free(run->picks);
        mem_free(run->listened);
        mem_free(run->heard);
}

static int64_t unix_ms(const struct run *run) { return run->start_ms + run->now_ms; }

/* The first time that it is stopped. */
static void look(struct run *run)
{
        run->ops->view(run->director, &run->view);
        if (!run->view.is_stopped || run->stop_ms >= 0)
                return;
        run->stop_ms = run->view.stopped_ms > run->start_ms ? run->view.stopped_ms - run->start_ms : run->now_ms;
        run->hurt_at_stop = run->world->counts.hurt;
        run->view_at_stop = run->view;
}

/* Good news stops nothing, so that nobody has to look. */
static enum err heard(void *user, const struct rollout_report *report, struct why *why)
{
        struct run *run = user;
        enum err e = run->ops->report(run->director, report, why);
        if (!e && report->outcome != ROLLOUT_PROVEN)
                look(run);
        return e;
}

static enum err open_world(struct run *run, struct why *why)
{
        const struct replay_config *config = run->config;
        const struct scenario *scenario = config->scenario;
        struct world_config world = {
                .scenario = scenario, .devices = config->fleet ? config->fleet : (uint32_t)scenario->fleet.devices, .round_ms = run->round_ms,
                .rounds = (uint32_t)(run->end_ms / run->round_ms + 1), .bake_ms = config->policy.bake_s * SECOND_MS, .seed = config->seed,
        };
        enum err e = world_open(&world, &run->world, why);
        if (e)
                return e;
        run->world->ear = (struct world_ear){ heard, run };
        run->start_ms = run->world->weather.start_ms;
        return OK;
}

static uint32_t count_wanted(const struct run *run)
{
        const struct fleet *fleet = run->world->fleet;
        uint64_t devices = fleet->devices;
        struct rollout_device facts;
        for (uint32_t i = 0; i < fleet->devices && run->ops->is_held_out; i++) {
                fleet_facts(fleet, i, &facts);
                devices -= run->ops->is_held_out(run->director, facts.bucket);
        }
        return (uint32_t)((devices * (uint64_t)run->config->policy.complete_ppm + 999999) / 1000000);
}

static enum err open_run(struct run *run, struct why *why)
{
        const struct rollout_policy *policy = &run->config->policy;
        int64_t poll_ms = run->config->scenario->fleet.poll_s * SECOND_MS;
        run->round_ms = (policy->bake_s + policy->gap_s) * SECOND_MS / ROUNDS_PER_LEASE;
        if (run->round_ms < SECOND_MS)
                run->round_ms = SECOND_MS;
        if (run->round_ms > poll_ms)             /* nobody asks twice in a round */
                run->round_ms = poll_ms;
        run->end_ms = run->config->scenario->for_s * SECOND_MS;
        run->devices = mem_new(CHUNK, sizeof(*run->devices));
        run->picks = mem_new(CHUNK, sizeof(*run->picks));
        run->listened = mem_new(ROLLOUT_LISTENED_MAX, sizeof(*run->listened));
        run->heard = mem_new(ROLLOUT_LISTENED_MAX, sizeof(*run->heard));
        if (!run->devices || !run->picks || !run->listened || !run->heard)
                return FAIL(why, ERR_NOMEM, "out of memory for a line");
        enum err e = open_world(run, why);
        if (e)
                return e;
        const struct fleet *fleet = run->world->fleet;
        struct director_fleet facts = { fleet->devices, fleet_blocks(fleet), fleet->strata, fleet->stratum_sizes, run->start_ms };
        e = run->ops->open(&facts, policy, &run->director, why);
        if (!e)
                run->wanted = count_wanted(run);
        return e;
}

/* A lease that the director will not give after all was only a place in line. */
static enum err grant(struct run *run, const struct rollout_line *line, size_t at, struct why *why)
{
        int64_t deadline_ms = 0;
        enum err e = run->ops->granted(run->director, line->picks[at].handle, unix_ms(run), &deadline_ms, why);
        if (e == ERR_EXPIRED || e == ERR_REFUSED)
                return OK;
        if (e)
                return e;
        struct world_lease lease = { line->devices[at].device, line->picks[at].handle, line->picks[at].kind == ROLLOUT_SHADOW, run->now_ms, deadline_ms - run->start_ms };
        return world_grant(run->world, &lease, why);
}

/* Those who are held out are asked beside others, or to see whether anybody answers: then there is no window. During the watch nearly
 * all of the line is held out. */
static enum err line_up(struct run *run, struct world_range range, struct why *why)
{
        if (run->view.window && !world_has_candidate(run->world, range, run->now_ms))
                return OK;
        struct rollout_line line = { unix_ms(run), run->devices, world_line(run->world, range, run->now_ms, run->devices), run->picks, 0 };
        if (!line.count)
                return OK;
        enum err e = run->ops->pick(run->director, &line, why);
        for (size_t i = 0; i < line.count && line.picked && !e; i++)
                if (line.picks[i].kind != ROLLOUT_WAIT) {
                        run->moved_ms = line.picks[i].kind == ROLLOUT_EXPOSE ? run->now_ms : run->moved_ms;
                        e = grant(run, &line, i, why);
                }
        return e;
}

static void check_in(struct run *run, struct world_range range)
{
        struct rollout_device facts;
        uint32_t at = range.from;
        for (uint32_t device; world_next_seen(run->world, range, run->now_ms, &at, &device);) {
                if (run->ops->is_held_out) {
                        fleet_facts(run->world->fleet, device, &facts);
                        if (run->ops->is_held_out(run->director, facts.bucket)) {
                                world_hold_out(run->world, device);
                                continue;
                        }
                }
                run->seen_told++;
        }
}

/* Those who ask, in portions that fit the line. */
static enum err each_portion(struct run *run, enum err (*act)(struct run *run, struct world_range range, struct why *why), struct why *why)
{
        struct world_range ranges[2];
        enum err e = OK;
        world_polls(run->world, run->now_ms - run->round_ms, run->round_ms, ranges);
        for (unsigned i = 0; i < 2; i++)
                for (uint32_t from = ranges[i].from, to; from < ranges[i].to && !e; from = to) {
                        to = ranges[i].to - from > CHUNK ? from + CHUNK : ranges[i].to;
                        e = act(run, (struct world_range){ from, to }, why);
                }
        return e;
}

static enum err see(struct run *run, struct world_range range, struct why *why)
{
        (void)why;
        check_in(run, range);
        return OK;
}

static enum err take_back(struct run *run, struct world_range range, struct why *why)
{
        return world_take_back(run->world, range, run->now_ms, why);
}

static bool is_in(const struct world_range ranges[2], uint32_t device)
{
        return (device >= ranges[0].from && device < ranges[0].to) || (device >= ranges[1].from && device < ranges[1].to);
}

/* Whoever asked since the last look, for whatever it was, is heard. */
static enum err hear(struct run *run, struct why *why)
{
        struct world_range ranges[2];
        int64_t look_ms = ROUNDS_PER_LOOK * run->round_ms < run->world->poll_ms ? ROUNDS_PER_LOOK * run->round_ms : run->round_ms;
        if (run->now_ms % look_ms)
                return OK;
        size_t listened = run->ops->listens ? run->ops->listens(run->director, run->listened, ROLLOUT_LISTENED_MAX) : 0, heard = 0;
        world_polls(run->world, run->now_ms - look_ms, look_ms, ranges);
        for (size_t i = 0; i < listened; i++)
                if (is_in(ranges, run->listened[i].device) && world_speaks(run->world, run->listened[i].device, run->now_ms))
                        run->heard[heard++] = run->listened[i].handle;
        return heard ? run->ops->heard(run->director, unix_ms(run), run->heard, heard, why) : OK;
}

static enum err polls(struct run *run, struct why *why)
{
        uint32_t before = run->seen_told;
        if (run->is_withdrawn)
                return each_portion(run, take_back, why);
        enum err e = each_portion(run, see, why);
        if (!e)
                e = hear(run, why);
        if (!e && run->seen_told != before)
                run->ops->seen(run->director, unix_ms(run), run->seen_told);
        return e || !run->ops->may_pick(run->director) ? e : each_portion(run, line_up, why);
}

/* People learn of the stop at once, and need a while to take the release back. */
static enum err people(struct run *run, struct why *why)
{
        bool is_news = run->stop_ms >= 0 && run->world->stop_ms < 0;
        enum err e = is_news ? world_stop(run->world, run->stop_ms, why) : OK;
        if (e || run->stop_ms < 0 || run->is_withdrawn || run->now_ms < run->stop_ms + run->config->scenario->people_s * SECOND_MS)
                return e;
        run->is_withdrawn = true;
        world_withdraw(run->world, run->now_ms, run->config->rollback_s);
        return run->ops->withdraw(run->director, unix_ms(run), why);
}

/* Of the series: when it is full, every second goes. */
static void keep_point(struct run *run)
{
        struct replay_result *result = run->result;
        if (result->point_count == run->config->points) {
                for (uint32_t i = 0; i < result->point_count; i += 2)
                        result->points[i / 2] = result->points[i];
                result->point_count = (result->point_count + 1) / 2;
                run->rounds_per_point *= 2;
        }
        struct world_counts counts = world_counts_at(run->world, run->now_ms);
        result->points[result->point_count++] = (struct replay_point){
                .at_s = run->now_ms / SECOND_MS, .exposed = counts.exposed, .proven = counts.proven, .hurt = counts.hurt,
                .seen_hurt = run->view.seen_hurt, .window = run->view.window, .evidence = run->view.evidence,
        };
}

static enum err round_of(struct run *run, uint32_t round, struct why *why)
{
        enum err e = world_happen(run->world, round, why);
        run->now_ms = (round + 1) * run->round_ms;
        if (!e)
                e = run->ops->tick(run->director, unix_ms(run), why);
        if (e)
                return e;
        look(run);
        if (run->result->reached_s < 0 && run->world->counts.proven >= run->wanted)
                run->result->reached_s = run->now_ms / SECOND_MS;
        e = people(run, why);
        if (!e)
                e = polls(run, why);
        if (!e && run->config->points > 1 && round % run->rounds_per_point == 0)
                keep_point(run);
        return e;
}

static bool is_over(const struct run *run)
{
        if (!world_is_at_rest(run->world))
                return false;
        if (run->stop_ms >= 0)
                return run->is_withdrawn && world_is_back(run->world);
        if (run->config->tail_s > 0 && run->now_ms > run->moved_ms + run->config->tail_s * SECOND_MS)
                return true;
        return run->view.is_complete && unix_ms(run) > run->view.completed_ms + run->config->policy.watch_s * SECOND_MS;
}

/* Most of the work is done while it spreads, most of the time passes while it is watched. */
static double progress(const struct run *run)
{
        double spread = .8 * run->world->counts.exposed / run->world->fleet->devices, time = (double)run->now_ms / (double)run->end_ms;
        return spread + (1 - .8) * time;
}

static enum err rounds(struct run *run, struct why *why)
{
        enum err e = OK;
        for (uint32_t round = 0; run->now_ms + run->round_ms <= run->end_ms && !e; round++) {
                if (round % ROUNDS_PER_PROGRESS == 0 && run->config->progress)
                        run->config->progress(run->config->user, progress(run));
                e = round_of(run, round, why);
                if (!e && is_over(run))
                        break;
        }
        return e;
}

static void conclude(struct run *run)
{
        struct replay_result *result = run->result;
        run->ops->view(run->director, &run->view);
        if (run->config->points > 1)
                keep_point(run);
        const struct director_view *counted = run->stop_ms < 0 ? &run->view : &run->view_at_stop;
        struct world_counts counts = world_counts_at(run->world, run->end_ms);
        result->fleet = run->world->fleet->devices;
        result->susceptible = truth_count_susceptible(&run->world->truth);
        result->exposed = counts.exposed;
        result->hurt = counts.hurt;
        result->dark = counts.dark;
        result->recovered = counts.hurt - counts.unwell;
        result->device_hours_lost = counts.hours_lost;
        result->seen_hurt = run->view.seen_hurt;
        result->unanswered = counted->unanswered;
        result->control = counted->control;
        result->control_hurt = counted->control_hurt;
        result->stopped_by = run->view.stopped_by;
        result->stop_s = run->stop_ms < 0 ? -1 : run->stop_ms / SECOND_MS;
        result->hurt_at_stop = run->hurt_at_stop;
        result->was_stopped_wrongly = run->stop_ms >= 0 && !run->hurt_at_stop;
        result->complete_s = run->view.is_complete ? (run->view.completed_ms - run->start_ms) / SECOND_MS : -1;
        snprintf(result->sentence, sizeof(result->sentence), "%s", run->view.sentence ? run->view.sentence : "");
}

enum err replay_run(const struct replay_config *config, struct replay_result *ret_result, struct why *why)
{
        struct replay_result result = { .reached_s = -1 };
        struct run run = { .config = config, .ops = config->director, .stop_ms = -1, .rounds_per_point = 1, .result = &result };
        enum err e = OK;
        if (config->points > 1 && !(result.points = mem_new(config->points, sizeof(*result.points))))
                return FAIL(why, ERR_NOMEM, "out of memory for %u points", config->points);
        e = open_run(&run, why);
        if (!e)
                e = rounds(&run, why);
        if (!e)
                conclude(&run);
        done(&run);
        if (e)
                replay_result_done(&result);
        else
                *ret_result = result;
        return e;
}

void replay_result_done(struct replay_result *result)
{
        mem_free(result->points);
        result->points = NULL;
        result->point_count = 0;
}
