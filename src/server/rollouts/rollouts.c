#include "server/rollouts/rollouts.h"

#include "base/mem.h"
#include "server/device/attributes.h"
#include "server/rollouts/census.h"
#include "server/rollouts/groups.h"
#include "server/rollouts/inputs.h"
#include "server/rollouts/policy.h"
#include "server/rollouts/roll_back.h"
#include "server/rollouts/run.h"
#include "server/rollouts/tally.h"

#include <inttypes.h>
#include <string.h>

static const enum run_stand stands[ROLLOUT_STATES] = {
        [ROLLOUT_DRAFT] = RUN_WAITS,      [ROLLOUT_PROVING] = RUN_WAITS,    [ROLLOUT_READY] = RUN_WAITS,       [ROLLOUT_EXPOSING] = RUN_PICKS,
        [ROLLOUT_HOLDING] = RUN_WAITS,    [ROLLOUT_COMPLETE] = RUN_WATCHES, [ROLLOUT_WATCHED] = RUN_FOLLOWS,   [ROLLOUT_HALTED] = RUN_OVER,
        [ROLLOUT_ROLLING_BACK] = RUN_OVER, [ROLLOUT_WITHDRAWN] = RUN_OVER,  [ROLLOUT_SUPERSEDED] = RUN_OVER,   [ROLLOUT_CANCELLED] = RUN_OVER,
};

void run_refresh(struct run *run)
{
        struct rollout_standing standing = rollout_standing(run->pure);
        run->facts.state = standing.state;
        run->facts.is_frozen = standing.is_frozen;
        bool holds_as_unknown = standing.state == ROLLOUT_HOLDING && standing.reason == ROLLOUT_BECAUSE_UNKNOWN;
        run->facts.is_probing = !standing.is_frozen && (holds_as_unknown || (standing.state == ROLLOUT_COMPLETE && standing.verdict == ROLLOUT_UNKNOWN));
        run->facts.stand = run->facts.is_probing ? RUN_PICKS : stands[standing.state];
}

void run_free(struct run *run)
{
        if (!run)
                return;
        rollout_free(run->pure);
        freeze_close(run->freeze);
        tally_free(run->groups);
        mem_free(run->members);
        mem_free(run->strata);
        mem_free(run->stratum_sizes);
        mem_free(run);
}

void rollouts_close(struct rollouts *rollouts)
{
        while (rollouts && rollouts->first) {
                struct run *run = rollouts->first;
                rollouts->first = run->next;
                run_free(run);
        }
        mem_free(rollouts);
}

struct run *rollouts_first(const struct rollouts *rollouts) { return rollouts->first; }
struct run *run_next(const struct run *run) { return run->next; }
const struct run_facts *run_facts(const struct run *run) { return &run->facts; }

int64_t run_own_ms(const struct run *run, int64_t now_ms)
{
        int64_t own_ms = now_ms + run->facts.ahead_ms;
        return own_ms > run->last_ms ? own_ms : run->last_ms;
}

uint64_t rollouts_fed(const struct rollouts *rollouts) { return rollouts->fed; }

struct run *rollouts_find(const struct rollouts *rollouts, const char *stream, int64_t counter)
{
        struct run *run = rollouts->first;
        while (run && (run->facts.counter != counter || strcmp(run->facts.stream, stream) != 0))
                run = run->next;
        return run;
}

struct run *rollouts_by_number(const struct rollouts *rollouts, int64_t number)
{
        struct run *run = rollouts->first;
        while (run && run->facts.number != number)
                run = run->next;
        return run;
}

static int compare_member(const void *device, const void *member)
{
        int64_t a = *(const int64_t *)device, b = ((const struct member *)member)->device;
        return (a > b) - (a < b);
}

struct member *run_member(const struct run *run, int64_t device)
{
        return bsearch(&device, run->members, run->member_count, sizeof(*run->members), compare_member);
}

static enum err read_policy(const char *text, struct run *run, struct why *why)
{
        OWN(json) struct json *json = NULL;
        struct calendar calendar;
        enum err e = json_parse(text, strlen(text), LIMIT_REQUEST_BYTES, &json, why);
        if (!e)
                e = policy_read(json, &run->policy, why);
        if (!e)
                e = policy_read_freeze(json, &calendar, why);
        if (!e)
                e = policy_read_rollback(json, &run->rollback_s, why);
        return e ? e : freeze_open(&calendar, &run->freeze, why);
}

static enum err make_pure(struct run *run, struct why *why)
{
        struct rollout_config config = { .policy = run->policy, .fleet = (uint32_t)run->member_count, .blocks = run->block_count,
                                         .strata = (uint16_t)run->stratum_count, .stratum_sizes = run->stratum_sizes };
        enum err e = rollout_new(&config, &run->pure, why);
        if (e)
                return e;
        run->facts.lease_ms = rollout_lease_ms(run->pure);
        run->facts.bake_s = run->policy.bake_s;
        run->facts.budget = run->policy.budget;
        for (size_t i = 0; i < run->member_count; i++)
                run->held_out += rollout_is_held_out(run->pure, run->members[i].facts.bucket);
        return OK;
}

