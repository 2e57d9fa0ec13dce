/* POST /v1/report: what came of a lease. Durable before it is acknowledged; repeated and late ones change labels only. */
#include "format/hex.h"
#include "server/device/device.h"
#include "server/rollouts/leases.h"
#include "server/store/inside.h"
#include "wire/device.h"

#include <string.h>

struct account {
        struct wire_report body;
        struct device device;
        struct lease_row lease;
        bool has_lease;
        int64_t seq;                            /* under which it is kept: its own, unless another report has that */
};

static enum err read_account(struct call *call, struct account *account, struct why *why)
{
        const struct store_text *body = &call->request->body;
        enum err e = device_authenticate(call, &account->device, why);
        if (!e)
                e = wire_report_read(body->bytes, body->length, &account->body, why);
        return e;
}

/* A report about a lease that is not this device's, or about another release than its lease, is kept and moves nothing:
 * refusing it would only make the device send it for ever. */
static enum err find_lease(struct call *call, struct account *account, struct why *why)
{
        uint8_t nonce[16];
        enum err e = hex_decode(account->body.nonce, nonce, sizeof(nonce), why);
        if (!e)
                e = lease_find(call->db, nonce, &account->lease, why);
        if (e == ERR_NOT_FOUND)
                return OK;
        if (e)
                return e;
        account->has_lease = account->lease.device == account->device.number && account->lease.is_signed && account->lease.counter == account->body.counter;
        return OK;
}

static enum err keep_report(struct call *call, const struct account *account, struct why *why)
{
        const struct store_request *request = call->request;
        OWN(buf) struct buf body;
        buf_init(&body, request->body.length + 1);
        buf_add(&body, request->body.bytes, request->body.length);
        enum err e = buf_check(&body, why);
        if (!e)
                e = db_run(call->db, "INSERT INTO reports VALUES (?,?,?,?,?,?,?)",
                           VALUES(bind_int(account->device.number), bind_int(account->seq),
                                  account->has_lease ? bind_int(account->lease.number) : bind_null(), bind_int(call->now_ms), bind_text(request->date),
                                  bind_text(buf_text(&body)), bind_text(request->signature)), why);
        if (!e)
                e = db_run(call->db, "UPDATE devices SET seq = max(seq, ?), seen_at = max(seen_at, ?) WHERE number = ?",
                           VALUES(bind_int(account->seq), bind_int(call_now_s(call)), bind_int(account->device.number)), why);
        if (e || account->seq < account->device.seq)
                return e;                          /* overtaken by a later one, which said what runs now */
        struct device_version version = { account->device.number, account->body.stream, account->body.running, account->body.proven, call->now_ms };
        return device_runs(call->db, &version, why);
}

/* As the rollout takes it: whatever ends a silence is news, but to have declined after all, then harm alone, which stays. Who came
 * later than the rollout's books has no control that explains its silence: it may have slept, and try again. */
static bool mends(const struct account *account, const struct run *run, int64_t now_ms)
{
        const char *was = account->lease.outcome, *is = account->body.outcome;
        bool is_overdue = !was[0] && run && account->lease.deadline_ms <= run_own_ms(run, now_ms);      /* dark from the next tick on */
        if (is_overdue || strcmp(was, "dark") == 0)
                return strcmp(is, "declined") != 0 || !account->lease.is_counted;
        return !was[0] || (strcmp(is, "harmed") == 0 && strcmp(was, "harmed") != 0);
}

/* Also where this device is control, or got something else a moment ago. */
static enum err count_elsewhere(struct call *call, const struct account *account, struct why *why)
{
        struct rollouts *rollouts = call->store->rollouts;
        if (strcmp(account->body.outcome, "harmed") != 0)
                return OK;
        struct run_harm harm = { account->device.number, account->body.stream, account->body.kind, NULL, account->body.at, call->now_ms };
        if (account->has_lease && account->lease.is_counted)
                harm.reporting = rollouts_by_number(rollouts, account->lease.rollout);
        return rollouts_harm(rollouts, &harm, why);
}

