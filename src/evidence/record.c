#include "evidence/record.h"

#include "base/mem.h"
#include "format/canon.h"
#include "format/hex.h"
#include "format/json.h"
#include "trust/word.h"

#include <inttypes.h>
#include <string.h>

#define STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define PREDICATE_TYPE "https://firebreak.example/lab-run/v1"
#define IN_RECORD(field) offsetof(struct record, field)

static const char *const status_names[RECORD_STATUSES] = { "FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP" };

struct record_inside {
        struct json *document;
        char stream[LIMIT_NAME_BYTES + 1];
};

const char *record_status_name(enum record_status status)
{
        return status_names[status];
}

void record_done(struct record *record)
{
        if (record->inside)
                json_close(record->inside->document);
        mem_free(record->inside);
        *record = (struct record){ 0 };
}

struct statement_fields { const char *type, *predicate_type; const struct json *subject, *predicate; };
static const struct json_field statement_fields[] = {
        { "_type", JSON_TEXT, true, offsetof(struct statement_fields, type), 1, 256 },
        { "predicateType", JSON_TEXT, true, offsetof(struct statement_fields, predicate_type), 1, 256 },
        { "subject", JSON_ARRAY, true, offsetof(struct statement_fields, subject), 1, 1 },
        { "predicate", JSON_OBJECT, true, offsetof(struct statement_fields, predicate), 1, 64 },
};

struct subject_fields { const char *name; const struct json *digest; };
static const struct json_field subject_fields[] = {
        { "name", JSON_TEXT, true, offsetof(struct subject_fields, name), 3, LIMIT_NAME_BYTES + 20 },
        { "digest", JSON_OBJECT, true, offsetof(struct subject_fields, digest), 1, 1 },
};
static const struct json_field digest_fields[] = {
        { "sha256", JSON_TEXT, true, IN_RECORD(target), 64, 64 },
};

/* Of the predicate, what goes into struct record as it is; the objects and the status are read apart. */
struct predicate_fields { struct record record; const char *status; const struct json *engine, *saw; };
#define IN_PREDICATE(field) offsetof(struct predicate_fields, record.field)
static const struct json_field predicate_fields[] = {
        { "origin", JSON_TEXT, true, IN_PREDICATE(origin), 1, LIMIT_NAME_BYTES },
        { "stage", JSON_TEXT, true, IN_PREDICATE(stage), 2, 2 },
        { "check", JSON_TEXT, true, IN_PREDICATE(check), 1, LIMIT_NAME_BYTES },
        { "check_version", JSON_INT, true, IN_PREDICATE(check_version), 0, INT64_MAX },
        { "engine", JSON_OBJECT, true, offsetof(struct predicate_fields, engine), 1, 3 },
        { "platform", JSON_TEXT, true, IN_PREDICATE(platform), 1, LIMIT_NAME_BYTES },
        { "status", JSON_TEXT, true, offsetof(struct predicate_fields, status), 4, 5 },
        { "critical", JSON_BOOL, false, IN_PREDICATE(is_critical), 0, 0 },
        { "why", JSON_TEXT, true, IN_PREDICATE(why), 0, RECORD_WHY_MAX },
        { "cases", JSON_INT, true, IN_PREDICATE(cases), 0, INT64_MAX },
        { "failed", JSON_INT, true, IN_PREDICATE(failed), 0, INT64_MAX },
        { "saw", JSON_OBJECT, true, offsetof(struct predicate_fields, saw), 1, 4 },
        { "corpus", JSON_TEXT, true, IN_PREDICATE(corpus), 64, 64 },
        { "limits", JSON_TEXT, true, IN_PREDICATE(limits), 0, RECORD_LIMITS_MAX },
        { "started", JSON_INT, true, IN_PREDICATE(started), 0, INT64_MAX },
        { "finished", JSON_INT, true, IN_PREDICATE(finished), 0, INT64_MAX },
        { "log", JSON_TEXT, true, IN_PREDICATE(log), 64, 64 },
};
static const struct json_field engine_fields[] = {
        { "name", JSON_TEXT, true, IN_RECORD(engine.name), 1, LIMIT_NAME_BYTES },
        { "version", JSON_TEXT, true, IN_RECORD(engine.version), 1, LIMIT_NAME_BYTES },
        { "sha256", JSON_TEXT, true, IN_RECORD(engine.sha256), 64, 64 },
};
static const struct json_field saw_fields[] = {
        { "files", JSON_INT, true, IN_RECORD(saw.files), 0, INT64_MAX },
        { "bytes", JSON_INT, true, IN_RECORD(saw.bytes), 0, INT64_MAX },
        { "rules", JSON_INT, true, IN_RECORD(saw.rules), 0, INT64_MAX },
        { "canary", JSON_BOOL, true, IN_RECORD(saw.canary), 0, 0 },
};

