#include "server/operators/evidence.h"

#include "base/limits.h"
#include "base/mem.h"
#include "format/hex.h"
#include "server/log/rows.h"
#include "server/operators/operator.h"
#include "server/store/audit.h"
#include "server/store/inside.h"
#include "trust/sha.h"

#include <string.h>

static struct dsse_keys lab_keys(const struct call *call)
{
        const struct anchor *anchor = &call->store->pins.anchor;
        return (struct dsse_keys){ anchor->lab.keys, anchor->lab.count };
}

static enum err open_envelope(const struct call *call, struct query *q, struct record *ret_record, struct why *why)
{
        OWN(buf) struct buf envelope;
        size_t length = 0;
        const void *bytes = query_blob(q, 0, &length);
        struct dsse_keys keys = lab_keys(call);
        buf_init(&envelope, DSSE_BYTES_MAX);
        buf_add(&envelope, bytes, length);
        enum err e = buf_check(&envelope, why);
        return e ? e : record_open(&envelope, &keys, ret_record, why);
}

void findings_done(struct findings *findings)
{
        for (size_t i = 0; i < findings->count; i++)
                record_done(&findings->records[i]);
        mem_free(findings->records);
        *findings = (struct findings){ 0 };
}

enum err findings_read(const struct call *call, const struct release *release, struct findings *ret_findings, struct why *why)
{
        OWN(findings) struct findings findings = { .records = mem_new(GATE_RECORDS_MAX + 1, sizeof(struct record)) };
        OWN(query) struct query *q = NULL;
        bool has = false;
        if (!findings.records)
                return FAIL(why, ERR_NOMEM, "out of memory for evidence");
        enum err e = db_query(call->db, "SELECT envelope FROM evidence WHERE release = ? ORDER BY number LIMIT ?",
                              VALUES(bind_int(release->number), bind_int(GATE_RECORDS_MAX + 1)), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has) {
                e = open_envelope(call, q, &findings.records[findings.count], why);
                findings.count += e == OK;
                if (e == ERR_UNTRUSTED)          /* of a lab that a ceremony took out since: it has no say any more */
                        e = OK;
        }
        if (e)
                return DURING(why, e, "evidence of %s", release->name);
        *ret_findings = findings;
        findings = (struct findings){ 0 };
        return OK;
}

void findings_decide(const struct call *call, const struct release *release, const struct findings *findings, struct gate_decision *ret_decision)
{
        char target[65];
        hex_encode(release->target, sizeof(release->target), target);
        struct gate_question question = { &gate_policy_default, target, findings->records, findings->count, call_now_s(call) };
        gate_decide(&question, ret_decision);
}

static enum err check_record(const struct release *release, const struct record *record, struct why *why)
{
        char target[65];
        hex_encode(release->target, sizeof(release->target), target);
        if (strcmp(record->target, target) != 0 || strcmp(record->stream, release->stream) != 0 || record->counter != release->counter)
                return FAIL(why, ERR_CONTENT, "this evidence is about another release than %s", release->name);
        return OK;
}

/* Of what is said, whoever spells the envelope how. */
static enum err digest_of(const struct record *record, uint8_t digest[32], struct why *why)
{
        OWN(buf) struct buf statement;
        buf_init(&statement, DSSE_BYTES_MAX);
        enum err e = record_write(record, &statement, why);
        if (!e)
                sha256(statement.bytes, statement.length, digest);
        return e;
}

static enum err log_envelope(struct call *call, const struct release *release, const struct buf *envelope, struct why *why)
{
        struct logged logged = { .kind = LOGGED_EVIDENCE, .number = (uint64_t)release->counter };
        snprintf(logged.name, sizeof(logged.name), "%s", release->stream);
        sha256(envelope->bytes, envelope->length, logged.digest);
        return rows_add(call->db, &logged, call->now_ms, why);
}

/* The same statement again changes nothing. One more is kept than a gate looks at: that shuts it, so that nobody can fill the
 * place of what another lab has yet to find. */
static enum err keep(struct call *call, const struct release *release, const struct buf *envelope, const struct record *record, struct why *why)
{
        uint8_t digest[32];
        int64_t count = 0;
        enum err e = digest_of(record, digest, why);
        if (!e)
                e = db_number(call->db, "SELECT count(*) FROM evidence WHERE release = ?", VALUES(bind_int(release->number)), 0, &count, why);
        if (!e && count > GATE_RECORDS_MAX)
                return FAIL(why, ERR_LIMIT, "%s has more than %d records of evidence; publish the content as a new release", release->name, GATE_RECORDS_MAX);
        if (!e)
                e = db_run(call->db, "INSERT INTO evidence (release, digest, envelope, received_at) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
                           VALUES(bind_int(release->number), bind_blob(digest, sizeof(digest)), bind_blob(envelope->bytes, envelope->length),
                                  bind_int(call_now_s(call))), why);
        if (e || !db_changed(call->db))
                return e;
        char what[96];
        snprintf(what, sizeof(what), "%s %s: %s", record->stage, record->check, record_status_name(record->status));
        struct audit_line line = { call->now_ms, record->origin, "evidence.add", release->name, what };
        e = audit_add(call->db, &line, why);
        return e ? e : log_envelope(call, release, envelope, why);
}

static struct json *answer_of(const struct record *record)
{
        struct json *json = json_new_object();
        json_set_text(json, "origin", record->origin);
        json_set_text(json, "stage", record->stage);
        json_set_text(json, "check", record->check);
        json_set_text(json, "status", record_status_name(record->status));
        return json;
}

enum err operator_evidence_add(struct call *call, struct why *why)
{
        OWN(record) struct record record = { 0 };
        OWN(buf) struct buf envelope;
        struct release release;
        struct dsse_keys keys = lab_keys(call);
        buf_init(&envelope, DSSE_BYTES_MAX);
        buf_add(&envelope, call->request->body.bytes, call->request->body.length);
        enum err e = release_of_call(call, &release, why);
        if (!e)
                e = buf_check(&envelope, why);
        if (!e)
                e = record_open(&envelope, &keys, &record, why);
        if (!e)
                e = check_record(&release, &record, why);
        if (!e)
                e = keep(call, &release, &envelope, &record, why);
        return e ? e : call_answer_json(call, 201, answer_of(&record), why);
}