static enum err read_run(struct query *q, struct run *run, struct why *why)
{
        size_t length = 0;
        run->facts = (struct run_facts){ .number = query_int(q, 0), .release = query_int(q, 1), .started_ms = query_int(q, 3), .counter = query_int(q, 5),
                                         .note_length = query_int(q, 7) };
        snprintf(run->facts.stream, sizeof(run->facts.stream), "%s", query_text(q, 4));
        memcpy(run->facts.target, query_blob(q, 6, &length), sizeof(run->facts.target));
        return read_policy(query_text(q, 2), run, why);
}

/* Put behind the others: they stay in the order of their numbers. */
static void add_run(struct rollouts *rollouts, struct run *take_run)
{
        struct run **at = &rollouts->first;
        while (*at)
                at = &(*at)->next;
        *at = take_run;
}

/* The row under the query becomes a rollout in memory, up to its newest input. */
static enum err open_run(struct rollouts *rollouts, struct query *q, struct why *why)
{
        OWN(run) struct run *run = mem_new(1, sizeof(*run));
        if (!run)
                return FAIL(why, ERR_NOMEM, "out of memory");
        enum err e = read_run(q, run, why);
        if (!e)
                e = census_load(rollouts->db, run, why);
        if (!e)
                e = make_pure(run, why);
        if (!e)
                e = run_replay(rollouts->db, run, why);
        if (!e)
                e = run_follow_groups(rollouts, run, why);
        if (!e)
                add_run(rollouts, GIVE(run));
        return e;
}

#define RUN_SELECT \
        "SELECT o.number, o.release, o.policy, o.started_ms, r.stream, r.counter, r.target, r.note_length" \
        " FROM rollouts o JOIN releases r ON r.number = o.release "