static bool is_digest(const char *hex)
{
        uint8_t digest[32];
        return hex && hex_decode(hex, digest, sizeof(digest), NULL) == OK;
}

static bool is_name(const char *text)
{
        return text && word_is_name(text);
}

static bool is_stage(const char *text)
{
        return text && text[0] == 'S' && text[1] >= '0' && text[1] <= '9' && !text[2];
}

/* A canonical statement holds a control character as it is, and what is read back must be JSON, which has none. */
static bool is_line(const char *text)
{
        for (; text && *text; text++)
                if ((unsigned char)*text < ' ')
                        return false;
        return text;
}

/* What the tables cannot say; the first claim that does not hold is the message. */
static enum err check(const struct record *record, struct why *why)
{
        const struct { bool holds; const char *claim; } claims[] = {
                { record->engine.name && record->engine.version, "engine: without name or version" },
                { record->why && record->limits, "why or limits: missing" },
                { is_line(record->engine.name) && is_line(record->engine.version), "engine: a control character in name or version" },
                { is_line(record->why) && is_line(record->limits), "why or limits: a control character" },
                { record->status < RECORD_STATUSES, "status: none" },
                { is_name(record->stream) && record->counter > 0, "subject: not STREAM/COUNTER" },
                { is_digest(record->target), "subject: the digest is not a SHA-256" },
                { is_name(record->origin) && !strchr(record->origin, '+'), "origin: not the name of a key" },
                { is_stage(record->stage), "stage: not S0 to S9" },
                { is_name(record->check), "check: not a name" },
                { is_name(record->platform), "platform: not a name" },
                { is_digest(record->engine.sha256), "engine.sha256: not a SHA-256" },
                { is_digest(record->corpus), "corpus: not a SHA-256" },
                { is_digest(record->log), "log: not a SHA-256" },
                { record->failed <= record->cases, "failed: more than there were cases" },
                { record->finished >= record->started, "finished: before started" },
                { record->status != RECORD_PASS || !record->failed, "status: PASS, though something failed" },
                { record->status == RECORD_FAIL || !record->is_critical, "critical: only a FAIL can be" },
        };
        for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
                if (!claims[i].holds)
                        return FAIL(why, ERR_SYNTAX, "lab record: %s", claims[i].claim);
        return OK;
}

static struct json *subject_json(const struct record *record)
{
        char name[LIMIT_NAME_BYTES + 24];
        struct json *subjects = json_new_array(), *subject = json_new_object(), *digest = json_new_object();
        snprintf(name, sizeof(name), "%s/%" PRId64, record->stream, record->counter);
        json_set_text(digest, "sha256", record->target);
        json_set_text(subject, "name", name);
        json_set(subject, "digest", digest);
        json_add(subjects, subject);
        return subjects;
}

/* The table backwards. */
static void set_field(struct json *object, const struct json_field *field, const void *from)
{
        const char *at = (const char *)from + field->offset;
        if (field->type == JSON_TEXT)
                json_set_text(object, field->key, *(const char *const *)(const void *)at);
        else if (field->type == JSON_INT)
                json_set_int(object, field->key, *(const int64_t *)(const void *)at);
        else if (field->type == JSON_BOOL && (field->required || *(const bool *)at))
                json_set_bool(object, field->key, *(const bool *)at);
}

#define SET_FIELDS(object, fields, from) \
        for (size_t i_ = 0; i_ < sizeof(fields) / sizeof((fields)[0]); i_++) \
                set_field((object), &(fields)[i_], (from))

static struct json *predicate_json(const struct record *record)
{
        struct json *predicate = json_new_object(), *engine = json_new_object(), *saw = json_new_object();
        struct predicate_fields from = { .record = *record, .status = status_names[record->status] };
        SET_FIELDS(engine, engine_fields, record);
        SET_FIELDS(saw, saw_fields, record);
        SET_FIELDS(predicate, predicate_fields, &from);
        json_set(predicate, "engine", engine);
        json_set(predicate, "saw", saw);
        return predicate;
}

enum err record_write(const struct record *record, struct buf *into, struct why *why)
{
        OWN(record) struct record again = { 0 };
        OWN(buf) struct buf bytes;
        buf_init(&bytes, DSSE_BYTES_MAX);
        enum err e = check(record, why);
        if (e)
                return e;
        OWN(json) struct json *statement = json_new_object();
        json_set_text(statement, "_type", STATEMENT_TYPE);
        json_set(statement, "subject", subject_json(record));
        json_set_text(statement, "predicateType", PREDICATE_TYPE);
        json_set(statement, "predicate", predicate_json(record));
        e = json_is_whole(statement) ? canon_write(statement, &bytes, why) : FAIL(why, ERR_NOMEM, "no memory for the lab record");
        if (!e)
                e = record_parse(&bytes, &again, why);
        if (e)
                return e;
        buf_add(into, buf_text(&bytes), bytes.length);
        return buf_check(into, why);
}

