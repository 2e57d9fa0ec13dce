#include "cli/facts.h"
#include "format/json.h"

/* The server says what it has; each part is a heading with its facts, a list of objects is one line each. */
static void add_part(const char *name, const struct json *value, struct buf *into)
{
        bool is_list = json_type(value) == JSON_ARRAY && json_count(value) && json_type(json_at(value, 0)) == JSON_OBJECT;
        if (is_list) {
                for (size_t i = 0; i < json_count(value); i++)
                        add_part(i ? "" : name, json_at(value, i), into);
                return;
        }
        OWN(buf) struct buf clean;
        buf_init(&clean, 4096);
        print_clean(&clean, name);
        buf_addf(into, "%-18s ", buf_text(&clean));
        print_value(into, value);
        buf_add_text(into, "\n");
}

static enum err show_status(struct cli *cli, const struct json *status, struct buf *into, struct why *why)
{
        (void)cli;
        for (size_t i = 0; i < json_count(status); i++)
                add_part(json_key_at(status, i), json_value_at(status, i), into);
        return buf_check(into, why);
}

enum err cmd_status(struct cli *cli, struct why *why)
{
        return facts_show(cli, "/status", show_status, why);
}
