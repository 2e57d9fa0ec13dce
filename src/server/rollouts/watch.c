/* After the bake: who is still heard of, who moved on, and harm that is told of something else. */
#include "base/mem.h"
#include "server/rollouts/inputs.h"
#include "server/rollouts/leases.h"

#include <string.h>

enum { LOOKS_PER_LEASE = 8, LOOK_LEAST_MS = 1000 };

static bool is_open(const struct run *run)
{
        return run->facts.state == ROLLOUT_EXPOSING || run->facts.state == ROLLOUT_HOLDING || run->facts.state == ROLLOUT_COMPLETE;
}

/* At the end of a round, too: what was said in it counts in it. */
static bool is_time_to_look(const struct run *run, int64_t now_ms)
{
        int64_t every_ms = run->facts.lease_ms / LOOKS_PER_LEASE;
        bool is_over = run_own_ms(run, now_ms) >= rollout_round_ends_ms(run->pure);
        return is_over || now_ms < run->heard_asked_ms || now_ms - run->heard_asked_ms >= (every_ms > LOOK_LEAST_MS ? every_ms : LOOK_LEAST_MS);
}

enum err run_hear(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        if (!is_open(run) || rollout_round_ends_ms(run->pure) == INT64_MAX || !is_time_to_look(run, now_ms))
                return OK;
        OWN(memory) void *listened_memory = mem_new(ROLLOUT_LISTENED_MAX, sizeof(struct rollout_listened));
        OWN(memory) void *heard_memory = mem_new(ROLLOUT_LISTENED_MAX, sizeof(uint32_t));
        struct rollout_listened *listened = listened_memory;
        uint32_t *heard = heard_memory;
        if (!listened || !heard)
                return FAIL(why, ERR_NOMEM, "out of memory for a watch");
        struct input input = { .what = INPUT_HEARD, .at_ms = now_ms, .list = heard };
        size_t count = rollout_listens(run->pure, listened, ROLLOUT_LISTENED_MAX);
        enum err e = OK;
        for (size_t i = 0; i < count && !e; i++) {
                int64_t seen_s = 0;
                e = db_number(rollouts->db, "SELECT seen_at FROM devices WHERE number = ?", VALUES(bind_int(run->members[listened[i].device].device)), 0, &seen_s, why);
                if (seen_s >= run->heard_asked_ms / 1000)
                        heard[input.list_count++] = listened[i].handle;
        }
        run->heard_asked_ms = now_ms;
        return e || !input.list_count ? e : run_input(rollouts, run, &input, NULL, why);
}

static enum err leave(struct rollouts *rollouts, struct run *older, const int64_t *devices, size_t count, int64_t now_ms, struct why *why)
{
        OWN(memory) void *memory = mem_new(count + 1, sizeof(uint32_t));
        uint32_t *dense = memory;
        struct input input = { .what = INPUT_LEFT, .at_ms = now_ms, .list = dense };
        if (!dense)
                return FAIL(why, ERR_NOMEM, "out of memory for a line of %zu", count);
        for (size_t i = 0; i < count; i++) {
                const struct member *member = run_member(older, devices[i]);
                if (member)
                        dense[input.list_count++] = (uint32_t)(member - older->members);
        }
        return input.list_count ? run_input(rollouts, older, &input, NULL, why) : OK;
}

enum err run_takes_over(struct rollouts *rollouts, const struct run *run, const int64_t *devices, size_t count, int64_t now_ms, struct why *why)
{
        enum err e = OK;
        for (struct run *older = rollouts->first; older && !e; older = older->next)
                if (older != run && is_open(older) && strcmp(older->facts.stream, run->facts.stream) == 0)
                        e = leave(rollouts, older, devices, count, now_ms, why);
        return e;
}

static enum err harm_in(struct rollouts *rollouts, struct run *run, const struct run_harm *harm, struct why *why)
{
        const struct member *member = run_member(run, harm->device);
        uint32_t handle = 0;
        bool is_same_stream = strcmp(run->facts.stream, harm->stream) == 0;
        if (!member || !rollout_minds(run->pure, (uint32_t)(member - run->members), is_same_stream, &handle))
                return OK;
        struct run_outcome outcome = { handle, "harmed", harm->kind, harm->now_ms };
        int64_t granted_ms = 0;
        enum err e = db_number(rollouts->db, "SELECT granted_ms FROM leases WHERE device = ? AND rollout = ? AND handle = ?",
                               VALUES(bind_int(harm->device), bind_int(run->facts.number), bind_int(handle)), INT64_MAX, &granted_ms, why);
        if (e || harm->at_s < granted_ms / 1000)
                return e;
        e = db_run(rollouts->db, "UPDATE leases SET outcome = 'harmed', harm = ?, outcome_ms = ? WHERE device = ? AND rollout = ? AND handle = ?",
                            VALUES(bind_text(harm->kind), bind_int(harm->now_ms), bind_int(harm->device), bind_int(run->facts.number), bind_int(handle)), why);
        return e ? e : rollouts_outcome(rollouts, run, &outcome, why);
}

enum err rollouts_harm(struct rollouts *rollouts, const struct run_harm *harm, struct why *why)
{
        enum err e = OK;
        for (struct run *run = rollouts->first; run && !e; run = run->next)
                if (run != harm->reporting && is_open(run))
                        e = harm_in(rollouts, run, harm, why);
        return e;
}
