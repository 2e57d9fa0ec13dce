#include "lab/session.h"

#include "lab/legit.h"
#include "platform/clock.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "platform/paths.h"
#include "platform/terminal.h"
#include "trust/word.h"

#include <inttypes.h>

static enum err read_key(const struct lab_options *options, struct secret_key *key, struct why *why)
{
        OWN(buf) struct buf pem, passphrase;
        buf_init(&pem, KEY_PEM_MAX);
        buf_init(&passphrase, 4096);
        enum err e = file_read(options->key, &pem, why);
        if (!e && options->passphrase_file)
                e = file_read(options->passphrase_file, &passphrase, why);
        if (passphrase.bytes)
                passphrase.bytes[strcspn(passphrase.bytes, "\r\n")] = 0;
        if (!e)
                e = key_pem_read(&pem, buf_text(&passphrase), key, why);
        return e ? DURING(why, e, "the lab's key") : OK;
}

/* "edr-rules/4" */
static enum err read_subject(const char *subject, struct session *session, struct why *why)
{
        const char *slash = strchr(subject, '/');
        size_t length = slash ? (size_t)(slash - subject) : 0;
        char *end = NULL;
        session->counter = slash ? strtoll(slash + 1, &end, 10) : 0;
        if (length && length <= LIMIT_NAME_BYTES)
                snprintf(session->stream, sizeof(session->stream), "%.*s", (int)length, subject);
        if (!session->stream[0] || !word_is_name(session->stream) || session->counter <= 0 || *end)
                return FAIL(why, ERR_USAGE, "--subject %.80s: write STREAM/COUNTER, as edr-rules/4", subject);
        return OK;
}

/* A packed release names itself; what the caller says must agree with it. */
static enum err name_release(struct session *session, struct why *why)
{
        const struct lab_options *options = session->options;
        const struct release_note *note = session->candidate->note;
        enum err e = options->subject ? read_subject(options->subject, session, why) : OK;
        if (e)
                return e;
        snprintf(session->target, sizeof(session->target), "%s", options->target ? options->target : session->candidate->target);
        if (note && options->target && strcmp(options->target, session->candidate->target) != 0)
                return FAIL(why, ERR_USAGE, "--target is not the digest of this release, which is %s", session->candidate->target);
        if (note && options->subject && (strcmp(session->stream, note->stream) != 0 || session->counter != (int64_t)note->counter))
                return FAIL(why, ERR_USAGE, "--subject %.80s: this release is %s/%" PRIu64, options->subject, note->stream, note->counter);
        if (note) {
                snprintf(session->stream, sizeof(session->stream), "%s", note->stream);
                session->counter = (int64_t)note->counter;
        }
        if (options->key && (!session->counter || !session->target[0]))
                return FAIL(why, ERR_USAGE, "a content folder has no name to sign for: give --target and --subject, or the packed release");
        return OK;
}

/* The engine and our own programs belong to what a device cannot do without. */
static enum err list_legit(struct session *session, struct why *why)
{
        static const char *const names[] = { "firebreak", "firebreak-agent", "firebreak-lab", "firebreakd" };
        enum { NAMES = sizeof(names) / sizeof(names[0]) };
        char own[PATH_MAX], paths[NAMES][PATH_MAX + 32];
        const char *extra[NAMES + 2] = { session->engine.path };
        enum err e = paths_own_folder(own, why);
        for (size_t i = 0; i < NAMES; i++) {
                snprintf(paths[i], sizeof(paths[i]), "%s/%s", own, names[i]);
                extra[i + 1] = paths[i];
        }
        return e ? e : legit_open(&legit_boot_critical, extra, &session->legit, why);
}

static enum err open_out(struct session *session, struct why *why)
{
        const char *out = session->options->out;
        if (!out)
                return OK;
        enum err e = file_kind(out) == FILE_REGULAR || file_kind(out) == FILE_OTHER ? FAIL(why, ERR_USAGE, "--out %.150s is no folder", out)
                                                                                   : disk_folder_open(out, &session->out, why);
        return e ? DURING(why, e, "where evidence goes") : OK;
}

static enum err prepare(struct session *session, struct why *why)
{
        const struct lab_options *options = session->options;
        enum err e = candidate_open(options->release, &session->candidate, why);
        if (!e && options->baseline)
                e = candidate_open(options->baseline, &session->baseline, why);
        if (!e)
                e = name_release(session, why);
        if (!e && options->key)
                e = read_key(options, &session->key, why);
        if (!e)
                e = open_out(session, why);
        if (!e)
                e = engine_open(options->engine, &session->engine, why);
        if (!e && strstr(options->stages, "S4"))
                e = list_legit(session, why);
        return e ? e : file_temporary(session->scratch, why);
}

