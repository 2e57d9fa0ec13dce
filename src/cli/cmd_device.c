#include "cli/facts.h"
#include "format/json.h"

#include <string.h>

enum err cmd_device_list(struct cli *cli, struct why *why)
{
        static const struct column columns[] = {
                { "DEVICE", "device", false },   { "GROUP", "group", false },         { "PLATFORM", "platform", false },
                { "RING", "ring", false },       { "SEEN", "seen_at", true },         { "STREAMS", "streams", false },
                { "ATTRIBUTES", "attributes", false },
        };
        return facts_list(cli, "/devices", columns, sizeof(columns) / sizeof(columns[0]), why);
}

static void add_age(struct cli *cli, const char *title, const struct json *time, struct buf *into)
{
        if (json_int(time, 0) <= 0)
                return;
        buf_addf(into, "%-14s ", title);
        print_span(into, cli_now(cli) - json_int(time, 0));
        buf_add_text(into, " ago\n");
}

static enum err show_device(struct cli *cli, const struct json *device, struct buf *into, struct why *why)
{
        static const struct fact facts[] = {
                { "device", "device" },     { "group", "group" },     { "platform", "platform" },     { "ring", "ring" },
                { "agent", "agent" },       { "streams", "streams" }, { "attributes", "attributes" }, { "last report", "report_seq" },
        };
        static const struct column columns[] = {
                { "STREAM", "stream", false },   { "COUNTER", "counter", false }, { "KIND", "kind", false },
                { "GRANTED", "granted", true },  { "OUTCOME", "outcome", false }, { "HARM", "harm", false },
        };
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), device, into);
        add_age(cli, "seen", json_get(device, "seen_at"), into);
        add_age(cli, "revoked", json_get(device, "revoked_at"), into);
        buf_add_text(into, "\nleases\n");
        struct table table = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]), .now = cli_now(cli) };
        return print_table(&table, json_get(device, "leases"), into, why);
}

enum err cmd_device_show(struct cli *cli, struct why *why)
{
        char path[64];
        const char *id = cli->args->words[0];
        if (strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32)
                return FAIL(why, ERR_USAGE, "`%.60s` is no device; an id has 32 hex digits, see `firebreak device list`", id);
        snprintf(path, sizeof(path), "/devices/%s", id);
        return facts_show(cli, path, show_device, why);
}
