/* The newest checkpoint of the transparency log, and who cosigned it. */
#include "cli/facts.h"
#include "cli/log_reader.h"
#include "cli/log_trust.h"
#include "format/hex.h"
#include "format/json.h"
#include "log/cosignature.h"

enum { TEXT_BYTES = 1 << 16 };

/* Of each: when it cosigned; what does not fit makes the whole checkpoint void, here as on a device. */
static enum err add_witnesses(const struct checkpoint *checkpoint, const struct log_trust *trust, struct json *into, struct why *why)
{
        struct json *list = json_new_array();
        int64_t count = 0;
        enum err e = OK;
        for (size_t i = 0; !e && i < trust->witnesses.count; i++) {
                struct json *witness = json_new_object();
                int64_t time = 0;
                e = cosignature_time(checkpoint, &trust->witnesses.keys[i], &time, why);
                json_set_text(witness, "name", trust->witnesses.keys[i].name);
                json_set(witness, "cosigned", e ? json_new_null() : json_new_int(time));
                json_add(list, witness);
                count += !e;
                e = e == ERR_NOT_FOUND ? OK : e;
        }
        json_set(into, "witnesses", list);
        json_set_int(into, "cosigned", count);
        json_set_int(into, "threshold", (int64_t)trust->witnesses.threshold);
        return e;
}

static void add_head(const struct checkpoint *checkpoint, struct json *into)
{
        char root[65];
        hex_encode(checkpoint->head.root.bytes, sizeof(checkpoint->head.root.bytes), root);
        json_set_text(into, "origin", checkpoint->origin);
        json_set_int(into, "size", (int64_t)checkpoint->head.size);
        json_set_text(into, "root", root);
}

static enum err read_facts(struct cli *cli, const struct log_trust *trust, struct json *into, struct why *why)
{
        OWN(api) struct api *api = NULL;
        OWN(log_reader) struct log_reader *reader = NULL;
        OWN(buf) struct buf note;
        struct checkpoint checkpoint;
        buf_init(&note, LIMIT_CHECKPOINT_BYTES);
        enum err e = api_open_public(cli, &api, why);
        if (!e)
                e = log_reader_open(api, &reader, why);
        if (!e)
                e = log_reader_checkpoint(reader, &trust->log, &note, &checkpoint, why);
        if (e)
                return e;
        add_head(&checkpoint, into);
        return add_witnesses(&checkpoint, trust, into, why);
}

static enum err write_lines(const struct cli *cli, const struct json *json, struct buf *into, struct why *why)
{
        static const struct fact facts[] = { { "log", "origin" }, { "entries", "size" }, { "root", "root" } };
        static const struct column columns[] = { { "WITNESS", "name", NULL }, { "COSIGNED", "cosigned", print_ago } };
        const struct table table = { .columns = columns, .column_count = sizeof(columns) / sizeof(columns[0]), .now = cli_now(cli) };
        const struct json *witnesses = json_get(json, "witnesses");
        facts_lines(facts, sizeof(facts) / sizeof(facts[0]), json, into);
        if (!json_count(witnesses)) {
                buf_add_text(into, "cosigned       by no witness that we know of: only the log's own word\n");
                return OK;
        }
        buf_addf(into, "cosigned       by %lld of %zu witnesses, and it takes %lld\n\n", (long long)json_int(json_get(json, "cosigned"), 0), json_count(witnesses),
                 (long long)json_int(json_get(json, "threshold"), 0));
        return print_table(&table, witnesses, into, why);
}

enum err cmd_log_show(struct cli *cli, struct why *why)
{
        OWN(json) struct json *json = json_new_object();
        OWN(buf) struct buf lines;
        struct log_trust trust;
        buf_init(&lines, TEXT_BYTES);
        enum err e = log_trust_read(cli, &trust, why);
        if (!e)
                e = read_facts(cli, &trust, json, why);
        if (!e && !json_is_whole(json))
                e = FAIL(why, ERR_NOMEM, "telling of the log");
        if (!e && arg_has(cli->args, OPTION_JSON))
                return print_json(cli, json, why);
        if (!e)
                e = write_lines(cli, json, &lines, why);
        return e ? e : print_buf(cli, &lines, why);
}
