/* The keys that sign are elsewhere: a proposal goes to them. `firebreak proposal combine` takes what comes back. And the listing
 * signed anew, with keys that are here or by a proposal. */
#include "cli/facts.h"
#include "cli/publisher.h"
#include "cli/signing.h"
#include "format/json.h"

enum { TEXT_BYTES = 8192 };

typedef enum err proposer(const struct signing *signing, struct ceremony_file *file, struct why *why);

static struct signing signing_of(const struct cli *cli, const struct publisher *publisher)
{
        return (struct signing){ .disk = publisher_disk(publisher), .folder = publisher_path(publisher), .random = cli->random, .now = cli_now(cli), .args = cli->args };
}

static enum err write_proposal(struct cli *cli, proposer *propose, const struct signing *signing, const char *path, struct why *why)
{
        char next[PUBLISHER_PATH_MAX];
        OWN(ceremony_file) struct ceremony_file *file = NULL;
        enum err e = ceremony_file_check_absent(path, why);
        if (!e)
                e = ceremony_file_make(&file, why);
        if (!e)
                e = propose(signing, file, why);
        if (!e)
                e = ceremony_file_write(path, file, why);
        if (e)
                return e;
        snprintf(next, sizeof(next), "firebreak proposal sign %.300s%s --follows DIGEST --key KEY, where each key is; tell the holders %s by another way than the file", path,
                 file->after.adds_release ? " --release TARGET" : "", file->after.adds_release ? "both" : "the digest");
        return ceremony_tell(cli, file, "proposed\n", next, why);
}

enum err cmd_release_propose(struct cli *cli, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        struct release_id id;
        enum err e = release_id_parse(cli->args->words[0], &id, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (e)
                return e;
        struct signing signing = signing_of(cli, publisher);
        signing.release = id;
        return write_proposal(cli, signing_propose, &signing, cli->args->words[1], why);
}

static enum err tell_renewed(struct cli *cli, const struct signed_release *made, struct why *why)
{
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES);
        OWN(json) struct json *json = json_new_object();
        json_set_int(json, "metadata", (int64_t)made->version);
        json_set_int(json, "expires", made->expires);
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the signature");
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        buf_addf(&text, "signed the listing anew\n  metadata  version %lld, good for ", (long long)made->version);
        print_span(&text, PUBLISHER_METADATA_S);
        buf_add_text(&text, "\nnext: firebreak release publish --publisher ");
        print_clean(&text, arg_text(cli->args, OPTION_PUBLISHER, ""));
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}

enum err cmd_release_renew(struct cli *cli, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        struct signed_release made;
        enum err e = publisher_open(cli, &publisher, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (e)
                return e;
        const struct signing signing = signing_of(cli, publisher);
        if (cli->args->word_count)
                return write_proposal(cli, signing_propose_renewal, &signing, cli->args->words[0], why);
        e = signing_renew(&signing, &made, why);
        return e ? e : tell_renewed(cli, &made, why);
}
