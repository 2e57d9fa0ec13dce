/* Published releases: list, and one with all that is known of it. */
#include "server/operators/releases.h"

#include "base/limits.h"
#include "format/hex.h"
#include "server/log/approvals.h"
#include "server/operators/evidence.h"
#include "server/operators/operator.h"
#include "server/store/artifacts.h"
#include "server/store/inside.h"
#include "server/store/page.h"
#include "trust/release_custom.h"

#include <inttypes.h>
#include <string.h>

#define RELEASE_COLUMNS \
        "r.number, r.stream, r.counter, r.version, r.target, r.floor, r.platforms, r.files, r.bytes, r.published_at, coalesce(o.state, 'draft'), r.dossier"
#define RELEASE_FROM " FROM releases r LEFT JOIN rollouts o ON o.release = r.number "

enum err release_find(struct db *db, const char *stream, int64_t counter, struct release *ret_release, struct why *why)
{
        OWN(query) struct query *q = NULL;
        bool has = false;
        size_t length = 0;
        enum err e = db_query(db, "SELECT number, target FROM releases WHERE stream = ? AND counter = ?",
                              VALUES(bind_text(stream), bind_int(counter)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (e)
                return e;
        if (!has)
                return FAIL(why, ERR_NOT_FOUND, "no release %s/%" PRId64 " is published here; see firebreak release list", stream, counter);
        *ret_release = (struct release){ .number = query_int(q, 0), .counter = counter };
        memcpy(ret_release->target, query_blob(q, 1, &length), sizeof(ret_release->target));
        snprintf(ret_release->stream, sizeof(ret_release->stream), "%s", stream);
        snprintf(ret_release->name, sizeof(ret_release->name), "%s/%" PRId64, stream, counter);
        return OK;
}

enum err release_of_call(const struct call *call, struct release *ret_release, struct why *why)
{
        char stream[65];
        int64_t counter = 0;
        enum err e = call_name(call, 0, stream, why);
        if (!e)
                e = call_number(call, 1, &counter, why);
        return e ? e : release_find(call->db, stream, counter, ret_release, why);
}

/* "any linux-amd64" */
static struct json *words_json(const char *words)
{
        struct json *array = json_new_array();
        while (*words) {
                char word[65];
                size_t length = strcspn(words, " ");
                snprintf(word, sizeof(word), "%.*s", (int)length, words);
                json_add(array, json_new_text(word));
                words += length + (words[length] == ' ');
        }
        return array;
}

static struct json *release_json(struct query *q)
{
        size_t length = 0;
        char target[65];
        hex_encode(query_blob(q, 4, &length), 32, target);
        struct json *json = json_new_object();
        json_set_text(json, "stream", query_text(q, 1));
        json_set_int(json, "counter", query_int(q, 2));
        json_set_text(json, "version", query_text(q, 3));
        json_set_text(json, "target", target);
        json_set_int(json, "floor", query_int(q, 5));
        json_set(json, "platforms", words_json(query_text(q, 6)));
        json_set_int(json, "files", query_int(q, 7));
        json_set_int(json, "bytes", query_int(q, 8));
        json_set_int(json, "published", query_int(q, 9));
        json_set_text(json, "state", query_text(q, 10));
        return json;
}

enum err operator_releases(struct call *call, struct why *why)
{
        OWN(page) struct page page = { 0 };
        OWN(query) struct query *q = NULL;
        bool has = false;
        enum err e = page_init(&page, call->request->query, why);
        if (!e)
                e = db_query(call->db, "SELECT " RELEASE_COLUMNS RELEASE_FROM "WHERE r.number > ? ORDER BY r.number LIMIT ?",
                             VALUES(bind_int(page.after), bind_int(page_fetch(&page))), &q, why);
        while (!e && !(e = query_next(q, &has, why)) && has)
                if (!page_add(&page, query_int(q, 0), release_json(q)))
                        break;
        return e ? e : page_answer(call, &page, why);
}

static struct json *record_json(const struct record *record)
{
        struct json *json = json_new_object();
        json_set_text(json, "origin", record->origin);
        json_set_text(json, "stage", record->stage);
        json_set_text(json, "check", record->check);
        json_set_text(json, "status", record_status_name(record->status));
        json_set_int(json, "cases", record->cases);
        json_set_int(json, "failed", record->failed);
        json_set_bool(json, "critical", record->is_critical);
        json_set_text(json, "why", record->why);
        json_set_text(json, "platform", record->platform);
        json_set_int(json, "finished", record->finished);
        return json;
}

static struct json *gate_json(const struct gate_decision *decision)
{
        struct json *json = json_new_object(), *unmet = json_new_array();
        for (size_t i = 0; i < decision->unmet_count && i < GATE_UNMET_MAX; i++)
                json_add(unmet, json_new_text(decision->unmet[i]));
        json_set_bool(json, "open", decision->is_open);
        json_set(json, "unmet", unmet);
        return json;
}

static enum err add_findings(struct call *call, const struct release *release, struct json *json, struct why *why)
{
        OWN(findings) struct findings findings = { 0 };
        struct gate_decision decision;
        enum err e = findings_read(call, release, &findings, why);
        if (e)
                return e;
        struct json *records = json_new_array();
        for (size_t i = 0; i < findings.count; i++)
                json_add(records, record_json(&findings.records[i]));
        json_set(json, "evidence", records);
        findings_decide(call, release, &findings, &decision);
        json_set(json, "gate", gate_json(&decision));
        return OK;
}

enum err release_ceiling(const struct call *call, const struct release *release, struct ceiling *ret_ceiling, struct why *why)
{
        OWN(buf) struct buf bytes;
        OWN(release_note) struct release_note *note = NULL;
        buf_init(&bytes, LIMIT_NOTE_BYTES);
        enum err e = artifact_read_note(call->store->config.artifacts, release->target, &bytes, why);
        if (!e)
                e = release_note_open(&call->store->pins.anchor, &bytes, &note, why);
        if (e)
                return DURING(why, e, "the note of %s", release->name);
        *ret_ceiling = note->ceiling;
        return OK;
}

static enum err add_ceiling(const struct call *call, const struct release *release, struct json *json, struct why *why)
{
        struct ceiling ceiling = { 0 };
        enum err e = release_ceiling(call, release, &ceiling, why);
        json_set_int(json, "start", ceiling.start);
        json_set(json, "ceiling", release_ceiling_json(&ceiling));
        return e;
}

static enum err add_approvals(const struct call *call, const struct release *release, struct json *json, struct why *why)
{
        struct json *list = json_new_array();
        bool has_proof = false;
        enum err e = approvals_list(call->db, release->number, list, why);
        json_set(json, "approvals", list);
        if (!e)
                e = proofs_find(call->db, release->target, &has_proof, why);
        json_set(json, "has_proof", call->store->tlog ? json_new_bool(has_proof) : json_new_null());
        return e;
}

static enum err release_view(struct call *call, const struct release *release, struct json **ret_json, struct why *why)
{
        OWN(query) struct query *q = NULL;
        OWN(json) struct json *json = NULL;
        struct json *dossier = NULL;
        bool has = false;
        enum err e = db_query(call->db, "SELECT " RELEASE_COLUMNS RELEASE_FROM "WHERE r.number = ?", VALUES(bind_int(release->number)), &q, why);
        if (!e)
                e = query_next(q, &has, why);
        if (!e)
                e = json_parse(query_text(q, 11), strlen(query_text(q, 11)), LIMIT_PUBLISH_BYTES, &dossier, why);
        if (e)
                return e;
        json = release_json(q);
        json_set(json, "dossier", dossier);
        e = add_ceiling(call, release, json, why);
        if (!e)
                e = add_approvals(call, release, json, why);
        if (!e)
                e = add_findings(call, release, json, why);
        if (!e)
                *ret_json = GIVE(json);
        return e;
}

enum err release_answer(struct call *call, int status, const struct release *release, struct why *why)
{
        struct json *json = NULL;
        enum err e = release_view(call, release, &json, why);
        return e ? e : call_answer_json(call, status, json, why);
}

enum err operator_release(struct call *call, struct why *why)
{
        struct release release;
        enum err e = release_of_call(call, &release, why);
        return e ? e : release_answer(call, 200, &release, why);
}
