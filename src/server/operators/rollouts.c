/* Starting, showing and steering rollouts. */
#include "server/operators/operator.h"

#include "base/limits.h"
#include "server/log/rows.h"
#include "server/operators/evidence.h"
#include "server/rollouts/roll_back.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "server/store/page.h"
#include "wire/device.h"

#include <string.h>


struct start_order { const char *stream; int64_t counter; const struct json *policy, *override; };
static const struct json_field start_fields[] = {
        { "stream", JSON_TEXT, true, offsetof(struct start_order, stream), 1, LIMIT_NAME_BYTES },
        { "counter", JSON_INT, true, offsetof(struct start_order, counter), 1, INT64_MAX },
        { "policy", JSON_OBJECT, false, offsetof(struct start_order, policy), 0, 0 },
        { "override", JSON_OBJECT, false, offsetof(struct start_order, override), 0, 0 },
};

struct override_order { const struct json *people; const char *reason; };
static const struct json_field override_fields[] = {
        { "people", JSON_ARRAY, true, offsetof(struct override_order, people), 2, 2 },
        { "reason", JSON_TEXT, true, offsetof(struct override_order, reason), 1, LIMIT_REASON_BYTES },
};

static enum err read_override(const struct json *json, struct gate_people *people, struct why *why)
{
        struct override_order order = { 0 };
        if (!json)
                return OK;
        enum err e = JSON_READ(json, override_fields, &order, why);
        if (e)
                return DURING(why, e, "override");
        people->first = json_text(json_at(order.people, 0));
        people->second = json_text(json_at(order.people, 1));
        people->reason = order.reason;
        if (!people->first || !people->second)
                return FAIL(why, ERR_SYNTAX, "override.people: two names");
        e = wire_name_check(people->first, "override.people", why);
        return e ? e : wire_name_check(people->second, "override.people", why);
}

static enum err write_record(const struct gate_decision *decision, const struct gate_people *people, struct buf *into, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct json *unmet = json_new_array();
        for (size_t i = 0; i < decision->unmet_count && i < GATE_UNMET_MAX; i++)
                json_add(unmet, json_new_text(decision->unmet[i]));
        json_set_text(json, "first", people->first);
        json_set_text(json, "second", people->second);
        json_set_text(json, "reason", people->reason);
        json_set(json, "unmet", unmet);
        return json_write(json, 0, into, why);
}

/* As much of a finding as fits beside the advice, whole words only. */
static void add_finding(const char *finding, struct buf *into)
{
        enum { FINDING_SHOWN = 220 };
        size_t length = strlen(finding);
        if (length > FINDING_SHOWN)
                for (length = FINDING_SHOWN; length && finding[length] != ' ';)
                        length--;
        buf_addf(into, "%.*s%s", (int)length, finding, finding[length] ? " ..." : "");
}

static enum err refuse_start(const struct gate_decision *decision, const struct release *release, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, WHY_TEXT_MAX);
        add_finding(decision->unmet[0], &text);
        if (decision->unmet_count > 1)
                buf_addf(&text, ", and %zu more", decision->unmet_count - 1);
        return FAIL(why, ERR_REFUSED, "the evidence is not enough: %s; `firebreak lab evidence %s` shows it; %s", buf_text(&text), release->name,
                    decision->is_critical ? "nobody can override this: publish a corrected release"
                                          : "run `firebreak lab run`, or override with two people and a reason");
}

/* The gate is open, or is passed over by two people: then what it said goes into the record. */
static enum err pass_gate(const struct call *call, const struct release *release, const struct gate_people *people, struct buf *record, struct why *why)
{
        OWN(findings) struct findings findings = { 0 };
        struct gate_decision decision;
        enum err e = findings_read(call, release, &findings, why);
        if (e)
                return e;
        findings_decide(call, release, &findings, &decision);
        if (decision.is_open)
                return OK;
        if (!people->first)
                return refuse_start(&decision, release, why);
        e = gate_override(&decision, people, why);
        return e ? e : write_record(&decision, people, record, why);
}

static enum err note(struct call *call, const char *what, const char *subject, const struct gate_people *people, struct why *why)
{
        OWN(buf) struct buf detail;
        buf_init(&detail, 3 * LIMIT_REASON_BYTES);
        buf_add_text(&detail, people->reason ? people->reason : "");
        if (people->second)
                buf_addf(&detail, " (second person: %s)", people->second);
        struct audit_line line = { call->now_ms, people->first ? people->first : "admin", what, subject, buf_text(&detail) };
        enum err e = buf_check(&detail, why);
        return e ? e : audit_add(call->db, &line, why);
}

static enum err answer_run(struct call *call, int status, const struct run *run, struct why *why)
{
        struct json *view = NULL;
        enum err e = run_view(call->db, run, &view, why);
        return e ? e : call_answer_json(call, status, view, why);
}

static enum err log_override(struct call *call, const struct release *release, const struct gate_people *people, struct why *why)
{
        return rows_add_override(call->db, &(struct rows_override){ release->stream, release->counter, people->first, people->second, people->reason }, call->now_ms, why);
}

