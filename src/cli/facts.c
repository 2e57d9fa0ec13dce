#include "cli/facts.h"

#include "format/json.h"
#include "platform/clock.h"

#include <stdlib.h>

enum { PEOPLE_BYTES_MAX = 64 << 20 };      /* text for people is smaller than the JSON that it is made from */

int64_t cli_now(const struct cli *cli)
{
        return cli->clock->ops->wall_s(cli->clock);
}

const char *cli_who(const struct args *args)
{
        const char *user = getenv("USER");
        return arg_text(args, OPTION_WHO, user && name_is_good(user) ? user : "operator");
}

enum err facts_show(struct cli *cli, const char *path, facts_people *people, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *answer = NULL;
        OWN(buf) struct buf text;
        buf_init(&text, PEOPLE_BYTES_MAX);
        enum err e = api_open(cli, &api, why);
        if (!e)
                e = api_get(api, path, &answer, why);
        if (!e && arg_has(cli->args, OPTION_JSON))
                return print_json(cli, answer, why);
        if (!e)
                e = people(cli, answer, &text, why);
        return e ? e : print_buf(cli, &text, why);
}

enum err facts_list(struct cli *cli, const char *path, const struct column *columns, size_t column_count, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(json) struct json *items = NULL;
        OWN(buf) struct buf text;
        struct api_list list = { .path = path, .most = arg_int(cli->args, OPTION_LIMIT, 100) };
        buf_init(&text, PEOPLE_BYTES_MAX);
        enum err e = api_open(cli, &api, why);
        if (!e)
                e = api_list(api, &list, &items, why);
        if (!e && list.has_more)
                fprintf(cli->err, "firebreak: and more: --limit N prints more than %lld\n", (long long)list.most);
        if (!e && arg_has(cli->args, OPTION_JSON))
                return print_json(cli, items, why);
        struct table table = { .columns = columns, .column_count = column_count, .now = cli_now(cli) };
        if (!e)
                e = print_table(&table, items, &text, why);
        return e ? e : print_buf(cli, &text, why);
}

enum err facts_rollout(struct cli *cli, const struct json *rollout, struct why *why)
{
        if (arg_has(cli->args, OPTION_JSON))
                return print_json(cli, rollout, why);
        const char *state = json_text(json_get(rollout, "state"));
        OWN(buf) struct buf text;
        buf_init(&text, PEOPLE_BYTES_MAX);
        print_clean(&text, json_text(json_get(rollout, "stream")));
        buf_addf(&text, "/%lld is ", (long long)json_int(json_get(rollout, "counter"), 0));
        print_coloured(&text, cli->is_colour, state_colour(state), state);
        buf_add_text(&text, ": ");
        print_clean(&text, json_text(json_get(rollout, "sentence")));
        buf_add_text(&text, "\n");
        return print_buf(cli, &text, why);
}

void facts_lines(const struct fact *facts, size_t fact_count, const struct json *object, struct buf *into)
{
        for (size_t i = 0; i < fact_count; i++) {
                const struct json *value = print_field(object, facts[i].field);
                if (!value || json_type(value) == JSON_NULL)
                        continue;
                buf_addf(into, "%-14s ", facts[i].title);
                print_value(into, value);
                buf_add_text(into, "\n");
        }
}
