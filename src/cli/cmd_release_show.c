#include "cli/facts.h"
#include "cli/release_id.h"
#include "format/json.h"

enum err cmd_release_list(struct cli *cli, struct why *why)
{
        static const struct column columns[] = {
                { "STREAM", "stream", NULL },   { "COUNTER", "counter", NULL }, { "VERSION", "version", NULL },
                { "FILES", "files", NULL },     { "STATE", "state", NULL },     { "PUBLISHED", "published", print_ago },
        };
        return facts_list(cli, "/releases", columns, sizeof(columns) / sizeof(columns[0]), why);
}

static enum err add_evidence(struct cli *cli, const struct json *release, struct buf *into, struct why *why)
{
        static const struct column columns[] = {
                { "ORIGIN", "origin", NULL },   { "STAGE", "stage", NULL },     { "STATUS", "status", NULL },
                { "CASES", "cases", NULL },     { "FINISHED", "finished", print_ago }, { "WHY", "why", NULL },
        };
        struct table table = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]), .now = cli_now(cli) };
        return print_table(&table, json_get(release, "evidence"), into, why);
}

/* The gate is {"open":bool,"unmet":["..."]}. */
static void add_gate(struct cli *cli, const struct json *gate, struct buf *into)
{
        bool is_open = json_bool(json_get(gate, "open"), false);
        const struct json *unmet = json_get(gate, "unmet");
        buf_add_text(into, "\ngate: ");
        print_coloured(into, cli->is_colour, is_open ? GREEN : RED, is_open ? "open" : "closed");
        buf_add_text(into, "\n");
        for (size_t i = 0; i < json_count(unmet); i++) {
                buf_add_text(into, "  ");
                print_value(into, json_at(unmet, i));
                buf_add_text(into, "\n");
        }
}

/* How much of the fleet may have it how long after its start, signed offline; a server of an older version does not tell. */
static void add_ceiling(struct cli *cli, const struct json *release, struct buf *into)
{
        int64_t start = json_int(json_get(release, "start"), 0), now = cli_now(cli);
        if (!json_count(json_get(release, "ceiling")))
                return;
        buf_addf(into, "%-14s ", "ceiling");
        print_ceiling(into, json_get(release, "ceiling"));
        buf_add_text(into, start > now ? "; from its start in " : "; from its start ");
        print_span(into, start > now ? start - now : now - start);
        buf_add_text(into, start > now ? "\n" : " ago\n");
}

/* Who else had a say, and whether the log has it. */
static void add_approvals(const struct json *release, struct buf *into)
{
        const struct json *approvals = json_get(release, "approvals"), *proof = json_get(release, "has_proof");
        buf_addf(into, "%-14s ", "approved by");
        for (size_t i = 0; i < json_count(approvals); i++) {
                const struct json *one = json_at(approvals, i);
                buf_add_text(into, i ? ", " : "");
                if (json_get(one, "by"))
                        print_clean(into, json_text(json_get(one, "by")));
                else
                        buf_add_text(into, "the emergency keys");
        }
        buf_add_text(into, json_count(approvals) ? "\n" : "-\n");
        if (json_type(proof) == JSON_BOOL)
                buf_addf(into, "%-14s %s\n", "log", json_bool(proof, false) ? "has it, and devices can have the proof" : "no proof yet: no device that asks for one installs it");
}

static enum err show_release(struct cli *cli, const struct json *release, struct buf *into, struct why *why)
{
        static const struct fact facts[] = {
                { "stream", "stream" },   { "counter", "counter" },   { "version", "version" }, { "target", "target" },
                { "floor", "floor" },     { "platforms", "platforms" }, { "files", "files" },   { "bytes", "bytes" },
        };
        static const struct fact dossier[] = {
                { "what", "what" },       { "why", "why" },           { "risk", "risk" },       { "undo", "undo" },
                { "new features", "new_features" },                   { "canary", "canary" },
        };
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), release, into);
        add_ceiling(cli, release, into);
        add_approvals(release, into);
        buf_add_text(into, "\ndossier\n");
        facts_lines(dossier, sizeof(dossier) / sizeof(dossier[0]), json_get(release, "dossier"), into);
        buf_add_text(into, "\nevidence\n");
        enum err e = add_evidence(cli, release, into, why);
        add_gate(cli, json_get(release, "gate"), into);
        return e;
}

static enum err show(struct cli *cli, facts_people *people, struct why *why)
{
        char path[160];
        struct release_id id;
        enum err e = release_id_parse(cli->args->words[0], &id, why);
        if (e)
                return e;
        release_id_path(&id, "/releases", "", path);
        return facts_show(cli, path, people, why);
}

enum err cmd_release_show(struct cli *cli, struct why *why)
{
        return show(cli, show_release, why);
}

static enum err show_evidence(struct cli *cli, const struct json *release, struct buf *into, struct why *why)
{
        enum err e = add_evidence(cli, release, into, why);
        add_gate(cli, json_get(release, "gate"), into);
        return e;
}

enum err cmd_lab_evidence(struct cli *cli, struct why *why)
{
        return show(cli, show_evidence, why);
}
