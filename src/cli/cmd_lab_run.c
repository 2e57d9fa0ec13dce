/* Try a release in the real engine: firebreak-lab does it and signs; we name the release and hand the evidence on. */
#include "base/limits.h"
#include "cli/facts.h"
#include "cli/key_file.h"
#include "cli/lab.h"
#include "cli/publisher.h"
#include "cli/release_folder.h"
#include "format/json.h"
#include "platform/channel.h"
#include "platform/disk.h"
#include "platform/file.h"

#include <inttypes.h>
#include <string.h>

enum { FINDINGS_BYTES_MAX = 1 << 20, ENVELOPE_BYTES_MAX = 1 << 20 };

struct attempt {
        struct cli *cli;
        struct publisher *publisher;           /* NULL: a content folder, of which nothing is signed */
        struct api *api;                       /* NULL: nothing is uploaded */
        struct release_id id;
        char release[4096], key[4096], out[4096], origin[128], subject[160];
        struct passphrase passphrase;
        struct buf said;
        int input;                             /* the passphrase, on its way; -1: none */
};

static void attempt_release(struct attempt *attempt)
{
        channel_close(attempt->input);
        buf_done(&attempt->said);
        passphrase_release(&attempt->passphrase);
        publisher_close(attempt->publisher);
        api_close(attempt->api);
}

/* The lab's key may have a passphrase; it goes to the lab in memory, never on a disk or a command line. */
static enum err unlock(struct attempt *attempt, struct why *why)
{
        OWN(secret_key) struct secret_key key = { 0 };
        struct key_files files = { publisher_disk(attempt->publisher), publisher_path(attempt->publisher), attempt->cli->args, &attempt->passphrase };
        bool is_encrypted = false;
        enum err e = key_file_read(&files, "offline/lab.pem", &key, &is_encrypted, why);
        if (!e && attempt->passphrase.text[0])
                e = channel_memory(attempt->passphrase.text, strlen(attempt->passphrase.text), &attempt->input, why);
        return e;
}

static enum err make_out(struct attempt *attempt, struct why *why)
{
        struct disk *disk = publisher_disk(attempt->publisher);
        char path[PUBLISHER_PATH_MAX];
        const char *wanted = arg_text(attempt->cli->args, OPTION_OUT, NULL);
        if (wanted) {
                snprintf(attempt->out, sizeof(attempt->out), "%s", wanted);
                return OK;
        }
        publisher_release_path(&attempt->id, "/evidence", path);
        snprintf(attempt->out, sizeof(attempt->out), "%s/%s", publisher_path(attempt->publisher), path);
        enum err e = disk->ops->make_folder(disk, path, why);
        return e ? DURING(why, e, "%s", path) : OK;
}

/* Signed or not yet, it has the same name; but the server has none that is not signed. */
static enum err check_packed(const struct attempt *attempt, struct why *why)
{
        OWN(release_folder) struct release_folder folder = { 0 };
        enum err e = release_folder_open(publisher_disk(attempt->publisher), &attempt->id, &folder, why);
        if (!e && !folder.is_signed && arg_has(attempt->cli->args, OPTION_UPLOAD))
                e = FAIL(why, ERR_REFUSED, "%s/%" PRId64 " is not signed, so the server does not have it: try it without --upload, or sign and publish it first", attempt->id.stream,
                         attempt->id.counter);
        return e;
}

static enum err find_release(struct attempt *attempt, struct why *why)
{
        char path[PUBLISHER_PATH_MAX];
        enum err e = publisher_open(attempt->cli, &attempt->publisher, why);
        if (!e)
                e = check_packed(attempt, why);
        if (e)
                return e;
        const char *folder = publisher_path(attempt->publisher);
        publisher_release_path(&attempt->id, "", path);
        snprintf(attempt->release, sizeof(attempt->release), "%s/%s", folder, path);
        snprintf(attempt->key, sizeof(attempt->key), "%s/offline/lab.pem", folder);
        snprintf(attempt->origin, sizeof(attempt->origin), "lab.%s", publisher_name(attempt->publisher));
        release_id_path(&attempt->id, "", "", attempt->subject);
        e = make_out(attempt, why);
        return e ? e : unlock(attempt, why);
}

