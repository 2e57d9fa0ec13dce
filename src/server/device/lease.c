/* POST /v1/lease: the last moment at which the server can say no.
 *
 * A device asks with a nonce of its own, again and again until it gets an answer that is not "wait". */
#include "format/hex.h"
#include "server/device/device.h"
#include "server/rollouts/leases.h"
#include "server/store/inside.h"
#include "wire/device.h"

#include <inttypes.h>
#include <string.h>

enum { PAUSE_MS = 2000, STRANGER_MS = 10000 };

struct ask {
        struct wire_lease_request body;
        struct device device;
        uint8_t nonce[16], target[32];
};

static enum err read_ask(struct call *call, struct ask *ask, struct why *why)
{
        const struct store_text *body = &call->request->body;
        enum err e = device_authenticate(call, &ask->device, why);
        if (!e)
                e = wire_lease_request_read(body->bytes, body->length, &ask->body, why);
        if (!e)
                e = hex_decode(ask->body.nonce, ask->nonce, sizeof(ask->nonce), why);
        if (!e)
                e = hex_decode(ask->body.target, ask->target, sizeof(ask->target), why);
        return e;
}

static enum err answer_instead(struct call *call, struct wire_wait *wait, const char *reason, struct why *why)
{
        snprintf(wait->reason, sizeof(wait->reason), "%s", reason);
        call->answer->status = 202;
        call->answer->type = "application/json";
        wire_wait_write(wait, &call->answer->body);
        return buf_check(&call->answer->body, why);
}

static enum err answer_wait(struct call *call, int64_t retry_ms, const char *reason, struct why *why)
{
        return answer_instead(call, &(struct wire_wait){ .retry_ms = retry_ms }, reason, why);
}

static enum err answer_note(struct call *call, const struct ask *ask, const struct lease_row *row, struct why *why)
{
        struct lease_signing signing = { call->store->signer, &call->store->pins.director, ask->device.id_hex, ask->body.stream };
        call->answer->status = 200;
        call->answer->type = "text/plain; charset=utf-8";
        return lease_note(call->db, row, &signing, &call->answer->body, why);
}

/* What is asked for now is what the reservation was made for: its stream goes into the note. */
static bool is_about(const struct run *run, const struct ask *ask)
{
        const struct run_facts *facts = run_facts(run);
        return strcmp(facts->stream, ask->body.stream) == 0 && facts->counter == ask->body.counter && memcmp(facts->target, ask->target, sizeof(ask->target)) == 0;
}

static enum err check_floor(const struct call *call, const struct run *run, struct why *why)
{
        bool is_below = false;
        enum err e = run_is_below_floor(call->db, run, &is_below, why);
        if (!e && is_below)
                return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " is below the security floor of the stream by now", run_facts(run)->stream, run_facts(run)->counter);
        return e;
}

static enum err answer_frozen(struct call *call, const struct run *run, struct why *why)
{
        return answer_wait(call, STRANGER_MS, run_facts(run)->is_frozen ? "a freeze window is open" : "a freeze window is open where this device is", why);
}

/* Nobody is led back below what it runs. */
static enum err answer_kept_back(struct call *call, const struct ask *ask, const struct run_keep *keep, struct why *why)
{
        struct wire_wait wait = { .retry_ms = STRANGER_MS, .counter = keep->instead > ask->body.running ? keep->instead : 0 };
        return answer_instead(call, &wait, "the group of this device is kept on an older release", why);
}

static enum err refuse_over(const struct run *run, struct why *why)
{
        const struct run_facts *facts = run_facts(run);
        return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " is %s: nobody starts it now", facts->stream, facts->counter, rollout_state_word(facts->state));
}

/* The answer was lost on its way. By now the release may be stopped: then it is as if it had never been sent. */
static enum err answer_again(struct call *call, const struct ask *ask, const struct run *run, const struct lease_row *row, struct why *why)
{
        if (row->outcome[0])
                return FAIL(why, ERR_REFUSED, "this lease is over; ask again with a new nonce");
        if (!row->is_shadow && run_facts(run)->stand == RUN_OVER)
                return refuse_over(run, why);
        enum err e = row->is_shadow ? OK : check_floor(call, run, why);
        return e ? e : answer_note(call, ask, row, why);
}

static enum err claim(struct call *call, const struct ask *ask, struct lease_row *row, struct why *why)
{
        struct rollouts *rollouts = call->store->rollouts;
        struct run *run = rollouts_by_number(rollouts, row->rollout);
        if (row->device != ask->device.number)
                return FAIL(why, ERR_REFUSED, "this nonce belongs to another device; make a new one");
        if (!run || !is_about(run, ask))
                return FAIL(why, ERR_REFUSED, "this nonce belongs to a lease for another release; make a new one");
        if (row->is_signed)
                return answer_again(call, ask, run, row, why);
        bool is_frozen = false;
        struct run_keep keep = { 0 };
        enum err e = check_floor(call, run, why);
        if (!e)
                e = run_keeps_back(call->db, run, ask->device.number, &keep, why);
        if (!e)
                e = run_freezes(call->db, run, ask->device.number, call->now_ms, &is_frozen, why);
        if (e)
                return e;
        if (keep.is_kept && !row->outcome[0])
                return answer_kept_back(call, ask, &keep, why);
        if (is_frozen && !row->outcome[0])
                return answer_frozen(call, run, why);
        e = !row->outcome[0] ? run_grant(rollouts, run, row, call->now_ms, why) : ERR_EXPIRED;
        if (e == ERR_EXPIRED)
                return FAIL(why, ERR_REFUSED, "the lease was not fetched in time; ask again with a new nonce");
        if (e == ERR_REFUSED)
                return answer_wait(call, PAUSE_MS, rollout_state_word(run_facts(run)->state), why);
        return e ? e : answer_note(call, ask, row, why);
}

