/* Beginning a rollout. */
#include "base/mem.h"
#include "server/rollouts/census.h"
#include "server/rollouts/inputs.h"
#include "server/rollouts/policy.h"
#include "server/rollouts/run.h"

#include <inttypes.h>
#include <string.h>

struct subject { int64_t release, counter, floor; char stream[65]; };

static enum err read_subject(struct db *db, int64_t release, struct subject *subject, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT stream, counter FROM releases WHERE number = ?", VALUES(bind_int(release)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        if (!has)
                return FAIL(why, ERR_NOT_FOUND, "no such release");
        subject->release = release;
        subject->counter = query_int(q, 1);
        snprintf(subject->stream, sizeof(subject->stream), "%s", query_text(q, 0));
        return db_number(db, "SELECT max(floor) FROM releases WHERE stream = ?", VALUES(bind_text(subject->stream)), 0, &subject->floor, why);
}

/* A release has one rollout in its life; a stream goes forward only, and never below its floor. */
static enum err may_start(struct db *db, const struct subject *subject, struct why *why)
{
        int64_t same = 0, newer = 0;
        enum err e = db_number(db, "SELECT count(*) FROM rollouts WHERE release = ?", VALUES(bind_int(subject->release)), 0, &same, why);
        if (!e)
                e = db_number(db, "SELECT max(r.counter) FROM rollouts o JOIN releases r ON r.number = o.release WHERE r.stream = ? AND r.counter > ?",
                              VALUES(bind_text(subject->stream), bind_int(subject->counter)), 0, &newer, why);
        if (e)
                return e;
        if (same)
                return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " has had its rollout; publish a new release to try again", subject->stream, subject->counter);
        if (newer)
                return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " is newer and has a rollout; publish a new release to go back", subject->stream, newer);
        if (subject->counter < subject->floor)
                return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " is below the security floor %" PRId64, subject->stream, subject->counter, subject->floor);
        return OK;
}

/* One release of a stream exposes at a time: the newer ends the exposing of the older. */
static enum err supersede(struct rollouts *rollouts, const struct subject *subject, int64_t now_ms, struct why *why)
{
        enum err e = OK;
        for (struct run *run = rollouts->first; run && !e; run = run->next) {
                struct run_word word = { .action = "supersede", .who = "server", .reason = "a newer release started", .now_ms = now_ms };
                if (strcmp(run->facts.stream, subject->stream) != 0)
                        continue;
                e = run_pass_time(rollouts, run, now_ms, why);      /* it may be complete by now */
                if (!e && (run->facts.state == ROLLOUT_EXPOSING || run->facts.state == ROLLOUT_HOLDING))
                        e = run_tell(rollouts, run, &word, why);
        }
        return e;
}

static enum err add_row(struct db *db, const struct subject *subject, const struct rollout_order *order, int64_t *ret_number, struct why *why)
{
        OWN(buf) struct buf policy;
        OWN(json) struct json *json = NULL;
        struct rollout_policy values;
        struct calendar freeze = { 0 };
        int64_t rollback_s = 0;
        buf_init(&policy, LIMIT_REQUEST_BYTES);
        enum err e = policy_read(order->policy, &values, why);
        if (!e)
                e = policy_read_freeze(order->policy, &freeze, why);
        if (!e)
                e = policy_read_rollback(order->policy, &rollback_s, why);
        if (!e)
                e = freeze_check(&freeze, why);
        if (!e)
                json = policy_json(&values, &freeze, rollback_s);
        if (!e)
                e = json_write(json, 0, &policy, why);
        if (!e)
                e = db_run(db, "INSERT INTO rollouts (release, policy, override, started_ms, state, changed_ms) VALUES (?,?,?,?,'draft',?)",
                           VALUES(bind_int(subject->release), bind_text(buf_text(&policy)), bind_text(order->override_text), bind_int(order->now_ms),
                                  bind_int(order->now_ms)), why);
        if (!e)
                *ret_number = db_last_number(db);
        return e;
}

static enum err check_fleet(struct db *db, int64_t number, const struct subject *subject, struct why *why)
{
        int64_t devices = 0;
        enum err e = db_number(db, "SELECT count(*) FROM rollout_devices WHERE rollout = ?", VALUES(bind_int(number)), 0, &devices, why);
        if (!e && !devices)
                return FAIL(why, ERR_REFUSED, "no device may get %s/%" PRId64 ": none of its platforms was enrolled before it was published;"
                                              " enrol some (firebreak token new, firebreak-agent enrol), then publish a new release",
                            subject->stream, subject->counter);
        return e;
}

enum err rollouts_start(struct rollouts *rollouts, const struct rollout_order *order, struct run **ret_run, struct why *why)
{
        struct subject subject = { 0 };
        int64_t number = 0;
        enum err e = read_subject(rollouts->db, order->release, &subject, why);
        if (!e)
                e = may_start(rollouts->db, &subject, why);
        if (!e)
                e = supersede(rollouts, &subject, order->now_ms, why);
        if (!e)
                e = add_row(rollouts->db, &subject, order, &number, why);
        if (!e)
                e = census_take(rollouts->db, number, order->release, why);
        if (!e)
                e = check_fleet(rollouts->db, number, &subject, why);
        rollouts->fed++;      /* from here on memory has what a failed request must take back */
        if (!e)
                e = rollouts_load(rollouts, number, why);
        struct run *run = rollouts_by_number(rollouts, number);
        if (!e) {
                run->ceiling = order->ceiling;
                e = run_set_ceiling(rollouts, run, order->now_ms, why);
        }
        if (!e)
                e = run_input(rollouts, run, &(struct input){ .what = INPUT_START, .at_ms = order->now_ms }, NULL, why);
        if (!e)
                e = run_follow_freeze(rollouts, run, order->now_ms, why);
        if (e)
                return e;
        *ret_run = run;
        return OK;
}
