/* GET /api/v1/status: the whole at a glance. GET /readyz: can this server do its work now? */
#include "server/operators/operator.h"
#include "server/store/inside.h"
#include "server/store/metadata.h"

#include <inttypes.h>

static const struct fact { const char *name, *sql; } device_facts[] = {
        { "enrolled", "SELECT count(*) FROM devices WHERE revoked_at IS NULL AND ? IS NOT NULL" },
        { "seen_5m", "SELECT count(*) FROM devices WHERE revoked_at IS NULL AND seen_at >= ? - 300" },
        { "revoked", "SELECT count(*) FROM devices WHERE revoked_at IS NOT NULL AND ? IS NOT NULL" },
};

static enum err add_devices(struct call *call, struct json *status, struct why *why)
{
        OWN(json) struct json *devices = json_new_object();
        for (size_t i = 0; i < sizeof(device_facts) / sizeof(device_facts[0]); i++) {
                int64_t value = 0;
                enum err e = db_number(call->db, device_facts[i].sql, VALUES(bind_int(call_now_s(call))), 0, &value, why);
                if (e)
                        return e;
                json_set_int(devices, device_facts[i].name, value);
        }
        json_set(status, "devices", GIVE(devices));
        return OK;
}

struct list { struct json *items; int64_t now_s; };

static enum err add_file(void *user, const struct metadata *metadata, struct why *why)
{
        struct list *list = user;
        struct json *item = json_new_object();
        (void)why;
        json_set_text(item, "repository", metadata->repository);
        json_set_text(item, "role", tuf_role_name(metadata->role));
        json_set_int(item, "version", (int64_t)metadata->stamp.version);
        json_set_int(item, "age_s", list->now_s - metadata->made_at);
        json_set_int(item, "expires", metadata->stamp.expires);
        json_set_bool(item, "is_expired", metadata->stamp.expires <= list->now_s);
        json_set_text(item, "health", metadata_health_name(metadata_health(metadata, list->now_s)));
        json_add(list->items, item);
        return OK;
}

/* The newest file of each role, and how old it is. */
static enum err add_metadata(struct call *call, struct json *status, struct why *why)
{
        struct list list = { json_new_array(), call_now_s(call) };
        enum err e = metadata_each(call->db, add_file, &list, why);
        json_set(status, "metadata", list.items);
        return e;
}

/* Without a log: null. */
static enum err add_log(struct call *call, struct json *status, struct why *why)
{
        OWN(json) struct json *log = json_new_object();
        struct tlog_facts facts;
        if (!call->store->tlog) {
                json_set(status, "log", json_new_null());
                return OK;
        }
        enum err e = tlog_facts(call->store->tlog, &facts, why);
        if (e)
                return e;
        json_set_text(log, "origin", facts.origin);
        json_set_int(log, "size", (int64_t)facts.size);
        json_set_int(log, "waiting", (int64_t)facts.waiting);
        json_set_int(log, "threshold", (int64_t)facts.threshold);
        json_set_int(log, "sufficient", (int64_t)facts.sufficient_size);
        json_set(log, "sufficient_age_s", facts.sufficient_size ? json_new_int(call_now_s(call) - facts.sufficient_at) : json_new_null());
        json_set_int(log, "unproven", facts.unproven);
        json_set(status, "log", GIVE(log));
        return OK;
}

static const char *const line_fields[] = { "stream", "counter", "state", "reason", "sentence", "eligible", "exposed", "proven", "hurt", "recovered", "attributed", "budget" };

static enum err add_rollouts(struct call *call, struct json *status, struct why *why)
{
        OWN(json) struct json *items = json_new_array();
        for (struct run *run = rollouts_first(call->store->rollouts); run; run = run_next(run)) {
                OWN(json) struct json *view = NULL;
                enum err e = run_view(call->db, run, &view, why);
                if (e)
                        return e;
                struct json *line = json_new_object();
                for (size_t i = 0; i < sizeof(line_fields) / sizeof(line_fields[0]); i++)
                        json_set(line, line_fields[i], json_copy(json_get(view, line_fields[i])));
                json_add(items, line);
        }
        json_set(status, "rollouts", GIVE(items));
        return OK;
}

enum err operator_status(struct call *call, struct why *why)
{
        OWN(json) struct json *status = json_new_object();
        int64_t epoch = 0, releases = 0;
        enum err e = number_get(call->db, "epoch", &epoch, why);
        if (!e)
                e = db_number(call->db, "SELECT count(*) FROM releases", NO_VALUES, 0, &releases, why);
        json_set_text(status, "version", FIREBREAK_VERSION);
        json_set_text(status, "tenant", call->store->config.tenant);
        json_set_int(status, "now", call_now_s(call));
        json_set_int(status, "epoch", epoch);
        json_set_int(status, "releases", releases);
        if (!e)
                e = add_devices(call, status, why);
        if (!e)
                e = add_metadata(call, status, why);
        if (!e)
                e = add_log(call, status, why);
        if (!e)
                e = add_rollouts(call, status, why);
        return e ? e : call_answer_json(call, 200, GIVE(status), why);
}

/* The database answered, for we are in a transaction; what devices fetch must also still be valid. */
enum err operator_ready(struct call *call, struct why *why)
{
        int64_t expired = 0;
        enum err e = db_number(call->db, "SELECT count(*) FROM (SELECT max(version), expires_at FROM metadata WHERE role = 'timestamp' GROUP BY repository)"
                                         " WHERE expires_at <= ?", VALUES(bind_int(call_now_s(call))), 0, &expired, why);
        if (e)
                return e;
        if (expired)
                return FAIL(why, ERR_UNAVAILABLE, "metadata has expired and could not be renewed; check the signer's keys");
        call_answer_text(call, 200, "text/plain; charset=utf-8", "ready\n");
        return OK;
}
