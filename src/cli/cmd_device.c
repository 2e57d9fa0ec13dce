#include "cli/facts.h"
#include "format/json.h"

#include <string.h>

/* "suspend 3 h ago, back in 2 min", or what became of it. */
static void goodbye_text(struct buf *into, const struct json *goodbye, int64_t now)
{
        const int64_t back = json_int(json_get(goodbye, "back_at"), 0);
        print_clean(into, json_text(json_get(goodbye, "kind")));
        buf_add_text(into, " ");
        print_ago(into, json_get(goodbye, "said_at"), now);
        if (!json_bool(json_get(goodbye, "is_away"), false))
                buf_add_text(into, ", and back");
        else if (back > now)
                buf_add_text(into, ", back in ");
        else if (back > 0)
                buf_add_text(into, ", overdue since ");
        if (json_bool(json_get(goodbye, "is_away"), false) && back > 0)
                print_span(into, back > now ? back - now : now - back);
}

/* Only of those that are away. */
static void print_away(struct buf *into, const struct json *goodbye, int64_t now)
{
        if (json_bool(json_get(goodbye, "is_away"), false))
                goodbye_text(into, goodbye, now);
        else
                print_value(into, NULL);
}

enum err cmd_device_list(struct cli *cli, struct why *why)
{
        static const struct column columns[] = {
                { "DEVICE", "device", NULL },   { "GROUP", "group", NULL },         { "PLATFORM", "platform", NULL },
                { "RING", "ring", NULL },       { "SEEN", "seen_at", print_ago },         { "AWAY", "goodbye", print_away },
                { "STREAMS", "streams", print_streams }, { "ATTRIBUTES", "attributes", NULL },
        };
        return facts_list(cli, "/devices", columns, sizeof(columns) / sizeof(columns[0]), why);
}

static void add_age(struct cli *cli, const char *title, const struct json *time, struct buf *into)
{
        if (json_int(time, 0) <= 0)
                return;
        buf_addf(into, "%-14s ", title);
        print_ago(into, time, cli_now(cli));
        buf_add_text(into, "\n");
}

static enum err show_device(struct cli *cli, const struct json *device, struct buf *into, struct why *why)
{
        static const struct fact facts[] = {
                { "device", "device" },     { "group", "group" },     { "platform", "platform" },     { "ring", "ring" },
                { "agent", "agent" },       { "attributes", "attributes" }, { "last report", "report_seq" },
        };
        static const struct column columns[] = {
                { "STREAM", "stream", NULL },   { "COUNTER", "counter", NULL }, { "KIND", "kind", NULL },
                { "GRANTED", "granted", print_ago },  { "OUTCOME", "outcome", NULL }, { "HARM", "harm", NULL },
        };
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), device, into);
        buf_addf(into, "%-14s ", "streams");
        print_streams(into, json_get(device, "streams"), 0);
        buf_add_text(into, "\n");
        add_age(cli, "seen", json_get(device, "seen_at"), into);
        add_age(cli, "revoked", json_get(device, "revoked_at"), into);
        if (json_text(json_get(json_get(device, "goodbye"), "kind"))) {
                buf_addf(into, "%-14s ", "goodbye");
                goodbye_text(into, json_get(device, "goodbye"), cli_now(cli));
                buf_add_text(into, "\n");
        }
        buf_add_text(into, "\nleases\n");
        struct table table = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]), .now = cli_now(cli) };
        return print_table(&table, json_get(device, "leases"), into, why);
}

static enum err path_of(const struct cli *cli, const char *suffix, char path[static 64], struct why *why)
{
        const char *id = cli->args->words[0];
        if (strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32)
                return FAIL(why, ERR_USAGE, "`%.60s` is no device; an id has 32 hex digits, see `firebreak device list`", id);
        snprintf(path, 64, "/devices/%s%s", id, suffix);
        return OK;
}

enum err cmd_device_show(struct cli *cli, struct why *why)
{
        char path[64];
        enum err e = path_of(cli, "", path, why);
        return e ? e : facts_show(cli, path, show_device, why);
}

enum err cmd_device_revoke(struct cli *cli, struct why *why)
{
        char path[64];
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *body = json_new_object(), *device = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, 4096);
        json_set_text(body, "who", cli_who(cli->args));
        json_set_text(body, "reason", arg_text(cli->args, OPTION_REASON, "no reason given"));
        enum err e = path_of(cli, "/revoke", path, why);
        if (!e)
                e = api_open(cli, &api, why);
        if (!e)
                e = api_ask(api, path, &(struct api_call){ .method = "POST", .body = body }, &device, why);
        if (e)
                return e;
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, device, why);
        buf_addf(&text, "%s is revoked since ", cli->args->words[0]);
        print_span(&text, cli_now(cli) - json_int(json_get(device, "revoked_at"), 0));
        buf_add_text(&text, "; remove its state and enrol it anew to take it back\n");
        return print_buf(cli, &text, why);
}
