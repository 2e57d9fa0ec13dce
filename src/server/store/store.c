#include "server/store/inside.h"

#include "base/mem.h"
#include "server/device/device.h"
#include "server/log/approvals.h"
#include "server/log/rows.h"
#include "server/operators/listing.h"
#include "server/operators/operator.h"
#include "server/rollouts/director.h"
#include "server/store/schema.h"
#include "wire/problem.h"

#include <assert.h>

enum { PACE_MS = 300000, METADATA_S = 3600, RETRY_S = 1, ANSWER_MAX = 16 << 20 };

/* Which function answers a route. Operators' routes are checked for their key here, devices check themselves. */
static const struct row {
        enum route_id route;
        call_handler *handler;
} rows[] = {
        { ROUTE_DEVICE_ENROL, device_enrol },     { ROUTE_DEVICE_LEASE, device_lease },       { ROUTE_DEVICE_REPORT, device_report },
        { ROUTE_TOKEN_NEW, operator_token_new },  { ROUTE_RELEASE_PUBLISH, operator_publish }, { ROUTE_METADATA_PUBLISH, operator_metadata }, { ROUTE_RELEASE_LIST, operator_releases },
        { ROUTE_RELEASE_SHOW, operator_release }, { ROUTE_EVIDENCE_ADD, operator_evidence_add }, { ROUTE_ROLLOUT_START, operator_rollout_start },
        { ROUTE_ROLLOUT_LIST, operator_rollouts }, { ROUTE_ROLLOUT_SHOW, operator_rollout },  { ROUTE_ROLLOUT_ACT, operator_rollout_act },
        { ROUTE_DEVICE_LIST, operator_devices },  { ROUTE_DEVICE_SHOW, operator_device },     { ROUTE_STATUS, operator_status },
        { ROUTE_READYZ, operator_ready },         { ROUTE_METRICS, operator_metrics },   { ROUTE_RELEASE_FLEET, operator_fleet },
        { ROUTE_GROUP_LIST, operator_groups },    { ROUTE_GROUP_SHOW, operator_group },       { ROUTE_GROUP_SET, operator_group_set },
        { ROUTE_LOG_COSIGN, operator_log_cosign },    { ROUTE_APPROVAL_ADD, operator_approval_add },
        { ROUTE_DEVICE_REVOKE, operator_device_revoke }, { ROUTE_DEVICE_HOLD, device_hold },
        { ROUTE_DEVICE_GOODBYE, device_goodbye },
};

enum err number_get(struct db *db, const char *name, int64_t *ret_value, struct why *why)
{
        return db_number(db, "SELECT value FROM numbers WHERE name = ?", VALUES(bind_text(name)), 0, ret_value, why);
}

enum err number_set(struct db *db, const char *name, int64_t value, struct why *why)
{
        return db_run(db, "INSERT INTO numbers VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", VALUES(bind_text(name), bind_int(value)), why);
}

enum err store_new_epoch(struct store *store, struct why *why)
{
        store->is_public_stale = true;
        return db_run(store->db, "INSERT INTO numbers VALUES ('epoch', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", NO_VALUES, why);
}

static enum err reload_rollouts(struct store *store, struct why *why)
{
        rollouts_close(store->rollouts);
        store->rollouts = NULL;
        enum err e = rollouts_open(store->db, &store->rollouts, why);
        store->is_memory_stale = e != OK;
        return e ? DURING(why, e, "replaying the rollouts") : OK;
}

static enum err reload_public(struct store *store, struct why *why)
{
        struct public_state *fresh = NULL;
        enum err e = public_open(store->db, store->public_state, store->config.pace_ms, &fresh, why);
        if (e)
                return e;
        public_close(store->public_state);
        store->public_state = fresh;
        store->is_public_stale = false;
        return OK;
}

/* What was done in memory must be what is on the disk: if not, memory is made anew from the disk. */
static enum err begin(struct store *store, struct why *why)
{
        enum err e = store->is_memory_stale ? reload_rollouts(store, why) : OK;
        if (!e && store->is_public_stale)
                e = reload_public(store, why);
        return e ? e : db_begin(store->db, why);
}

static void give_up(struct store *store)
{
        db_rollback(store->db);
        store->is_memory_stale = true;
        store->is_public_stale = true;
}

/* Documents follow the states that the transaction made, within it. */
static enum err commit(struct store *store, int64_t now_ms, struct why *why)
{
        enum err e = director_follow(store, now_ms, why);
        if (!e)
                e = db_commit(store->db, why);
        if (e) {
                give_up(store);
                return e;
        }
        if (store->is_public_stale && reload_public(store, NULL) != OK)
                store->is_public_stale = true;      /* durable already; begin() tries again */
        return OK;
}

static void answer_problem(struct store_answer *answer, enum err e, const struct why *why)
{
        buf_clear(&answer->body);
        answer->status = err_info(e)->http;
        answer->type = PROBLEM_TYPE;
        answer->retry_after_s = err_info(e)->retry ? RETRY_S : 0;
        problem_write(e, why, &answer->body);
}

static enum err dispatch(struct call *call, struct why *why)
{
        enum route_id route = call->request->route;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                if (rows[i].route != route)
                        continue;
                enum err e = route_by_id(route)->auth == ROUTE_AUTH_KEY ? operator_authenticate(call, why) : OK;
                return e ? e : rows[i].handler(call, why);
        }
        return FAIL(why, ERR_NOT_FOUND, "this route is not the store's");
}