/* A folder is tried as it is, unsigned: for whoever writes content, before it is packed. */
static enum err find_subject(struct attempt *attempt, struct why *why)
{
        const char *word = attempt->cli->args->words[0];
        if (file_kind(word) != FILE_FOLDER && release_id_parse(word, &attempt->id, NULL))
                return FAIL(why, ERR_USAGE, "there is no folder %.120s, and it names no release; write STREAM/COUNTER, as edr-rules/4", word);
        if (file_kind(word) != FILE_FOLDER)
                return find_release(attempt, why);
        if (arg_has(attempt->cli->args, OPTION_UPLOAD))
                return FAIL(why, ERR_USAGE, "a content folder has no release that evidence could speak of; pack and sign it first, then STREAM/COUNTER");
        snprintf(attempt->release, sizeof(attempt->release), "%s", word);
        snprintf(attempt->out, sizeof(attempt->out), "%s", arg_text(attempt->cli->args, OPTION_OUT, ""));
        return OK;
}

static void add(struct lab_run *run, const char *option, const char *value)
{
        size_t at = 0;
        while (run->args[at])
                at++;
        if (!value || !value[0] || at + 2 >= LAB_ARGS_MAX)
                return;
        run->args[at] = option;
        run->args[at + 1] = value;
}

static enum err try_it(struct attempt *attempt, int *ret_code, struct why *why)
{
        const struct args *args = attempt->cli->args;
        struct lab_run run = { .args = { "run", "--json" }, .said = &attempt->said, .input = attempt->input };
        add(&run, "--release", attempt->release);
        add(&run, "--engine", arg_text(args, OPTION_ENGINE, NULL));
        add(&run, "--stages", arg_text(args, OPTION_STAGES, NULL));
        add(&run, "--baseline", arg_text(args, OPTION_BASELINE, NULL));
        add(&run, "--out", attempt->out);
        add(&run, "--key", attempt->key);
        add(&run, "--origin", attempt->origin);
        add(&run, "--subject", attempt->subject[0] ? attempt->subject + 1 : NULL);
        add(&run, "--passphrase-file", attempt->input >= 0 ? "/dev/stdin" : NULL);
        return lab_run(attempt->cli, &run, ret_code, why);
}

static enum err upload_one(struct api *api, const struct attempt *attempt, const struct json *record, struct why *why)
{
        const char *file = json_text(json_get(record, "evidence"));
        char path[160];
        OWN(json) struct json *envelope = NULL, *answer = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, ENVELOPE_BYTES_MAX);
        if (!file)
                return FAIL(why, ERR_SYNTAX, "firebreak-lab signed no evidence of stage %.20s", json_text(json_get(record, "stage")));
        enum err e = file_read(file, &text, why);
        if (!e)
                e = json_parse(buf_text(&text), text.length, ENVELOPE_BYTES_MAX, &envelope, why);
        release_id_path(&attempt->id, "/releases", "/evidence", path);
        if (!e)
                e = api_ask(api, path, &(struct api_call){ .method = "POST", .body = envelope }, &answer, why);
        return e ? DURING(why, e, "uploading %.150s", file) : OK;
}

/* Bad findings too: they are what the server must know. One that does not arrive keeps no other back. */
static enum err upload(const struct attempt *attempt, const struct json *findings, struct why *why)
{
        const struct json *records = json_get(findings, "records");
        enum err first = OK;
        for (size_t i = 0; i < json_count(records); i++) {
                enum err e = upload_one(attempt->api, attempt, json_at(records, i), first ? NULL : why);
                first = first ? first : e;
        }
        return first;
}