static enum err count_outcome(struct call *call, const struct account *account, struct why *why)
{
        struct run *run = account->has_lease ? rollouts_by_number(call->store->rollouts, account->lease.rollout) : NULL;
        if (!account->has_lease || !mends(account, run, call->now_ms))
                return OK;
        enum err e = lease_label(call->db, account->lease.number, account->body.outcome, account->body.kind, call->now_ms, why);
        if (e || !run || !account->lease.is_counted)
                return e;
        struct run_outcome outcome = { account->lease.handle, account->body.outcome, account->body.kind, call->now_ms };
        return rollouts_outcome(call->store->rollouts, run, &outcome, why);
}

static enum err answer_ack(struct call *call, int64_t seq, struct why *why)
{
        struct json *answer = json_new_object();
        json_set_int(answer, "ack", seq);
        return call_answer_json(call, 200, answer, why);
}

/* A repeat says the same. A device that lost its record begins to count anew: then the number is taken, by another report, and
 * this one goes behind the newest. */
static enum err find_place(struct call *call, struct account *account, bool *ret_is_repeat, struct why *why)
{
        const struct wire_report *body = &account->body;
        struct bind device = bind_int(account->device.number);
        int64_t taken = 0, repeats = 0, newest = 0;
        account->seq = account->body.seq;
        enum err e = db_number(call->db, "SELECT count(*) FROM reports WHERE device = ? AND seq = ?", VALUES(device, bind_int(account->seq)), 0, &taken, why);
        if (!e && taken)
                e = db_number(call->db, "SELECT count(*) FROM reports WHERE device = ? AND body ->> 'stream' = ? AND body ->> 'counter' = ? AND body ->> 'nonce' = ?"
                                        " AND body ->> 'outcome' = ? AND body ->> 'kind' = ?",
                              VALUES(device, bind_text(body->stream), bind_int(body->counter), bind_text(body->nonce), bind_text(body->outcome),
                                     bind_text(body->kind)), 0, &repeats, why);
        if (!e && taken)
                e = db_number(call->db, "SELECT max(seq) FROM reports WHERE device = ?", VALUES(device), 0, &newest, why);
        if (!e && taken)
                account->seq = newest + 1;
        *ret_is_repeat = repeats > 0;
        return e;
}

/* About no lease of its own: of use to whoever looks into it, but not without end. */
static enum err is_one_too_many(struct call *call, const struct account *account, bool *ret_is, struct why *why)
{
        int64_t kept = 0;
        enum err e = account->has_lease ? OK : db_number(call->db, "SELECT count(*) FROM reports WHERE device = ? AND lease IS NULL",
                                                         VALUES(bind_int(account->device.number)), 0, &kept, why);
        *ret_is = kept >= LIMIT_STRAY_REPORTS;
        return e;
}

enum err device_report(struct call *call, struct why *why)
{
        struct account account = { 0 };
        bool is_repeat = false, is_stray = false;
        enum err e = read_account(call, &account, why);
        if (!e)
                e = find_place(call, &account, &is_repeat, why);
        if (e)
                return e;
        if (is_repeat)
                return answer_ack(call, account.body.seq, why);
        e = find_lease(call, &account, why);
        if (!e)
                e = is_one_too_many(call, &account, &is_stray, why);
        if (!e && is_stray)
                return answer_ack(call, account.body.seq, why);
        if (!e)
                e = keep_report(call, &account, why);
        if (!e)
                e = count_outcome(call, &account, why);
        if (!e)
                e = count_elsewhere(call, &account, why);
        if (!e && strcmp(account.body.outcome, "declined") != 0)
                e = device_had(call->db, account.device.number, account.body.stream, account.body.counter, why);
        return e ? e : answer_ack(call, account.body.seq, why);
}