/* They are no evidence against it, but nor are they given what hurts them without end. */
static enum err may_follow(struct call *call, const struct run *run, bool *ret_may, struct why *why)
{
        struct run_followers followers = { 0 };
        enum err e = run_followers(call->db, run, &followers, why);
        *ret_may = followers.hurt < run_facts(run)->budget;
        return e;
}

/* Outside the rollout's books: who was not part of its fleet, lost its state, or comes after the watch gets what has proven itself. */
static enum err follow(struct call *call, const struct ask *ask, struct run *run, struct why *why)
{
        const struct run_facts *facts = run_facts(run);
        struct lease_row row = { .device = ask->device.number, .rollout = facts->number, .handle = -1, .counter = facts->counter,
                                 .granted_ms = call->now_ms, .ends_ms = call->now_ms + facts->lease_ms, .bake_s = facts->bake_s,
                                 .deadline_ms = run_own_ms(run, call->now_ms) + facts->lease_ms };
        bool may = false;
        memcpy(row.target, facts->target, sizeof(row.target));
        memcpy(row.nonce, ask->nonce, sizeof(row.nonce));
        enum err e = may_follow(call, run, &may, why);
        if (!e && !may)
                return answer_wait(call, STRANGER_MS, "it hurt as many of those who came later as the budget allows: it is given to nobody more", why);
        if (!e)
                e = lease_reserve(call->db, &row, why);
        row.number = db_last_number(call->db);
        rollouts_leave_lines(call->store->rollouts, ask->device.number);
        return e ? e : answer_note(call, ask, &row, why);
}

/* Who never had it lines up; who declined or did not fetch it may try again; whoever it hurt may not. */
static bool may_try(const char *outcome)
{
        return !outcome[0] || strcmp(outcome, "declined") == 0 || strcmp(outcome, "unclaimed") == 0;
}

/* Until then it may have what was completed before. */
static enum err answer_stranger(struct call *call, const struct ask *ask, const struct run *run, struct why *why)
{
        struct wire_wait wait = { .retry_ms = STRANGER_MS };
        int64_t before = 0;
        enum err e = run_fallback(call->db, run, &before, why);
        wait.counter = before > ask->body.running ? before : 0;
        return e ? e : answer_instead(call, &wait, "enrolled after the release was approved: it comes when the rollout is complete", why);
}

static enum err stand_in_line(struct call *call, const struct ask *ask, struct run *run, struct why *why)
{
        struct run_asker asker = { .device = ask->device.number, .running = ask->body.running, .now_ms = call->now_ms };
        memcpy(asker.nonce, ask->nonce, sizeof(asker.nonce));
        if (!run_line_up(run, &asker))
                return run_facts(run)->stand == RUN_WATCHES ? follow(call, ask, run, why) : answer_stranger(call, ask, run, why);
        return answer_wait(call, run_retry_ms(run), "waiting in line", why);
}

static enum err decide(struct call *call, const struct ask *ask, struct run *run, struct why *why)
{
        const struct run_facts *facts = run_facts(run);
        char outcome[24] = "";
        bool has_open = false, is_frozen = false;
        struct run_keep keep = { 0 };
        enum err e = lease_has_open(call->db, ask->device.number, call->now_ms, &has_open, why);
        if (!e)
                e = lease_last_outcome(call->db, facts->number, ask->device.number, outcome, why);
        if (e && e != ERR_NOT_FOUND)
                return e;
        if (facts->stand == RUN_OVER)
                return refuse_over(run, why);
        e = check_floor(call, run, why);
        if (e)
                return e;
        if (has_open)
                return answer_wait(call, PAUSE_MS, "this device has another lease that is not answered yet", why);
        e = run_keeps_back(call->db, run, ask->device.number, &keep, why);
        if (e)
                return e;
        if (keep.is_kept)
                return answer_kept_back(call, ask, &keep, why);
        e = run_freezes(call->db, run, ask->device.number, call->now_ms, &is_frozen, why);
        if (e)
                return e;
        bool is_back = strcmp(outcome, "proven") == 0;          /* it lost what it had */
        if (!may_try(outcome) && !is_back)
                return FAIL(why, ERR_REFUSED, "this device had this release already: %s; it is not tried again", outcome);
        if (is_frozen)
                return answer_frozen(call, run, why);
        if (facts->stand == RUN_FOLLOWS || (facts->stand == RUN_WATCHES && is_back))
                return follow(call, ask, run, why);
        if (facts->stand == RUN_WAITS || is_back)
                return answer_wait(call, PAUSE_MS, rollout_state_word(facts->state), why);
        return stand_in_line(call, ask, run, why);
}

enum err device_lease(struct call *call, struct why *why)
{
        struct ask ask = { 0 };
        struct lease_row row;
        enum err e = read_ask(call, &ask, why);
        if (e)
                return e;
        struct device_version version = { ask.device.number, ask.body.stream, ask.body.running, -1, call->now_ms };
        e = device_runs(call->db, &version, why);
        if (!e)
                e = device_unhold(call->db, ask.device.number, ask.body.stream, why);
        if (!e)
                e = lease_find(call->db, ask.nonce, &row, why);
        if (!e)
                return claim(call, &ask, &row, why);
        if (e != ERR_NOT_FOUND)
                return e;
        struct run *run = rollouts_find(call->store->rollouts, ask.body.stream, ask.body.counter);
        if (!run || memcmp(run_facts(run)->target, ask.target, sizeof(ask.target)) != 0)
                return FAIL(why, ERR_REFUSED, "%s/%" PRId64 " is not offered; fetch the newest metadata", ask.body.stream, ask.body.counter);
        return decide(call, &ask, run, why);
}