/* A request that fails undoes what it wrote. If it had told a rollout something, the rollouts are replayed without it. */
static enum err answer_one(struct call *call, struct why *why)
{
        struct store *store = call->store;
        struct why reason = { 0 };
        enum err e = db_mark(store->db, why);
        if (e)
                return e;
        uint64_t fed = rollouts_fed(store->rollouts);
        enum err failed = dispatch(call, &reason);
        if (!failed && call->answer->body.failed)
                failed = buf_check(&call->answer->body, &reason);
        if (!failed)
                return db_keep(store->db, why);
        if (!db_is_in_transaction(store->db)) {
                *why = reason;
                return failed;                  /* with it went what the others of the batch wrote */
        }
        answer_problem(call->answer, failed, &reason);
        e = db_back(store->db, why);
        return e || fed == rollouts_fed(store->rollouts) ? e : reload_rollouts(store, why);
}

static enum err answer_all(struct store *store, struct call *call, const struct store_request *requests, size_t count, struct store_answer *answers, struct why *why)
{
        enum err e = begin(store, why);
        for (size_t i = 0; i < count && !e; i++) {
                call->request = &requests[i];
                call->answer = &answers[i];
                e = answer_one(call, why);
                if (e)
                        give_up(store);
        }
        return e ? e : commit(store, call->now_ms, why);
}

void store_batch(struct store *store, int64_t now_ms, const struct store_request *requests, size_t count, struct store_answer *answers)
{
        struct why why = { 0 };
        struct call call = { .store = store, .db = store->db, .now_ms = now_ms };
        for (size_t i = 0; i < count; i++)
                buf_init(&answers[i].body, ANSWER_MAX);
        enum err e = answer_all(store, &call, requests, count, answers, &why);
        if (e == ERR_BUSY)
                e = ERR_UNAVAILABLE;                  /* 409 would be an answer to the question */
        for (size_t i = 0; e && i < count; i++)
                answer_problem(&answers[i], e, &why);
        if (!e && store->tlog && tlog_has_news(store->tlog) && tlog_let_out(store->tlog, NULL) != OK)
                return;                               /* what it could not write, the next tick writes, or tells why not */
}

void store_answer_done(struct store_answer *answer)
{
        buf_done(&answer->body);
}

enum err store_seen(struct store *store, const struct store_seen *seen, size_t count, struct why *why)
{
        enum err e = begin(store, why);
        if (!e)
                e = devices_seen(store->db, seen, count, why);
        if (!e)
                e = db_commit(store->db, why);
        if (e)
                db_rollback(store->db);
        return e;
}

enum err store_tick(struct store *store, int64_t now_ms, struct why *why)
{
        enum err e = begin(store, why);
        if (!e)
                e = rollouts_tick(store->rollouts, now_ms, why);
        if (!e)
                return commit(store, now_ms, why);
        give_up(store);
        return e;
}

enum err store_log_tick(struct store *store, int64_t now_ms, struct why *why)
{
        enum err e = store->tlog ? tlog_tick(store->tlog, now_ms, why) : OK, approvals = OK;
        if (store->config.log_files)
                approvals = approvals_give_out(store->db, store->config.log_files, e ? NULL : why);
        return e ? e : approvals;
}

const struct store_public *store_public_state(const struct store *store)
{
        return public_view(store->public_state);
}

static enum err open_trust(struct store *store, int64_t now_s, struct why *why)
{
        enum err e = db_begin(store->db, why);
        if (!e)
                e = pins_open(store->db, &store->config, now_s, &store->pins, why);
        if (!e)
                e = listing_open(store, now_s, why);
        if (!e)
                e = rows_catch_up(store->db, now_s * 1000, why);
        if (!e)
                e = store->config.log_files ? approvals_check_files(store->db, store->config.log_files, why) : OK;
        return db_end(store->db, e, why);
}

static enum err open_log(struct store *store, struct why *why)
{
        const struct store_config *config = &store->config;
        const struct tlog_config log = { store->db, config->log_files, store->signer, config->log, &store->pins.anchor.witnesses };
        return config->log && config->log_files ? tlog_open(&log, &store->tlog, why) : OK;
}

static enum err open_parts(struct store *store, int64_t now_ms, struct why *why)
{
        enum err e = db_open(store->config.database, &store->db, why);
        if (!e)
                e = schema_migrate(store->db, why);
        if (!e)
                e = open_trust(store, now_ms / 1000, why);
        if (!e)
                e = reload_rollouts(store, why);
        if (!e)
                e = reload_public(store, why);
        if (!e)
                e = open_log(store, why);
        if (!e)
                e = db_begin(store->db, why);
        return e ? e : commit(store, now_ms, why);     /* the director's documents, if they are missing or old */
}

enum err store_open(const struct store_config *config, struct signer *signer, int64_t now_ms, struct store **ret_store, struct why *why)
{
        OWN(store) struct store *store = mem_new(1, sizeof(*store));
        if (!store)
                return FAIL(why, ERR_NOMEM, "out of memory");
        store->config = *config;
        store->signer = signer;
        store->has_new_releases = true;
        if (!store->config.pace_ms)
                store->config.pace_ms = PACE_MS;
        if (!store->config.metadata_s)
                store->config.metadata_s = METADATA_S;
        enum err e = open_parts(store, now_ms, why);
        if (e)
                return e;
        *ret_store = GIVE(store);
        return OK;
}

void store_close(struct store *store)
{
        if (!store)
                return;
        public_close(store->public_state);
        rollouts_close(store->rollouts);
        tlog_close(store->tlog);
        pins_done(&store->pins);
        db_close(store->db);
        mem_free(store);
}
