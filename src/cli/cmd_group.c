/* Groups of devices, and on which release of a stream they are kept. */
#include "cli/facts.h"
#include "format/json.h"

enum { PATH_BYTES = 96 };

/* {"edr-rules":{"pin":4,"behind":null,"newest":4,"now":3}} as "edr-rules: pinned to 4 (now 3)". */
static void print_rules(struct buf *into, const struct json *streams, int64_t now)
{
        (void)now;
        if (!json_count(streams))
                buf_add_text(into, "latest");
        for (size_t i = 0; i < json_count(streams); i++) {
                const struct json *rule = json_value_at(streams, i);
                int64_t pin = json_int(json_get(rule, "pin"), 0), offered = json_int(json_get(rule, "now"), 0);
                buf_add_text(into, i ? ", " : "");
                print_clean(into, json_key_at(streams, i));
                if (pin)
                        buf_addf(into, ": pinned to %lld", (long long)pin);
                else
                        buf_addf(into, ": %lld behind", (long long)json_int(json_get(rule, "behind"), 0));
                if (!offered)
                        buf_add_text(into, " (now none)");
                else if (offered != pin)
                        buf_addf(into, " (now %lld)", (long long)offered);
        }
}

enum err cmd_group_list(struct cli *cli, struct why *why)
{
        static const struct column columns[] = { { "GROUP", "group", NULL }, { "DEVICES", "devices", NULL }, { "RELEASES", "streams", print_rules } };
        return facts_list(cli, "/groups", columns, sizeof(columns) / sizeof(columns[0]), why);
}

static enum err group_path(const struct cli *cli, char path[PATH_BYTES], struct why *why)
{
        const char *group = cli->args->words[0];
        if (!name_is_good(group))
                return FAIL(why, ERR_USAGE, "`%.80s` is no name of a group; see `firebreak group list`", group);
        snprintf(path, PATH_BYTES, "/groups/%s", group);
        return OK;
}

static enum err show_group(struct cli *cli, const struct json *group, struct buf *into, struct why *why)
{
        static const struct fact facts[] = { { "group", "group" }, { "devices", "devices" } };
        (void)cli, (void)why;
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), group, into);
        buf_addf(into, "%-14s ", "releases");
        print_rules(into, json_get(group, "streams"), 0);
        buf_add_text(into, "\n");
        return OK;
}

enum err cmd_group_show(struct cli *cli, struct why *why)
{
        char path[PATH_BYTES];
        enum err e = group_path(cli, path, why);
        return e ? e : facts_show(cli, path, show_group, why);
}

static enum err set_rule(struct json *body, const struct args *args, struct why *why)
{
        bool has_pin = arg_has(args, OPTION_PIN), has_behind = arg_has(args, OPTION_BEHIND), has_latest = arg_has(args, OPTION_LATEST);
        if (has_pin + has_behind + has_latest != 1)
                return FAIL(why, ERR_USAGE, "say one of --pin COUNTER, --behind 1 and --latest");
        if (arg_has(args, OPTION_OF_STREAM))
                json_set_text(body, "stream", arg_text(args, OPTION_OF_STREAM, ""));
        if (has_pin)
                json_set_int(body, "pin", arg_int(args, OPTION_PIN, 0));
        if (has_behind)
                json_set_int(body, "behind", arg_int(args, OPTION_BEHIND, 0));
        if (has_latest)
                json_set_bool(body, "latest", true);
        json_set_text(body, "who", cli_who(args));
        json_set_text(body, "reason", arg_text(args, OPTION_REASON, "no reason given"));
        return OK;
}

enum err cmd_group_set(struct cli *cli, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *body = json_new_object(), *group = NULL;
        OWN(buf) struct buf text;
        char path[PATH_BYTES];
        buf_init(&text, 1 << 16);
        enum err e = group_path(cli, path, why);
        if (!e)
                e = set_rule(body, cli->args, why);
        if (!e)
                e = api_open(cli, &api, why);
        if (!e)
                e = api_ask(api, path, &(struct api_call){ .method = "POST", .body = body }, &group, why);
        if (e)
                return e;
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, group, why);
        print_clean(&text, json_text(json_get(group, "group")));
        buf_addf(&text, " (devices: %lld): ", (long long)json_int(json_get(group, "devices"), 0));
        print_rules(&text, json_get(group, "streams"), 0);
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}
