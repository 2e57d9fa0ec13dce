/* Who holds which role, and a ceremony that changes it: show, propose, sign, combine. */
#include "cli/ceremony_file.h"
#include "cli/cli.h"
#include "cli/facts.h"
#include "cli/ramp.h"
#include "cli/root_folder.h"
#include "cli/signing_key.h"
#include "format/hex.h"
#include "format/json.h"
#include "platform/file.h"
#include "platform/random.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 1 << 16, DAY_S = 86400, ROOT_DAYS = 365, STEPS_MAX = 4 * ARG_REPEATS + 3 };

static enum err open_file(struct ceremony_file **ret_file, struct why *why)
{
        *ret_file = ceremony_file_new();
        return *ret_file ? OK : FAIL(why, ERR_NOMEM, "no memory for a proposal");
}

/* ---- show ---- */

static enum err tell(struct cli *cli, struct json *json, const struct buf *lines, struct why *why)
{
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the ceremony");
        return arg_has(cli->args, OPTION_JSON) ? print_json(cli, json, why) : print_buf(cli, lines, why);
}

static enum err show_folder(struct cli *cli, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        OWN(buf) struct buf lines;
        buf_init(&lines, TEXT_BYTES);
        enum err e = open_file(&file, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = root_folder_read(publisher_disk(publisher), &file->proposal, why);
        if (!e)
                e = holders_read(&file->proposal, &file->before, why);
        if (e)
                return e;
        OWN(json) struct json *json = in_force_json(file);
        holders_lines(json, cli_now(cli), &lines);
        buf_addf(&lines, "digest %s\n", json_text(json_get(json, "digest")));
        return tell(cli, json, &lines, why);
}

/* What the proposal says; `next` for people, NULL: nothing. */
static enum err tell_proposal(struct cli *cli, const struct ceremony_file *file, const char *first, const char *next, struct why *why)
{
        OWN(buf) struct buf lines;
        OWN(json) struct json *json = ceremony_json(file);
        buf_init(&lines, TEXT_BYTES);
        buf_add_text(&lines, first);
        ceremony_lines(json, cli_now(cli), &lines);
        if (next)
                buf_addf(&lines, "next: %s\n", next);
        return tell(cli, json, &lines, why);
}

/* Is it what he knows to be in force? A proposal that follows other files can hand over everything, and look like a renewal. */
static enum err check_folder(struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        enum err e = publisher_open(cli, &publisher, why);
        return e ? e : root_folder_check(publisher_disk(publisher), &file->proposal, why);
}

static enum err check_digest(const struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        uint8_t digest[32];
        char hex[65];
        holders_digest(&file->proposal, digest);
        hex_encode(digest, sizeof(digest), hex);
        const char *given = arg_text(cli->args, OPTION_FOLLOWS, "");
        if (strncmp(given, hex, strlen(given)) == 0)     /* 128 bits at least: nobody finds other files that begin like it */
                return OK;
        return FAIL(why, ERR_REFUSED, "it follows %s, which is not what you say is in force", hex);
}

static enum err check_own(struct cli *cli, const struct ceremony_file *file, struct why *why)
{
        const bool has_folder = arg_has(cli->args, OPTION_PUBLISHER), has_digest = arg_has(cli->args, OPTION_FOLLOWS);
        enum err e = has_folder ? check_folder(cli, file, why) : OK;
        if (!e && has_digest)
                e = check_digest(cli, file, why);
        if (has_folder || has_digest)
                return e;
        return FAIL(why, ERR_USAGE, "what is in force? give --publisher, a copy of the folder that you trust, or --follows, the digest that `firebreak root show` told you where you trust it");
}

enum err cmd_root_show(struct cli *cli, struct why *why)
{
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        if (!cli->args->word_count)
                return show_folder(cli, why);
        enum err e = open_file(&file, why);
        if (!e)
                e = ceremony_file_read(cli->args->words[0], file, why);
        if (!e && arg_has(cli->args, OPTION_PUBLISHER))
                e = check_own(cli, file, why);
        return e ? e : tell_proposal(cli, file, "what is proposed\n", NULL, why);
}

/* ---- propose ---- */

/* "content:REST" */
static enum err read_role(const char *text, enum holder_role *ret_role, const char **ret_rest, struct why *why)
{
        const char *colon = strchr(text, ':');
        for (enum holder_role role = HOLDER_ROOT; colon && role < HOLDER_ROLES; role++) {
                const char *name = holder_role_name(role);
                if (strlen(name) != (size_t)(colon - text) || memcmp(name, text, strlen(name)) != 0)
                        continue;
                *ret_role = role;
                *ret_rest = colon + 1;
                return OK;
        }
        return FAIL(why, ERR_USAGE, "`%.80s` does not begin with a role and `:`; the roles are root, content, lab, emergency, director-root, timestamp, director, and witness", text);
}

/* Witnesses are no role of ours: they are named and keyed as the log's world does it. NULL: it is not about one. */
static const char *of_witness(const char *text)
{
        static const char word[] = "witness:";
        return strncmp(text, word, strlen(word)) == 0 ? text + strlen(word) : NULL;
}

static enum err read_verifier(const char *text, enum verifier_kind kind, struct verifier *ret_verifier, struct why *why)
{
        enum err e = verifier_parse(text, ret_verifier, why);
        if (!e && ret_verifier->kind != kind)
                e = FAIL(why, ERR_USAGE, "%s is the key of a %s", ret_verifier->name, kind == VERIFIER_LOG ? "witness" : "log");
        return e;
}

static enum err read_add(const char *text, struct rotation_step *step, struct why *why)
{
        const char *rest = of_witness(text);
        enum err e;
        if (rest) {
                step->kind = ROTATION_WITNESS;
                e = read_verifier(rest, VERIFIER_WITNESS, &step->verifier, why);
                return e ? DURING(why, ERR_USAGE, "--add takes witness:VKEY, as `firebreak-witness --show-key` prints it") : OK;
        }
        e = read_role(text, &step->role, &rest, why);
        if (!e)
                e = vkey_parse(rest, &step->vkey, why);
        return e ? DURING(why, ERR_USAGE, "--add takes ROLE:VKEY, as `firebreak keys show` prints it") : OK;
}

static enum err read_remove(const char *text, struct rotation_step *step, struct why *why)
{
        step->name = of_witness(text);
        step->kind = step->name ? ROTATION_NO_WITNESS : ROTATION_REMOVE;
        return step->name ? OK : read_role(text, &step->role, &step->name, why);
}

static enum err read_threshold(const char *text, struct rotation_step *step, struct why *why)
{
        const char *rest = of_witness(text);
        char *end = NULL;
        const size_t most = rest ? LIMIT_WITNESSES : ARG_REPEATS;
        step->kind = rest ? ROTATION_WITNESSES : ROTATION_THRESHOLD;
        enum err e = rest ? OK : read_role(text, &step->role, &rest, why);
        if (e)
                return e;
        step->threshold = strtoul(rest, &end, 10);
        if (rest[0] < '1' || rest[0] > '9' || *end)
                return FAIL(why, ERR_USAGE, "--threshold takes ROLE:NUMBER, not `%.60s`", text);
        if (step->threshold > most)
                return FAIL(why, ERR_USAGE, "`%.60s`: at most %zu %s", text, most, of_witness(text) ? "witnesses" : "keys sign a release in one go");
        return OK;
}

static bool is_none(const struct arg *arg)
{
        return arg->count == 1 && strcmp(arg->texts[0], "none") == 0;
}

struct steps {
        size_t count, online_count;
        bool has_online[ONLINE_KEYS], has_removal;
        struct rotation_step of[STEPS_MAX];
        struct { enum online_key which; struct secret_key key; } online[ONLINE_KEYS];    /* made here for the server */
};
static void steps_release(struct steps *steps)
{
        for (size_t i = 0; i < steps->online_count; i++)
                secret_key_done(&steps->online[i].key);
}

static enum err read_steps(const struct cli *cli, struct steps *steps, struct why *why)
{
        static const struct { enum option_id option; enum err (*read)(const char *text, struct rotation_step *step, struct why *why); } readers[] = {
                { OPTION_REMOVE, read_remove }, { OPTION_ADD, read_add }, { OPTION_THRESHOLD, read_threshold },
        };
        enum err e = OK;
        for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
                for (size_t k = 0; !e && k < cli->args->of[readers[i].option].count; k++) {
                        struct rotation_step *step = &steps->of[steps->count++];
                        *step = (struct rotation_step){ 0 };
                        e = readers[i].read(cli->args->of[readers[i].option].texts[k], step, why);
                        if (e)
                                return e;
                        steps->has_online[ONLINE_TIMESTAMP] |= step->role == HOLDER_TIMESTAMP;
                        steps->has_online[ONLINE_DIRECTOR] |= step->role == HOLDER_DIRECTOR;
                        steps->has_removal |= (step->kind == ROTATION_REMOVE || step->kind == ROTATION_THRESHOLD) && (step->role == HOLDER_ROOT || step->role == HOLDER_CONTENT);
                }
        return e;
}

static enum err read_log_steps(const struct cli *cli, struct steps *steps, struct why *why)
{
        const struct arg *pace = &cli->args->of[OPTION_NEW_PACE];
        const char *log = arg_text(cli->args, OPTION_LOG, NULL);
        enum err e = OK;
        if (log) {
                struct rotation_step *step = &steps->of[steps->count++];
                *step = (struct rotation_step){ .kind = ROTATION_LOG };
                steps->has_online[ONLINE_LOG] = true;
                e = strcmp(log, "none") == 0 ? OK : read_verifier(log, VERIFIER_LOG, &step->verifier, why);
        }
        if (e)
                return DURING(why, ERR_USAGE, "--log");
        if (pace->count) {
                struct rotation_step *step = &steps->of[steps->count++];
                *step = (struct rotation_step){ .kind = ROTATION_PACE };
                e = is_none(pace) ? OK : ramp_read("--pace", &(struct ramp_texts){ (const char *const *)pace->texts, pace->count }, &step->pace, why);
        }
        return e;
}

/* What the proposal says of the new key. */
static enum err online_step(enum online_key which, const char *publisher, const struct public_key *key, struct rotation_step *step, struct why *why)
{
        if (which == ONLINE_LOG) {
                *step = (struct rotation_step){ .kind = ROTATION_LOG };
                return publisher_log(publisher, key, &step->verifier, why);
        }
        *step = (struct rotation_step){ .role = which == ONLINE_TIMESTAMP ? HOLDER_TIMESTAMP : HOLDER_DIRECTOR };
        return vkey_make(online_key_name(which), key, &step->vkey, why);
}

static enum err make_online(const struct cli *cli, enum online_key which, const char *publisher, struct steps *steps, struct why *why)
{
        OWN(secret_key) struct secret_key seed = { 0 };
        if (steps->has_online[which])
                return FAIL(why, ERR_USAGE, "%s gets one new key: --%s brings one, --rotate makes one", online_key_name(which), which == ONLINE_LOG ? "log" : "add");
        struct secret_key *key = &steps->online[steps->online_count].key;
        cli->random->ops->fill(cli->random, seed.seed, sizeof(seed.seed));
        secret_key_make(seed.seed, key);
        steps->has_online[which] = true;
        steps->online[steps->online_count++].which = which;
        return online_step(which, publisher, &key->public, &steps->of[steps->count++], why);
}

static enum err make_online_keys(const struct cli *cli, const char *publisher, struct steps *steps, struct why *why)
{
        const struct arg *rotate = &cli->args->of[OPTION_ROTATE];
        enum err e = OK;
        for (size_t i = 0; !e && i < rotate->count; i++) {
                enum online_key which = ONLINE_TIMESTAMP;
                while (which < ONLINE_KEYS && strcmp(rotate->texts[i], online_key_name(which)) != 0)
                        which++;
                if (which == ONLINE_KEYS)
                        return FAIL(why, ERR_USAGE, "--rotate takes timestamp, director or log, the server's keys; not `%.40s`", rotate->texts[i]);
                e = make_online(cli, which, publisher, steps, why);
        }
        return e || !steps->has_removal || steps->has_online[ONLINE_TIMESTAMP] ? e : make_online(cli, ONLINE_TIMESTAMP, publisher, steps, why);
}

/* Durable before the proposal that needs them. */
static enum err keep_online_keys(struct disk *disk, const struct steps *steps, struct why *why)
{
        enum err e = OK;
        for (size_t i = 0; !e && i < steps->online_count; i++)
                e = root_folder_keep(disk, steps->online[i].which, &steps->online[i].key, why);
        return e;
}

static enum err propose(struct cli *cli, struct publisher *publisher, struct ceremony_file *file, struct why *why)
{
        OWN(steps) struct steps steps = { 0 };
        struct disk *disk = publisher_disk(publisher);
        enum err e = read_steps(cli, &steps, why);
        if (!e)
                e = read_log_steps(cli, &steps, why);
        if (!e)
                e = make_online_keys(cli, publisher_name(publisher), &steps, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (!e)
                e = root_folder_read(disk, &file->proposal, why);
        const struct rotation rotation = { steps.of, steps.count, cli_now(cli), arg_int(cli->args, OPTION_LIFETIME, (int64_t)ROOT_DAYS * DAY_S), PUBLISHER_METADATA_S };
        if (!e)
                e = rotation_propose(&file->proposal, &rotation, why);
        if (!e)
                e = holders_read(&file->proposal, &file->before, why);
        if (!e)
                e = holders_draft(&file->proposal, &file->before, &file->after, why);
        return e ? e : keep_online_keys(disk, &steps, why);
}

enum err cmd_root_propose(struct cli *cli, struct why *why)
{
        const char *path = cli->args->words[0];
        char next[PUBLISHER_PATH_MAX];
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        if (file_kind(path) != FILE_ABSENT)
                return FAIL(why, ERR_REFUSED, "%.160s is there already; choose another name, or move it away", path);
        enum err e = open_file(&file, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = propose(cli, publisher, file, why);
        if (!e)
                e = ceremony_file_write(path, file, why);
        if (e)
                return e;
        snprintf(next, sizeof(next), "firebreak root sign %.300s --follows DIGEST --key KEY, where each key is; tell the holders the digest by another way than the file", path);
        return tell_proposal(cli, file, "proposed\n", next, why);
}

/* ---- sign ---- */

static bool is_asked(const struct ceremony_file *file, enum paper paper, const struct public_key *key)
{
        struct rotation_need needs[ROTATION_NEEDS_MAX];
        for (size_t i = rotation_needs(&file->proposal, &file->before, &file->after, paper, needs); i > 0; i--)
                if (anchor_role_find(&needs[i - 1].role, key))
                        return true;
        return false;
}

/* Everything that this key has a say in. */
static enum err sign_all(struct ceremony_file *file, const char *reference, struct signing_key *key, struct why *why)
{
        struct paper_signature signature = { .key = *signing_key_public(key) };
        size_t count = 0;
        enum err e = OK;
        for (enum paper paper = 0; !e && paper < PAPERS; paper++) {
                const struct buf *text = &file->proposal.papers[paper].text;
                if (!is_asked(file, paper, &signature.key))
                        continue;
                count++;
                e = signing_key_sign(key, text->bytes, text->length, signature.signature, why);
                if (!e)
                        e = proposal_add(&file->proposal, paper, &signature, why);
        }
        if (!e && !count)
                e = FAIL(why, ERR_UNTRUSTED, "%.200s is none of the keys that this needs; `firebreak root show` names them", reference);
        return e;
}

static enum err sign_with(struct cli *cli, struct ceremony_file *file, struct why *why)
{
        const struct arg *given = &cli->args->of[OPTION_SIGNING_KEY];
        OWN(signing_secrets) struct signing_secrets secrets = { 0 };
        const struct signing_keys_opener opener = { .args = cli->args, .secrets = &secrets };
        enum err e = given->count ? OK : FAIL(why, ERR_USAGE, "with which key? give --key, a file or a pkcs11: URI");
        for (size_t i = 0; !e && i < given->count; i++) {
                OWN(signing_key) struct signing_key *key = NULL;
                e = signing_key_open(&opener, given->texts[i], &key, why);
                if (!e)
                        e = sign_all(file, given->texts[i], key, why);
        }
        return e;
}

enum err cmd_root_sign(struct cli *cli, struct why *why)
{
        const char *path = cli->args->words[0];
        char next[PUBLISHER_PATH_MAX];
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        enum err e = open_file(&file, why);
        if (!e)
                e = ceremony_file_read(path, file, why);
        if (!e)
                e = check_own(cli, file, why);
        if (!e)
                e = rotation_check_dates(&file->before, &file->after, cli_now(cli), why);
        if (!e)
                e = sign_with(cli, file, why);
        if (!e)
                e = ceremony_file_write(path, file, why);
        if (e)
                return e;
        bool is_complete = rotation_is_complete(&file->proposal, &file->before, &file->after);
        snprintf(next, sizeof(next), is_complete ? "firebreak root combine %.300s --publisher DIR" : "firebreak root sign %.300s --follows DIGEST --key KEY, where the next key is", path);
        return tell_proposal(cli, file, "signed\n", next, why);
}

/* ---- combine ---- */

static enum err read_copies(struct cli *cli, struct ceremony_file *file, struct why *why)
{
        enum err e = ceremony_file_read(cli->args->words[0], file, why);
        for (size_t i = 1; !e && i < cli->args->word_count; i++) {
                OWN(ceremony_file) struct ceremony_file *copy = NULL;
                e = open_file(&copy, why);
                if (!e)
                        e = ceremony_file_read(cli->args->words[i], copy, why);
                if (!e)
                        e = proposal_merge(&file->proposal, &copy->proposal, why);
        }
        return e;
}

static enum err take(struct cli *cli, struct publisher *publisher, const struct ceremony_file *file, struct why *why)
{
        struct buf files[PAPERS];
        const struct root_taking taking = { &file->before, &file->after, files, arg_has(cli->args, OPTION_ELSEWHERE) };
        for (size_t i = 0; i < PAPERS; i++)
                buf_init(&files[i], LIMIT_METADATA_BYTES);
        enum err e = root_folder_check(publisher_disk(publisher), &file->proposal, why);
        if (!e && !rotation_is_complete(&file->proposal, &file->before, &file->after))
                e = FAIL(why, ERR_UNTRUSTED, "signatures are missing; `firebreak root show FILE` says whose");
        if (!e)
                e = rotation_finish(&file->proposal, cli_now(cli), files, why);
        if (!e)
                e = root_folder_take(publisher_disk(publisher), &taking, why);
        for (size_t i = 0; i < PAPERS; i++)
                buf_done(&files[i]);
        return e;
}

/* Once more after a cut: what was done is done. */
static enum err take_once(struct cli *cli, struct publisher *publisher, const struct ceremony_file *file, struct why *why)
{
        bool is_taken = false;
        enum err e = root_folder_is_taken(publisher_disk(publisher), &file->proposal, &is_taken, why);
        if (e)
                return e;
        return is_taken ? root_folder_clear(publisher_disk(publisher), &(struct root_taking){ .before = &file->before, .after = &file->after }, why)
                        : take(cli, publisher, file, why);
}

enum err cmd_root_combine(struct cli *cli, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        enum err e = open_file(&file, why);
        if (!e)
                e = read_copies(cli, file, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (!e)
                e = take_once(cli, publisher, file, why);
        return e ? e : tell_proposal(cli, file, "in force\n", "hand online/, whole, to the server and restart it; devices follow by themselves", why);
}