/* Before minutes are spent: is there a server, and does it know the release? */
static enum err check_published(struct attempt *attempt, struct why *why)
{
        OWN(json) struct json *release = NULL;
        char path[160];
        enum err e = api_open(attempt->cli, &attempt->api, why);
        if (e)
                return e;
        release_id_path(&attempt->id, "/releases", "", path);
        e = api_get(attempt->api, path, &release, why);
        return e == ERR_NOT_FOUND ? FAIL(why, e, "the server has no %s yet; `firebreak release publish` first, or leave --upload away", attempt->subject + 1) : e;
}

static enum err tell(const struct attempt *attempt, const struct json *findings, struct why *why)
{
        static const struct column columns[] = {
                { "STAGE", "stage", NULL }, { "CHECK", "check", NULL },     { "STATUS", "status", NULL }, { "FILES", "saw.files", NULL },
                { "RULES", "saw.rules", NULL }, { "CRITICAL", "critical", NULL }, { "WHY", "why", NULL },
        };
        static const struct fact facts[] = {
                { "release", "release" }, { "target", "target" }, { "engine", "engine.name" }, { "version", "engine.version" }, { "walled in by", "limits" },
                { "status", "status" },
        };
        struct cli *cli = attempt->cli;
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, findings, why);
        OWN(buf) struct buf text;
        buf_init(&text, FINDINGS_BYTES_MAX);
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), findings, &text);
        buf_add_text(&text, "\n");
        struct table table = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]), .now = cli_now(cli) };
        enum err e = print_table(&table, json_get(findings, "records"), &text, why);
        if (attempt->out[0])
                buf_addf(&text, "\nevidence and logs: %.300s\n", attempt->out);
        return e ? e : print_buf(cli, &text, why);
}

static enum err read_findings(const struct attempt *attempt, struct json **ret_findings, struct why *why)
{
        if (!attempt->said.length)
                return FAIL(why, ERR_UNAVAILABLE, "firebreak-lab could not begin; its own words are above");
        enum err e = json_parse(buf_text(&attempt->said), attempt->said.length, FINDINGS_BYTES_MAX, ret_findings, why);
        return e ? DURING(why, e, "what firebreak-lab says; is it of another version?") : OK;
}

/* Before anybody is asked for a passphrase. */
static enum err check_paths(const struct args *args, struct why *why)
{
        const char *engine = arg_text(args, OPTION_ENGINE, NULL), *baseline = arg_text(args, OPTION_BASELINE, NULL);
        if (!engine)
                return FAIL(why, ERR_USAGE, "in which engine? give --engine PATH, the program that devices run");
        if (file_kind(engine) != FILE_REGULAR)
                return FAIL(why, ERR_NOT_FOUND, "there is no engine %.200s; --engine takes the path of the program that devices run", engine);
        if (baseline && file_kind(baseline) != FILE_FOLDER)
                return FAIL(why, ERR_NOT_FOUND, "there is no folder %.200s; --baseline takes the content that devices run now", baseline);
        return OK;
}

/* What was found is told first: it is true also when the server is out of reach. */
enum err cmd_lab_run(struct cli *cli, struct why *why)
{
        OWN(attempt) struct attempt attempt = { .cli = cli, .input = -1 };
        OWN(json) struct json *findings = NULL;
        bool is_upload = arg_has(cli->args, OPTION_UPLOAD);
        int code = 0;
        buf_init(&attempt.said, FINDINGS_BYTES_MAX);
        enum err e = check_paths(cli->args, why);
        if (!e)
                e = find_subject(&attempt, why);
        if (!e && is_upload)
                e = check_published(&attempt, why);
        if (!e)
                e = try_it(&attempt, &code, why);
        if (!e)
                e = read_findings(&attempt, &findings, why);
        if (!e)
                e = tell(&attempt, findings, why);
        if (!e && is_upload)
                e = upload(&attempt, findings, why);
        if (!e && is_upload && !arg_has(cli->args, OPTION_JSON))
                fprintf(cli->out, "the server has the evidence: firebreak lab evidence %s\n", attempt.subject + 1);
        cli->exit_code = e && attempt.said.length ? 0 : code;       /* a lab that could not begin says so by its code alone */
        return e;
}
