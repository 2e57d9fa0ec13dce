#include "lab/session.h"

#include "format/json.h"
#include "lab/legit.h"

#include <inttypes.h>

static void print_one(const struct session_result *result, struct buf *into)
{
        const struct found *found = &result->found;
        buf_addf(into, "%-3s %-6s%s %s: %" PRId64 " files, %" PRId64 " rules", result->stage->name, record_status_name(found->status),
                 found->is_critical ? " critical" : "", result->stage->title, found->saw.files, found->saw.rules);
        if (found->why[0])
                buf_addf(into, "\n           %s", found->why);
        if (result->evidence[0])
                buf_addf(into, "\n           evidence: %s", result->evidence);
        buf_add_text(into, "\n");
}

enum err session_print(const struct session *session, struct buf *into, struct why *why)
{
        buf_addf(into, "engine %s %s, walled in by: %s\n", session->engine.name, session->engine.version, session->engine.walls[0] ? session->engine.walls : "nothing");
        for (size_t i = 0; i < session->count; i++)
                print_one(&session->results[i], into);
        enum record_status status = session_status(session);
        buf_addf(into, "%s: %s\n", record_status_name(status), status == RECORD_FAIL ? "the content is at fault" :
                 status == RECORD_PASS ? "all stages passed" : "a check broke and proves nothing; see above");
        return buf_check(into, why);
}

static struct json *result_json(const struct session_result *result)
{
        struct json *json = json_new_object(), *saw = json_new_object();
        const struct found *found = &result->found;
        json_set_text(json, "stage", result->stage->name);
        json_set_text(json, "check", result->stage->check);
        json_set_text(json, "status", record_status_name(found->status));
        json_set_bool(json, "critical", found->is_critical);
        json_set_text(json, "why", found->why);
        json_set_int(json, "cases", found->cases);
        json_set_int(json, "failed", found->failed);
        json_set_int(saw, "files", found->saw.files);
        json_set_int(saw, "bytes", found->saw.bytes);
        json_set_int(saw, "rules", found->saw.rules);
        json_set_bool(saw, "canary", found->saw.canary);
        json_set(json, "saw", saw);
        json_set_int(json, "started", result->started);
        json_set_int(json, "finished", result->finished);
        json_set(json, "evidence", result->evidence[0] ? json_new_text(result->evidence) : json_new_null());
        json_set(json, "log", result->log[0] ? json_new_text(result->log) : json_new_null());
        return json;
}

enum err session_print_json(const struct session *session, struct buf *into, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        struct json *engine = json_new_object(), *records = json_new_array();
        char release[LIMIT_NAME_BYTES + 32];
        snprintf(release, sizeof(release), "%s/%" PRId64, session->stream, session->counter);
        json_set(json, "release", session->counter ? json_new_text(release) : json_new_null());
        json_set(json, "target", session->target[0] ? json_new_text(session->target) : json_new_null());
        json_set_text(json, "status", record_status_name(session_status(session)));
        json_set_text(engine, "name", session->engine.name);
        json_set_text(engine, "version", session->engine.version);
        json_set_text(engine, "sha256", session->engine.sha256);
        json_set(json, "engine", engine);
        json_set_text(json, "limits", session->engine.walls);
        for (size_t i = 0; i < session->count; i++)
                json_add(records, result_json(&session->results[i]));
        json_set(json, "records", records);
        enum err e = json_is_whole(json) ? json_write(json, 2, into, why) : FAIL(why, ERR_NOMEM, "the result");
        buf_add_text(into, "\n");
        return e ? e : buf_check(into, why);
}