static enum err start(struct call *call, const struct start_order *order, const struct gate_people *people, struct why *why)
{
        struct release release;
        struct run *run = NULL;
        OWN(buf) struct buf record;
        buf_init(&record, LIMIT_REQUEST_BYTES);
        enum err e = release_find(call->db, order->stream, order->counter, &release, why);
        if (!e)
                e = pass_gate(call, &release, people, &record, why);
        struct rollout_order begin = { .release = release.number, .policy = order->policy, .override_text = record.length ? buf_text(&record) : NULL,
                                       .who = people->first ? people->first : "admin", .now_ms = call->now_ms };
        if (!e)
                e = release_ceiling(call, &release, &begin.ceiling, why);
        if (!e)
                e = rollouts_start(call->store->rollouts, &begin, &run, why);
        if (!e)
                e = note(call, record.length ? "rollout.start.override" : "rollout.start", release.name, people, why);
        if (!e && record.length)
                e = log_override(call, &release, people, why);
        return e ? e : answer_run(call, 201, run, why);
}

enum err operator_rollout_start(struct call *call, struct why *why)
{
        OWN(json) struct json *body = NULL;
        struct start_order order = { 0 };
        struct gate_people people = { 0 };
        enum err e = call_body(call, &body, why);
        if (!e)
                e = JSON_READ(body, start_fields, &order, why);
        if (!e)
                e = wire_name_check(order.stream, "stream", why);
        if (!e)
                e = read_override(order.override, &people, why);
        return e ? e : start(call, &order, &people, why);
}

enum err operator_rollouts(struct call *call, struct why *why)
{
        OWN(page) struct page page = { 0 };
        enum err e = page_init(&page, call->request->query, why);
        for (struct run *run = rollouts_first(call->store->rollouts); run && !e; run = run_next(run)) {
                struct json *view = NULL;
                if (run_facts(run)->number <= page.after)
                        continue;
                e = run_view(call->db, run, &view, why);
                if (!e && !page_add(&page, run_facts(run)->number, view))
                        break;
        }
        return e ? e : page_answer(call, &page, why);
}

static enum err run_of_call(const struct call *call, struct release *ret_release, struct run **ret_run, struct why *why)
{
        enum err e = release_of_call(call, ret_release, why);
        if (e)
                return e;
        *ret_run = rollouts_find(call->store->rollouts, ret_release->stream, ret_release->counter);
        if (!*ret_run)
                return FAIL(why, ERR_NOT_FOUND, "%s has no rollout; start one: firebreak rollout start %s", ret_release->name, ret_release->name);
        return OK;
}

enum err operator_rollout(struct call *call, struct why *why)
{
        struct release release;
        struct run *run = NULL;
        enum err e = run_of_call(call, &release, &run, why);
        return e ? e : answer_run(call, 200, run, why);
}

enum { NO_PACE = -1 };
struct act_order { const char *who, *reason, *second; int64_t rollback_s; };
static const struct json_field act_fields[] = {
        { "rollback_s", JSON_INT, false, offsetof(struct act_order, rollback_s), 0, LIMIT_ROLL_BACK_S },
        { "who", JSON_TEXT, true, offsetof(struct act_order, who), 1, LIMIT_NAME_BYTES },
        { "reason", JSON_TEXT, true, offsetof(struct act_order, reason), 1, LIMIT_REASON_BYTES },
        { "second", JSON_TEXT, false, offsetof(struct act_order, second), 1, LIMIT_NAME_BYTES },
};

static enum err read_act(const struct json *body, struct act_order *order, struct why *why)
{
        enum err e = JSON_READ(body, act_fields, order, why);
        if (!e)
                e = wire_name_check(order->who, "who", why);
        if (!e && order->second)
                e = wire_name_check(order->second, "second", why);
        return e;
}

/* With how fast devices go back, where they do. */
static enum err note_act(struct call *call, const struct run *run, const struct audit_line *act, const struct act_order *order, struct why *why)
{
        OWN(buf) struct buf reason;
        struct roll_back roll_back = { 0 };
        buf_init(&reason, 2 * LIMIT_REASON_BYTES);
        enum err e = roll_back_find(call->db, run, &roll_back, why);
        if (roll_back.since_ms) {
                roll_back_write_pace(roll_back.over_s, &reason);
                buf_add_text(&reason, "; ");
        }
        buf_add_text(&reason, order->reason);
        if (!e)
                e = buf_check(&reason, why);
        struct gate_people people = { order->who, order->second, buf_text(&reason) };
        return e ? e : note(call, act->what, act->subject, &people, why);
}

static enum err act(struct call *call, const char *action, const struct act_order *order, struct why *why)
{
        struct release release;
        struct run *run = NULL;
        char what[96];
        enum err e = run_of_call(call, &release, &run, why);
        if (e)
                return e;
        struct run_word word = { action, order->who, order->second, order->reason, call->now_ms, order->rollback_s != NO_PACE, order->rollback_s };
        snprintf(what, sizeof(what), "rollout.%s%s", action, order->rollback_s != NO_PACE ? ".pace" : "");
        e = rollouts_command(call->store->rollouts, run, &word, why);
        if (!e)
                e = note_act(call, run, &(struct audit_line){ .what = what, .subject = release.name }, order, why);
        if (!e && strcmp(action, "override") == 0)
                e = log_override(call, &release, &(struct gate_people){ order->who, order->second, order->reason }, why);
        return e ? e : answer_run(call, 200, run, why);
}

enum err operator_rollout_act(struct call *call, struct why *why)
{
        OWN(json) struct json *body = NULL;
        struct act_order order = { .rollback_s = NO_PACE };
        char action[65];
        enum err e = call_name(call, 2, action, why);
        if (!e)
                e = call_body(call, &body, why);
        if (!e)
                e = read_act(body, &order, why);
        return e ? e : act(call, action, &order, why);
}
