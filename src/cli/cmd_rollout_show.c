#include "cli/facts.h"
#include "cli/release_id.h"
#include "cli/view.h"
#include "format/json.h"

enum err cmd_rollout_list(struct cli *cli, struct why *why)
{
        static const struct column columns[] = {
                { "STREAM", "stream", NULL },   { "COUNTER", "counter", NULL }, { "STATE", "state", NULL },     { "EXPOSED", "exposed", NULL },
                { "PROVEN", "proven", NULL },   { "HURT", "hurt", NULL },       { "COUNTS", "attributed", NULL }, { "BUDGET", "budget", NULL },   { "STARTED", "started", print_ago },
                { "SENTENCE", "sentence", NULL },
        };
        return facts_list(cli, "/rollouts", columns, sizeof(columns) / sizeof(columns[0]), why);
}

static enum err add_events(struct cli *cli, const struct json *events, struct buf *into, struct why *why)
{
        static const struct column columns[] = { { "WHEN", "at", print_ago }, { "WHAT", "what", NULL } };
        struct table table = { .columns = columns, .column_count = 2, .now = cli_now(cli) };
        if (!json_count(events))
                return OK;
        buf_add_text(into, "\n");
        return print_table(&table, events, into, why);
}

static enum err show_rollout(struct cli *cli, const struct json *rollout, struct buf *into, struct why *why)
{
        struct view view = { .columns = cli->is_live ? cli->columns : 1000, .is_colour = cli->is_colour, .now = cli_now(cli), .strata_max = 1000 };
        view_rollout(&view, rollout, into);
        return add_events(cli, json_get(rollout, "events"), into, why);
}

enum err cmd_rollout_show(struct cli *cli, struct why *why)
{
        char path[160];
        struct release_id id;
        enum err e = release_id_parse(cli->args->words[0], &id, why);
        if (e)
                return e;
        release_id_path(&id, "/rollouts", "", path);
        return facts_show(cli, path, show_rollout, why);
}