enum err rollouts_open(struct db *db, struct rollouts **ret_rollouts, struct why *why)
{
        OWN(rollouts) struct rollouts *rollouts = mem_new(1, sizeof(*rollouts));
        OWN(query) struct query *q = NULL;
        if (!rollouts)
                return FAIL(why, ERR_NOMEM, "out of memory");
        rollouts->db = db;
        bool has = false;
        enum err e = db_query(db, RUN_SELECT "ORDER BY o.number", NO_VALUES, &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                e = open_run(rollouts, q, why);
        if (e)
                return e;
        *ret_rollouts = GIVE(rollouts);
        return OK;
}

enum err rollouts_load(struct rollouts *rollouts, int64_t number, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(rollouts->db, RUN_SELECT "WHERE o.number = ?", VALUES(bind_int(number)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        return e ? e : open_run(rollouts, q, why);
}

enum err run_pass_time(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        return run_input(rollouts, run, &(struct input){ .what = INPUT_TICK, .at_ms = now_ms }, NULL, why);
}

enum err run_tell(struct rollouts *rollouts, struct run *run, const struct run_word *word, struct why *why)
{
        struct input input = { .what = INPUT_COMMAND, .at_ms = word->now_ms, .word = word->action, .who = word->who, .second = word->second,
                               .because = word->reason };
        enum err e = run_pass_time(rollouts, run, word->now_ms, why);
        return e ? e : run_input(rollouts, run, &input, NULL, why);
}

bool run_freezes_member(const struct run *run, const struct member *member)
{
        if (run->facts.stand == RUN_FOLLOWS)
                return freeze_holds(run->freeze, member->zone);
        return run->facts.is_frozen || (!run->frozen.is_frozen && freeze_holds(run->freeze, member->zone));
}

/* Of the attributes of a device that the rollout does not know. */
static enum err freezes_stranger(struct db *db, struct run *run, int64_t device, int64_t now_ms, bool *ret_is_frozen, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        struct attributes attributes = { 0 };
        enum err e = db_query(db, "SELECT attributes FROM devices WHERE number = ?", VALUES(bind_int(device)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e && has)
                e = attributes_parse(query_text(q, 0), &attributes, why);
        if (!e)
                *ret_is_frozen = freeze_holds_in(run->freeze, attributes_get(&attributes, "timezone"), now_ms);
        return e;
}

enum err run_freezes(struct db *db, struct run *run, int64_t device, int64_t now_ms, bool *ret_is_frozen, struct why *why)
{
        const struct member *member = run_member(run, device);
        *ret_is_frozen = false;
        if (!freeze_calendar(run->freeze)->count)
                return OK;
        (void)freeze_look(run->freeze, now_ms);
        if (!member)
                return freezes_stranger(db, run, device, now_ms, ret_is_frozen, why);
        *ret_is_frozen = run_freezes_member(run, member);
        return OK;
}

enum err run_follow_freeze(struct rollouts *rollouts, struct run *run, int64_t now_ms, struct why *why)
{
        struct freeze_answer answer = freeze_look(run->freeze, now_ms);
        bool is_told = answer.is_frozen == run->frozen.is_frozen && answer.until_ms == run->frozen.until_ms;
        if (is_told || run->facts.stand == RUN_OVER || run->facts.stand == RUN_FOLLOWS)
                return OK;
        struct input input = { .what = INPUT_FREEZE, .at_ms = now_ms, .number = answer.until_ms, .word = answer.is_frozen ? "open" : "over" };
        return run_input(rollouts, run, &input, NULL, why);
}

#define FLOOR_SELECT "(SELECT max(floor) FROM releases WHERE stream = ?1)"

enum err run_is_below_floor(struct db *db, const struct run *run, bool *ret_is_below, struct why *why)
{
        int64_t floor = 0;
        enum err e = db_number(db, "SELECT " FLOOR_SELECT, VALUES(bind_text(run->facts.stream)), 0, &floor, why);
        if (!e)
                *ret_is_below = run->facts.counter < floor;
        return e;
}

enum err run_fallback(struct db *db, const struct run *run, int64_t *ret_counter, struct why *why)
{
        return db_number(db, "SELECT max(r.counter) FROM rollouts o JOIN releases r ON r.number = o.release WHERE r.stream = ?1 AND r.counter < ?2"
                             " AND o.state IN ('complete', 'watched') AND r.counter >= " FLOOR_SELECT,
                         VALUES(bind_text(run->facts.stream), bind_int(run->facts.counter)), 0, ret_counter, why);
}

/* A stopped release must not come back beside the one that took its place. */
static enum err check_newest(struct rollouts *rollouts, const struct run *run, struct why *why)
{
        int64_t newer = 0;
        enum err e = db_number(rollouts->db, "SELECT max(r.counter) FROM rollouts o JOIN releases r ON r.number = o.release WHERE r.stream = ? AND r.counter > ?",
                               VALUES(bind_text(run->facts.stream), bind_int(run->facts.counter)), 0, &newer, why);
        if (!e && newer)
                return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " took its place; publish a new release to go back", run->facts.stream, newer);
        return e;
}

/* Of one that is taken back already the pace can still be changed. */
static enum err withdraw(struct rollouts *rollouts, struct run *run, const struct run_word *word, struct why *why)
{
        if (word->has_pace && run->facts.state == ROLLOUT_ROLLING_BACK)
                return roll_back_pace(rollouts->db, run, word, why);
        if (run->facts.state == ROLLOUT_ROLLING_BACK)
                return FAIL(why, ERR_REFUSED, "it is withdrawn, and devices are going back; `--at-once` or `--rollback TIME` change how fast");
        enum err e = run_tell(rollouts, run, word, why);
        return e ? e : roll_back_begin(rollouts->db, run, word, word->has_pace ? word->rollback_s : run->rollback_s, why);
}

enum err rollouts_command(struct rollouts *rollouts, struct run *run, const struct run_word *word, struct why *why)
{
        static const struct { const char *action; bool exposes; } words[] = {
                { "hold", false }, { "resume", true }, { "halt", false }, { "withdraw", false }, { "cancel", false }, { "override", true },
        };
        size_t at = 0, count = sizeof(words) / sizeof(words[0]);
        while (at < count && strcmp(words[at].action, word->action) != 0)
                at++;
        if (at == count)
                return FAIL(why, ERR_SYNTAX, "`%.32s` is nothing that people say to a rollout: hold, resume, halt, withdraw, cancel or override", word->action);
        if (strcmp(word->action, "withdraw") == 0)
                return withdraw(rollouts, run, word, why);
        if (word->has_pace)
                return FAIL(why, ERR_SYNTAX, "rollback_s belongs to `withdraw`");
        enum err e = words[at].exposes ? check_newest(rollouts, run, why) : OK;
        return e ? e : run_tell(rollouts, run, word, why);
}

enum err rollouts_outcome(struct rollouts *rollouts, struct run *run, const struct run_outcome *outcome, struct why *why)
{
        struct input input = { .what = INPUT_REPORT, .at_ms = outcome->now_ms, .number = outcome->handle, .word = outcome->outcome, .kind = outcome->kind };
        return run_input(rollouts, run, &input, NULL, why);
}

enum err run_grant(struct rollouts *rollouts, struct run *run, struct lease_row *row, int64_t now_ms, struct why *why)
{
        struct input input = { .what = INPUT_GRANTED, .at_ms = now_ms, .number = row->handle };
        struct fed fed = { 0 };
        enum err e = run_pass_time(rollouts, run, now_ms, why);
        if (!e)
                e = run_input(rollouts, run, &input, &fed, why);
        if (e)
                return e;
        row->granted_ms = now_ms;
        row->deadline_ms = fed.deadline_ms;
        row->ends_ms = fed.deadline_ms - run->facts.ahead_ms;
        row->bake_s = run->facts.bake_s;
        return OK;
}
