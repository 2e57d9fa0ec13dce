/* What people see of a rollout: formats.md 5, "Rollout". */
#include "rollout/view.h"
#include "server/rollouts/policy.h"
#include "server/rollouts/roll_back.h"
#include "server/rollouts/run.h"

#include <math.h>
#include <stddef.h>

enum { EVENTS_SHOWN = 200, UNSEEN_SHOWN = 100 };

static const struct count { const char *name; size_t offset; } fleet_counts[] = {
#define COUNT(name) { #name, offsetof(struct rollout_counts, name) }
        COUNT(exposed), COUNT(unanswered), COUNT(proven), COUNT(harmed), COUNT(dark), COUNT(declined), COUNT(preflight_failed), COUNT(hurt), COUNT(control),
        COUNT(control_harmed), COUNT(window),
}, stratum_counts[] = {
        COUNT(exposed), COUNT(unanswered), COUNT(proven), COUNT(harmed), COUNT(dark), COUNT(hurt), COUNT(control), COUNT(control_harmed),
        COUNT(excess_upper_ppm), COUNT(window),
#undef COUNT
};

static void add_counts(struct json *json, const struct rollout_counts *counts, const struct count *table, size_t table_count)
{
        for (size_t i = 0; i < table_count; i++)
                json_set_int(json, table[i].name, *(const uint32_t *)(const void *)((const char *)counts + table[i].offset));
}

static struct json *text_or_null(const char *text) { return text && *text ? json_new_text(text) : json_new_null(); }
static struct json *seconds_or_null(int64_t ms) { return ms ? json_new_int(ms / 1000) : json_new_null(); }

/* Rounded down; evidence can pass all integers. */
static int64_t whole(double value) { return value < 1e15 ? (int64_t)floor(value) : (int64_t)1e15; }

static struct json *stratum_json(const struct run *run, uint16_t stratum)
{
        struct rollout_counts counts;
        struct json *json = json_new_object();
        rollout_view_stratum(run->pure, stratum, &counts);
        json_set_text(json, "name", run->strata[stratum]);
        add_counts(json, &counts, stratum_counts, sizeof(stratum_counts) / sizeof(stratum_counts[0]));
        json_set_int(json, "attributed", whole(ceil(fmax(0, counts.attributed))));
        return json;
}

static void add_strata(struct json *json, const struct run *run)
{
        struct json *strata = json_new_array(), *unseen = json_new_array();
        for (size_t i = 0; i < run->stratum_count; i++) {
                json_add(strata, stratum_json(run, (uint16_t)i));
                if (!rollout_has_seen_stratum(run->pure, (uint16_t)i) && json_count(unseen) < UNSEEN_SHOWN)
                        json_add(unseen, json_new_text(run->strata[i]));
        }
        json_set(json, "strata", strata);
        json_set(json, "unseen", unseen);
}

/* Devices that were hurt, or dark until they spoke again, and that have since said that they run something else. */
static enum err add_recovered(struct db *db, const struct run *run, struct json *json, struct why *why)
{
        int64_t recovered = 0;
        enum err e = db_number(db, "SELECT count(DISTINCT l.device) FROM leases l JOIN versions v ON v.device = l.device AND v.stream = ?"
                                   " WHERE l.rollout = ? AND l.kind = 'exposure' AND l.is_counted AND (l.outcome = 'harmed' OR l.harm = 'dark')"
                                   " AND v.running <> ? AND v.said_ms >= l.outcome_ms",
                               VALUES(bind_text(run->facts.stream), bind_int(run->facts.number), bind_int(run->facts.counter)), 0, &recovered, why);
        json_set_int(json, "recovered", recovered);
        return e;
}

/* Devices of the fleet that their owners keep from this release, by reason. Not who has had it already, whatever it says now: it has an outcome, or is
 * dark. */