static void progress(const char *format, const char *name, const char *text)
{
        if (terminal_is(stderr))
                fprintf(stderr, format, name, text);
}

static struct record record_of(const struct session *session, const struct session_result *result)
{
        return (struct record){
                .stream = session->stream, .target = session->target, .counter = session->counter,
                .origin = session->options->origin, .stage = result->stage->name, .check = result->stage->check,
                .check_version = result->stage->version, .platform = session->options->platform, .why = result->found.why,
                .engine = { session->engine.name, session->engine.version, session->engine.sha256 },
                .status = result->found.status, .is_critical = result->found.is_critical && result->found.status == RECORD_FAIL,
                .cases = result->found.cases, .failed = result->found.failed, .saw = result->found.saw, .corpus = result->found.corpus,
                .limits = session->engine.walls, .log = result->log_sha256, .started = result->started, .finished = result->finished,
        };
}

static enum err write_out(const struct session *session, struct session_result *result, const struct buf *log, struct why *why)
{
        OWN(buf) struct buf envelope;
        char name[64];
        buf_init(&envelope, DSSE_BYTES_MAX);
        snprintf(name, sizeof(name), "%s.log", result->stage->name);
        enum err e = session->out->ops->replace(session->out, name, buf_text(log), log->length, why);
        snprintf(result->log, sizeof(result->log), "%s/%s", session->options->out, name);
        if (e || !session->options->key)
                return e;
        struct record record = record_of(session, result);
        snprintf(name, sizeof(name), "%s.dsse.json", result->stage->name);
        e = record_sign(&record, &session->key, &envelope, why);
        if (!e)
                e = session->out->ops->replace(session->out, name, buf_text(&envelope), envelope.length, why);
        snprintf(result->evidence, sizeof(result->evidence), "%s/%s", session->options->out, name);
        return e;
}

static enum err run_stage(struct session *session, const struct stage *stage, struct why *why)
{
        struct session_result *result = &session->results[session->count];
        struct clock *clock = clock_system();
        OWN(buf) struct buf log;
        buf_init(&log, SESSION_LOG_MAX);
        session->engine.log = &log;
        result->stage = stage;
        progress("%s %s ... ", stage->name, stage->title);
        result->started = clock->ops->wall_s(clock);
        stage_try(stage, &(struct trial){ session->candidate, session->baseline, &session->engine, session->legit, session->scratch }, &result->found);
        int64_t finished = clock->ops->wall_s(clock);
        result->finished = finished < result->started ? result->started : finished;       /* a clock may be set back */
        progress("%s%s\n", record_status_name(result->found.status), "");
        session->engine.log = NULL;
        session->count++;
        digest_bytes(buf_text(&log), log.length, result->log_sha256);
        enum err e = session->out ? write_out(session, result, &log, why) : OK;
        return e ? DURING(why, e, "writing the evidence of %s", stage->name) : OK;
}

enum err session_run(const struct lab_options *options, struct session *session, struct why *why)
{
        *session = (struct session){ .options = options };
        enum err e = prepare(session, why);
        for (unsigned i = 0; !e && i < stage_count; i++) {       /* in the table's order, each at most once */
                bool is_wanted = false;
                for (const char *at = options->stages; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
                        is_wanted |= stage_named(at, strcspn(at, ",")) == &stages[i];
                if (is_wanted)
                        e = run_stage(session, &stages[i], why);
        }
        return e;
}

void session_done(struct session *session)
{
        if (session->scratch[0])
                file_remove_tree(session->scratch);
        disk_folder_close(session->out);
        legit_close(session->legit);
        candidate_close(session->baseline);
        candidate_close(session->candidate);
        secret_key_done(&session->key);
        *session = (struct session){ 0 };
}

enum record_status session_status(const struct session *session)
{
        enum record_status worst = RECORD_SKIP;
        for (size_t i = 0; i < session->count; i++)
                if (session->results[i].found.status < worst)
                        worst = session->results[i].found.status;
        return worst;
}

int session_exit(const struct session *session)
{
        enum record_status status = session_status(session);
        return status == RECORD_FAIL ? 1 : status == RECORD_ERROR || status == RECORD_MISS ? 2 : 0;
}
