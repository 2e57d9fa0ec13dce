#include "cli/facts.h"
#include "cli/publisher.h"
#include "cli/signing.h"
#include "format/hex.h"
#include "format/json.h"

enum { TEXT_BYTES = 16384, NEXT_BYTES = 8192 };

static struct json *describe(const struct release_id *id, const struct signed_release *made, const char *next)
{
        char target[65];
        struct json *json = json_new_object();
        hex_encode(made->target, sizeof(made->target), target);
        json_set_text(json, "stream", id->stream);
        json_set_int(json, "counter", id->counter);
        json_set_text(json, "target", target);
        json_set_int(json, "metadata", (int64_t)made->version);
        json_set_int(json, "expires", made->expires);
        json_set_text(json, "next", next);
        return json;
}

static enum err tell(struct cli *cli, const struct release_id *id, const struct signed_release *made, struct why *why)
{
        char next[NEXT_BYTES];
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES);
        snprintf(next, sizeof(next), "firebreak release publish %s/%lld --publisher %s", id->stream, (long long)id->counter,
                 arg_text(cli->args, OPTION_PUBLISHER, ""));
        OWN(json) struct json *json = describe(id, made, next);
        if (!json_is_whole(json))
                return FAIL(why, ERR_NOMEM, "telling of the signature");
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        buf_addf(&text, "signed %s/%lld\n  target    %s\n  metadata  version %lld, good for ", id->stream, (long long)id->counter,
                 json_text(json_get(json, "target")), (long long)made->version);
        print_span(&text, PUBLISHER_METADATA_S);
        buf_add_text(&text, "\nnext: ");
        print_clean(&text, next);
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}

enum err cmd_release_sign(struct cli *cli, struct why *why)
{
        OWN(publisher) struct publisher *publisher = NULL;
        struct release_id id;
        struct signed_release made;
        enum err e = release_id_parse(cli->args->words[0], &id, why);
        if (!e)
                e = publisher_open(cli, &publisher, why);
        if (!e)
                e = publisher_hold(publisher, why);
        if (!e)
                e = signing_do(&(struct signing){ .disk = publisher_disk(publisher), .folder = publisher_path(publisher), .release = id, .random = cli->random, .now = cli_now(cli),
                                       .args = cli->args }, &made, why);
        return e ? e : tell(cli, &id, &made, why);
}
