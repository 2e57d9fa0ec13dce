#include "cli/facts.h"
#include "format/json.h"

static void add_server(struct cli *cli, const struct json *status, struct buf *into)
{
        static const struct fact facts[] = { { "server", "version" }, { "tenant", "tenant" }, { "epoch", "epoch" }, { "releases", "releases" } };
        static const struct fact devices[] = { { "enrolled", "enrolled" }, { "seen in 5 min", "seen_5m" }, { "revoked", "revoked" } };
        int64_t skew = json_int(json_get(status, "now"), cli_now(cli)) - cli_now(cli);
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), status, into);
        /* Requests are refused at 300 s; half of it is worth a word. */
        if (skew > 150 || skew < -150) {
                buf_add_text(into, "clock          differs from ours by ");
                print_span(into, skew < 0 ? -skew : skew);
                buf_add_text(into, "; set one of them right\n");
        }
        buf_add_text(into, "\ndevices\n");
        facts_lines(devices, sizeof(devices) / sizeof(devices[0]), json_get(status, "devices"), into);
}

static void add_log(const struct json *log, struct buf *into)
{
        const int64_t unproven = json_int(json_get(log, "unproven"), 0), waiting = json_int(json_get(log, "waiting"), 0), age_s = json_int(json_get(log, "sufficient_age_s"), -1);
        if (json_type(log) != JSON_OBJECT)
                return;
        buf_add_text(into, "\nlog\n");
        buf_addf(into, "%-14s ", "name");
        print_clean(into, json_text(json_get(log, "origin")));
        buf_addf(into, "\n%-14s %lld", "entries", (long long)json_int(json_get(log, "size"), 0));
        if (waiting)
                buf_addf(into, ", %lld yet to come", (long long)waiting);
        buf_addf(into, "\n%-14s %lld at least\n", "witnesses", (long long)json_int(json_get(log, "threshold"), 0));
        if (json_int(json_get(log, "threshold"), 0) && age_s >= 0) {
                buf_addf(into, "%-14s %lld entries, signed ", "cosigned", (long long)json_int(json_get(log, "sufficient"), 0));
                print_span(into, age_s);
                buf_add_text(into, " ago\n");
        }
        buf_addf(into, "%-14s ", "without proof");
        if (unproven)
                buf_addf(into, "%lld releases: no device installs them; firebreak log cosign gathers cosignatures\n", (long long)unproven);
        else
                buf_add_text(into, "no release\n");
}

static enum err show_status(struct cli *cli, const struct json *status, struct buf *into, struct why *why)
{
        static const struct column metadata[] = {
                { "REPOSITORY", "repository", NULL }, { "ROLE", "role", NULL },           { "VERSION", "version", NULL },
                { "AGE", "age_s", print_seconds },           { "HEALTH", "health", NULL },
        };
        static const struct column rollouts[] = {
                { "STREAM", "stream", NULL },   { "COUNTER", "counter", NULL }, { "STATE", "state", NULL },     { "EXPOSED", "exposed", NULL },
                { "PROVEN", "proven", NULL },   { "HURT", "hurt", NULL },       { "COUNTS", "attributed", NULL }, { "BUDGET", "budget", NULL },   { "SENTENCE", "sentence", NULL },
        };
        struct table table = { .columns = metadata, .column_count = sizeof(metadata) / sizeof(metadata[0]), .now = cli_now(cli) };
        add_server(cli, status, into);
        add_log(json_get(status, "log"), into);
        buf_add_text(into, "\nmetadata\n");
        enum err e = print_table(&table, json_get(status, "metadata"), into, why);
        table.columns = rollouts;
        table.column_count = sizeof(rollouts) / sizeof(rollouts[0]);
        buf_add_text(into, "\nrollouts\n");
        return e ? e : print_table(&table, json_get(status, "rollouts"), into, why);
}

enum err cmd_status(struct cli *cli, struct why *why)
{
        return facts_show(cli, "/status", show_status, why);
}