static enum err add_held(struct db *db, const struct run *run, struct json *into, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(json) struct json *reasons = json_new_object();
        bool has = false;
        enum err e = db_query(db, "SELECT h.reason, count(*) FROM holds h JOIN rollout_devices r ON r.device = h.device AND r.rollout = ?1"
                                  " JOIN devices d ON d.number = h.device AND d.revoked_at IS NULL WHERE h.stream = ?2 AND h.counter = ?3 AND NOT EXISTS"
                                  " (SELECT 1 FROM leases l WHERE l.device = h.device AND l.rollout = ?1 AND l.kind = 'exposure' AND l.note IS NOT NULL"
                                  " AND (l.harm = 'dark' OR coalesce(l.outcome, '') <> 'declined')) GROUP BY h.reason ORDER BY h.reason",
                              VALUES(bind_int(run->facts.number), bind_text(run->facts.stream), bind_int(run->facts.counter)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                json_set_int(reasons, query_text(q, 0), query_int(q, 1));
        json_set(into, "held", GIVE(reasons));
        return e;
}

/* Of the devices whose answer is missing, those that said goodbye since they were leased it. For people: silence counts whatever was said. */
#define GOODBYES_OF "SELECT count(*) FROM leases l JOIN goodbyes g ON g.device = l.device WHERE l.rollout = ? AND l.kind = 'exposure' AND l.note IS NOT NULL" \
                    " AND (g.said_s + 1) * 1000 > l.granted_ms AND l.outcome "
static enum err add_goodbyes(struct db *db, const struct run *run, struct json *into, struct why *why)
{
        int64_t unanswered = 0, dark = 0;
        struct json *json = json_new_object();
        enum err e = db_number(db, GOODBYES_OF "IS NULL", VALUES(bind_int(run->facts.number)), 0, &unanswered, why);
        if (!e)
                e = db_number(db, GOODBYES_OF "= 'dark'", VALUES(bind_int(run->facts.number)), 0, &dark, why);
        json_set_int(json, "unanswered", unanswered);
        json_set_int(json, "dark", dark);
        json_set(into, "goodbyes", json);
        return e;
}

enum err run_followers(struct db *db, const struct run *run, struct run_followers *ret_followers, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = db_query(db, "SELECT count(*), sum(outcome IN ('harmed', 'dark')) FROM leases WHERE rollout = ? AND handle = -1",
                              VALUES(bind_int(run->facts.number)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e)
                *ret_followers = (struct run_followers){ query_int(q, 0), query_int(q, 1) };
        return e;
}

static enum err add_followers(struct db *db, const struct run *run, struct json *into, struct why *why)
{
        struct run_followers followers = { 0 };
        struct json *json = json_new_object();
        enum err e = run_followers(db, run, &followers, why);
        json_set_int(json, "given", followers.given);
        json_set_int(json, "hurt", followers.hurt);
        json_set(into, "followers", json);
        return e;
}

static enum err add_roll_back(struct db *db, const struct run *run, struct json *into, struct why *why)
{
        struct json *json = NULL;
        enum err e = roll_back_view(db, run, &json, why);
        if (!e)
                json_set(into, "roll_back", json);
        return e;
}

static enum err add_events(struct db *db, const struct run *run, struct json *json, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(json) struct json *events = json_new_array();
        bool has = false;
        enum err e = db_query(db, "SELECT at_ms, what FROM (SELECT number, at_ms, what FROM rollout_events WHERE rollout = ? ORDER BY number DESC LIMIT ?)"
                                  " ORDER BY number", VALUES(bind_int(run->facts.number), bind_int(EVENTS_SHOWN)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                struct json *event = json_new_object();
                json_set_int(event, "at", query_int(q, 0) / 1000);
                json_set_text(event, "what", query_text(q, 1));
                json_add(events, event);
        }
        json_set(json, "events", GIVE(events));
        return e;
}

static void add_standing(struct json *json, const struct run *run, const struct rollout_view *view)
{
        json_set_text(json, "stream", run->facts.stream);
        json_set_int(json, "counter", run->facts.counter);
        json_set_text(json, "state", rollout_state_word(view->state));
        json_set_text(json, "reason", rollout_reason_word(view->reason));
        json_set(json, "until", seconds_or_null(view->until_ms));
        json_set_text(json, "verdict", rollout_verdict_word(view->verdict));
        json_set_text(json, "sentence", view->sentence);
        json_set_int(json, "budget", run->policy.budget);
        json_set_int(json, "attributed", view->spent.attributed);
        json_set_int(json, "to_stop", view->spent.certain);
        json_set(json, "nearest", text_or_null(view->spent.stratum == ROLLOUT_OF_FLEET ? NULL : run->strata[view->spent.stratum]));
        json_set_int(json, "fleet", (int64_t)run->member_count);
}

static void add_watch(struct json *into, const struct rollout_counts *counts)
{
        static const struct count table[] = {
                { "watched", offsetof(struct rollout_counts, watched) }, { "listened", offsetof(struct rollout_counts, listened) },
                { "lost", offsetof(struct rollout_counts, lost) },       { "control_lost", offsetof(struct rollout_counts, control_lost) },
        };
        struct json *json = json_new_object();
        add_counts(json, counts, table, sizeof(table) / sizeof(table[0]));
        json_set(into, "watch", json);
}

static void add_course(struct json *json, const struct run *run, const struct rollout_view *view)
{
        json_set_int(json, "limit", view->limit);
        json_set_int(json, "evidence", whole(view->evidence));
        json_set_int(json, "evidence_needed", whole(view->evidence_needed));
        json_set_int(json, "started", run->facts.started_ms / 1000);
        json_set(json, "stopped", seconds_or_null(view->stopped_ms));
        json_set(json, "stopped_by", text_or_null(rollout_stopper_word(view->stopped_by)));
        json_set(json, "stop_s", view->stopped_ms ? json_new_int((view->stopped_ms - view->started_ms) / 1000) : json_new_null());
        json_set(json, "completed", seconds_or_null(view->completed_ms));
}

enum err run_view(struct db *db, const struct run *run, struct json **ret_json, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct rollout_view view;
        rollout_view(run->pure, &view);
        add_standing(json, run, &view);
        json_set_int(json, "eligible", (int64_t)run->member_count - run->held_out - run->kept_back);
        json_set_int(json, "seen", view.seen);
        json_set_int(json, "kept_back", run->kept_back);
        json_set_int(json, "frozen", run->frozen.is_frozen && !view.is_frozen ? 0 : freeze_count(run->freeze));
        enum err e = add_held(db, run, json, why);
        if (!e)
                e = add_goodbyes(db, run, json, why);
        add_counts(json, &view.fleet, fleet_counts, sizeof(fleet_counts) / sizeof(fleet_counts[0]));
        add_watch(json, &view.fleet);
        if (!e)
                e = add_recovered(db, run, json, why);
        if (!e)
                e = add_followers(db, run, json, why);
        add_course(json, run, &view);
        if (!e)
                e = add_roll_back(db, run, json, why);
        add_strata(json, run);
        json_set(json, "policy", policy_json(&run->policy, freeze_calendar(run->freeze), run->rollback_s));
        if (!e)
                e = add_events(db, run, json, why);
        if (!e)
                *ret_json = GIVE(json);
        return e;
}
