/* Who holds which role, and the proposal that changes it; cmd_proposal.c has what follows. */
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

enum { TEXT_BYTES = 1 << 16, DAY_S = 86400, ROOT_DAYS = 365, STEPS_MAX = 4 * ARG_REPEATS + 4 };

enum err cmd_root_show(struct cli *cli, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        OWN(buf) struct buf lines;
        buf_init(&lines, TEXT_BYTES);
        enum err e = ceremony_file_make(&file, why);
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
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling who holds what");
        return arg_has(cli->args, OPTION_JSON) ? print_json(cli, json, why) : print_buf(cli, &lines, why);
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
        return FAIL(why, ERR_USAGE, "`%.80s` does not begin with a role and `:`; the roles are root, content, lab, emergency, agent, director-root, timestamp, director, and witness", text);
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

static enum err read_streams_step(const struct cli *cli, struct steps *steps, struct why *why)
{
        const struct arg *given = &cli->args->of[OPTION_AGENT_STREAM];
        struct rotation_step step = { .kind = ROTATION_STREAMS };
        if (!given->count)
                return OK;
        if (given->count > LIMIT_AGENT_STREAMS)
                return FAIL(why, ERR_USAGE, "--agent-stream: at most %d streams carry the agent", LIMIT_AGENT_STREAMS);
        for (; step.streams.count < given->count; step.streams.count++)
                snprintf(step.streams.names[step.streams.count], sizeof(step.streams.names[0]), "%s", given->texts[step.streams.count]);
        steps->of[steps->count++] = step;
        return OK;
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
                e = read_streams_step(cli, &steps, why);
        if (!e)
                e = make_online_keys(cli, publisher_name(publisher), &steps, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (!e)
                e = root_folder_read(disk, &file->proposal, why);
        const struct rotation rotation = { .steps = steps.of, .count = steps.count, .now = cli_now(cli), .root_s = arg_int(cli->args, OPTION_LIFETIME, (int64_t)ROOT_DAYS * DAY_S),
                                           .listing_s = PUBLISHER_METADATA_S };
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
        enum err e = ceremony_file_check_absent(path, why);
        if (!e)
                e = ceremony_file_make(&file, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = propose(cli, publisher, file, why);
        if (!e)
                e = ceremony_file_write(path, file, why);
        if (e)
                return e;
        snprintf(next, sizeof(next), "firebreak proposal sign %.300s --follows DIGEST --key KEY, where each key is; tell the holders the digest by another way than the file", path);
        return ceremony_tell(cli, file, "proposed\n", next, why);
}