static enum err read_subject(const struct json *json, struct record *record, struct why *why)
{
        struct subject_fields fields = { 0 };
        uint64_t counter = 0;
        enum err e = JSON_READ(json, subject_fields, &fields, why);
        if (!e)
                e = JSON_READ(fields.digest, digest_fields, record, why);
        if (e)
                return DURING(why, e, "subject");
        size_t length = strcspn(fields.name, "/");
        if (length > LIMIT_NAME_BYTES || !fields.name[length] || !word_number(fields.name + length + 1, &counter))
                return FAIL(why, ERR_SYNTAX, "subject: name is not STREAM/COUNTER");
        memcpy(record->inside->stream, fields.name, length);
        record->stream = record->inside->stream;
        record->counter = (int64_t)counter;
        return OK;
}

static enum err read_status(const char *name, enum record_status *ret_status, struct why *why)
{
        for (size_t i = 0; i < RECORD_STATUSES; i++)
                if (strcmp(name, status_names[i]) == 0) {
                        *ret_status = (enum record_status)i;
                        return OK;
                }
        return FAIL(why, ERR_SYNTAX, "status: none of FAIL, ERROR, MISS, PASS, DONE, SKIP");
}

static enum err read_predicate(const struct json *json, struct record *record, struct why *why)
{
        struct predicate_fields fields = { .record = *record };
        enum err e = JSON_READ(json, predicate_fields, &fields, why);
        if (!e)
                e = read_status(fields.status, &fields.record.status, why);
        if (!e)
                e = JSON_READ(fields.engine, engine_fields, &fields.record, why);
        if (!e)
                e = JSON_READ(fields.saw, saw_fields, &fields.record, why);
        *record = fields.record;
        return e ? DURING(why, e, "predicate") : OK;
}

static enum err read_statement(const struct json *json, struct record *record, struct why *why)
{
        struct statement_fields fields = { 0 };
        enum err e = JSON_READ(json, statement_fields, &fields, why);
        if (!e && strcmp(fields.type, STATEMENT_TYPE) != 0)
                e = FAIL(why, ERR_SYNTAX, "_type: not " STATEMENT_TYPE);
        if (!e && strcmp(fields.predicate_type, PREDICATE_TYPE) != 0)
                e = FAIL(why, ERR_SYNTAX, "predicateType: not " PREDICATE_TYPE);
        if (!e)
                e = read_subject(json_at(fields.subject, 0), record, why);
        if (!e)
                e = read_predicate(fields.predicate, record, why);
        return e ? DURING(why, e, "lab record") : check(record, why);
}

enum err record_parse(const struct buf *statement, struct record *ret_record, struct why *why)
{
        OWN(record) struct record record = { .inside = mem_new(1, sizeof(*record.inside)) };
        if (!record.inside)
                return FAIL(why, ERR_NOMEM, "no memory for the lab record");
        enum err e = json_parse(buf_text(statement), statement->length, DSSE_BYTES_MAX, &record.inside->document, why);
        if (e)
                return DURING(why, e, "lab record");
        e = read_statement(record.inside->document, &record, why);
        if (e)
                return e;
        *ret_record = record;
        record = (struct record){ 0 };               /* moved */
        return OK;
}

enum err record_sign(const struct record *record, const struct secret_key *key, struct buf *into, struct why *why)
{
        OWN(buf) struct buf statement;
        struct vkey vkey;
        buf_init(&statement, DSSE_BYTES_MAX);
        enum err e = record_write(record, &statement, why);
        if (!e)
                e = vkey_make(record->origin, &key->public, &vkey, why);
        return e ? e : dsse_sign(&statement, &vkey, key, into, why);
}

enum err record_open(const struct buf *envelope, const struct dsse_keys *labs, struct record *ret_record, struct why *why)
{
        OWN(buf) struct buf statement;
        OWN(record) struct record record = { 0 };
        const struct vkey *signer = NULL;
        buf_init(&statement, DSSE_BYTES_MAX);
        enum err e = dsse_open(envelope, labs, &statement, &signer, why);
        if (!e)
                e = record_parse(&statement, &record, why);
        if (e)
                return e;
        if (strcmp(signer->name, record.origin) != 0)
                return FAIL(why, ERR_UNTRUSTED, "lab record: origin is %s, and %s signed it; a lab speaks for itself only", record.origin, signer->name);
        *ret_record = record;
        record = (struct record){ 0 };
        return OK;
}
