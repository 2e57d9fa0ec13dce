/* GET /metrics: OpenMetrics text. */
#include "server/operators/operator.h"
#include "server/store/inside.h"
#include "server/store/metadata.h"

#include <inttypes.h>

static const struct gauge { const char *name, *help, *sql; } gauges[] = {
        { "firebreak_devices", "Devices enrolled and not revoked", "SELECT count(*) FROM devices WHERE revoked_at IS NULL" },
        { "firebreak_devices_revoked", "Devices revoked", "SELECT count(*) FROM devices WHERE revoked_at IS NOT NULL" },
        { "firebreak_releases", "Releases published", "SELECT count(*) FROM releases" },
        { "firebreak_reports", "Reports kept", "SELECT count(*) FROM reports" },
        { "firebreak_leases_open", "Leases without an outcome", "SELECT count(*) FROM leases WHERE outcome IS NULL" },
        { "firebreak_epoch", "Number of the newest change that devices can see", "SELECT value FROM numbers WHERE name = 'epoch'" },
};

/* Of a rollout: the same numbers, by the same words, as its view in the operators' API. */
static const struct rollout_gauge { const char *field, *help; } rollout_gauges[] = {
        { "fleet", "Devices in the fleet at the start" },
        { "eligible", "Devices that may be exposed" },
        { "exposed", "Devices that were granted the release" },
        { "unanswered", "Exposures without an answer yet" },
        { "proven", "Devices that run the release, healthy, for a bake" },
        { "harmed", "Devices that reported harm" },
        { "dark", "Exposures that were not answered by their deadline" },
        { "hurt", "Harmed and dark" },
        { "recovered", "Hurt devices that report another, healthy version" },
        { "control", "Devices that were granted a shadow lease" },
        { "control_harmed", "Control devices that reported harm" },
        { "budget", "Harm budget" },
        { "attributed", "Harm that control does not explain, where there is most of it" },
        { "to_stop", "The same, less what chance may add: the rollout holds when it reaches the budget" },
        { "window", "Exposures allowed now" },
};

static void add_number(struct buf *into, const char *name, const char *help, int64_t value)
{
        buf_addf(into, "# TYPE %s gauge\n# HELP %s %s\n%s %" PRId64 "\n", name, name, help, name, value);
}

static enum err add_gauge(struct call *call, const struct gauge *gauge, struct why *why)
{
        int64_t value = 0;
        enum err e = db_number(call->db, gauge->sql, NO_VALUES, 0, &value, why);
        if (!e)
                add_number(&call->answer->body, gauge->name, gauge->help, value);
        return e;
}

static enum err read_views(struct call *call, struct json *array, struct why *why)
{
        enum err e = OK;
        for (struct run *run = rollouts_first(call->store->rollouts); run && !e; run = run_next(run)) {
                struct json *view = NULL;
                e = run_view(call->db, run, &view, why);
                if (!e)
                        json_add(array, view);
        }
        return e ? e : json_is_whole(array) ? OK : FAIL(why, ERR_NOMEM, "out of memory");
}

static void add_rollout_gauge(struct buf *into, const struct rollout_gauge *gauge, const struct json *views)
{
        buf_addf(into, "# TYPE firebreak_rollout_%s gauge\n# HELP firebreak_rollout_%s %s\n", gauge->field, gauge->field, gauge->help);
        for (size_t i = 0; i < json_count(views); i++) {
                const struct json *view = json_at(views, i);
                buf_addf(into, "firebreak_rollout_%s{stream=\"%s\",counter=\"%" PRId64 "\"} %" PRId64 "\n", gauge->field, json_text(json_get(view, "stream")),
                         json_int(json_get(view, "counter"), 0), json_int(json_get(view, gauge->field), 0));
        }
}

static void add_states(struct buf *into, const struct json *views)
{
        buf_add_text(into, "# TYPE firebreak_rollout_state gauge\n# HELP firebreak_rollout_state 1 for the state that it is in\n");
        for (size_t i = 0; i < json_count(views); i++) {
                const struct json *view = json_at(views, i);
                buf_addf(into, "firebreak_rollout_state{stream=\"%s\",counter=\"%" PRId64 "\",state=\"%s\"} 1\n", json_text(json_get(view, "stream")),
                         json_int(json_get(view, "counter"), 0), json_text(json_get(view, "state")));
        }
}

struct files { struct buf *into; int64_t now_s; };

static enum err add_left(void *user, const struct metadata *metadata, struct why *why)
{
        const struct files *files = user;
        buf_addf(files->into, "firebreak_metadata_left_seconds{repository=\"%s\",role=\"%s\"} %" PRId64 "\n", metadata->repository, tuf_role_name(metadata->role),
                 metadata->stamp.expires - files->now_s);
        return buf_check(files->into, why);
}

static enum err add_health(void *user, const struct metadata *metadata, struct why *why)
{
        const struct files *files = user;
        buf_addf(files->into, "firebreak_metadata_health{repository=\"%s\",role=\"%s\",health=\"%s\"} 1\n", metadata->repository, tuf_role_name(metadata->role),
                 metadata_health_name(metadata_health(metadata, files->now_s)));
        return buf_check(files->into, why);
}

/* To be told before devices start nothing new any more. */
static enum err add_metadata(struct call *call, struct why *why)
{
        struct files files = { &call->answer->body, call_now_s(call) };
        buf_add_text(files.into, "# TYPE firebreak_metadata_left_seconds gauge\n# HELP firebreak_metadata_left_seconds Until the newest file of the role expires\n");
        enum err e = metadata_each(call->db, add_left, &files, why);
        buf_add_text(files.into, "# TYPE firebreak_metadata_health gauge\n# HELP firebreak_metadata_health 1 for what it is: good, late (the server does not renew it),"
                                 " renew (people have to), expired\n");
        return e ? e : metadata_each(call->db, add_health, &files, why);
}

/* Nothing at all without a log; the age of nothing is not told either. */
static enum err add_log(struct call *call, struct why *why)
{
        struct tlog_facts facts;
        struct buf *into = &call->answer->body;
        enum err e = call->store->tlog ? tlog_facts(call->store->tlog, &facts, why) : OK;
        if (e || !call->store->tlog)
                return e;
        add_number(into, "firebreak_log_size", "Entries under the newest checkpoint of the transparency log", (int64_t)facts.size);
        add_number(into, "firebreak_log_waiting", "Entries beyond it, yet to be signed", (int64_t)facts.waiting);
        add_number(into, "firebreak_log_sufficient_size", "Entries under the newest checkpoint that enough witnesses cosigned", (int64_t)facts.sufficient_size);
        if (facts.sufficient_size)
                add_number(into, "firebreak_log_sufficient_age_seconds", "Since that one was signed", call_now_s(call) - facts.sufficient_at);
        add_number(into, "firebreak_log_unproven_releases", "Releases that have no sufficient proof yet", facts.unproven);
        return OK;
}

enum err operator_metrics(struct call *call, struct why *why)
{
        OWN(json) struct json *views = json_new_array();
        struct buf *into = &call->answer->body;
        enum err e = read_views(call, views, why);
        for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]) && !e; i++)
                e = add_gauge(call, &gauges[i], why);
        if (!e)
                e = add_metadata(call, why);
        if (!e)
                e = add_log(call, why);
        if (e)
                return e;
        for (size_t i = 0; i < sizeof(rollout_gauges) / sizeof(rollout_gauges[0]); i++)
                add_rollout_gauge(into, &rollout_gauges[i], views);
        add_states(into, views);
        buf_add_text(into, "# EOF\n");
        call->answer->status = 200;
        call->answer->type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        return OK;
}
