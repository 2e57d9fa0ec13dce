/* What is in the transparency log: a monitor. Everything that is printed was proved to be there; with a state, also that the log only grew. */
#include "cli/facts.h"
#include "cli/log_entries.h"
#include "cli/log_line.h"
#include "cli/log_reader.h"
#include "cli/log_state.h"
#include "cli/log_trust.h"
#include "format/json.h"

#include <inttypes.h>

enum { EXIT_NOT_ONE_LOG = 3, LINES_BYTES = 1 << 20 };     /* 256 lines are under 300 KB */

struct monitor {
        struct cli *cli;
        const char *path;                /* of the state; NULL: none */
        struct log_state state;
        struct buf note, lines;          /* the newest checkpoint; what is yet to be printed */
        struct checkpoint checkpoint;
};
static void monitor_release(struct monitor *monitor)
{
        log_state_release(&monitor->state);
        buf_done(&monitor->note);
        buf_done(&monitor->lines);
}

/* Printed bundle by bundle, as they are proved. */
static enum err print_entry(void *user, uint64_t index, const struct entry *entry, struct why *why)
{
        struct monitor *monitor = user;
        if (arg_has(monitor->cli->args, OPTION_JSON)) {
                OWN(json) struct json *json = log_line_json(index, entry);
                enum err e = json_write(json, 0, &monitor->lines, why);
                if (e)
                        return e;
                buf_add_text(&monitor->lines, "\n");
        } else {
                log_line(index, entry, &monitor->lines);
        }
        if (index % TILE_WIDTH != TILE_WIDTH - 1 && index + 1 != monitor->checkpoint.head.size)
                return buf_check(&monitor->lines, why);
        enum err e = print_buf(monitor->cli, &monitor->lines, why);
        buf_clear(&monitor->lines);
        return e;
}

/* What the log signed does not go together, or with what it hands out: the newer checkpoint is kept beside the older. */
static enum err report(struct monitor *monitor, struct why *why)
{
        char other[LOG_STATE_PATH_MAX];
        monitor->cli->exit_code = EXIT_NOT_ONE_LOG;
        if (!monitor->state.is_known)
                return DURING(why, ERR_CONTENT, "this is not one log");
        struct why trouble = { 0 };
        if (log_state_keep_other(monitor->path, &monitor->checkpoint.head, &monitor->note, other, &trouble))
                return DURING(why, ERR_CONTENT, "this is not one log (%.200s)", trouble.text);
        return DURING(why, ERR_CONTENT, "this is not one log (its other checkpoint is kept as %.250s)", other);
}

static enum err judge(struct monitor *monitor, const struct tile_store *store, struct why *why)
{
        const struct tree_head *before = &monitor->state.head, *now = &monitor->checkpoint.head;
        enum log_growth growth = LOG_GREW;
        enum err e = log_state_judge(before, now, store, &growth, why);
        if (e)
                return e;
        if (growth == LOG_SHRANK)
                return FAIL(why, ERR_CONTENT, "it had %" PRIu64 " entries, and now has %" PRIu64, before->size, now->size);
        if (growth == LOG_FORKED)
                return FAIL(why, ERR_CONTENT, "it forked: its first %" PRIu64 " entries are not those of before", before->size);
        return OK;
}

static enum err watch(struct monitor *monitor, const struct tile_store *store, struct why *why)
{
        const struct log_entries entries = { .store = store, .head = &monitor->checkpoint.head, .from = monitor->state.head.size, .visit = print_entry, .user = monitor };
        enum err e = judge(monitor, store, why);
        if (!e)
                e = log_entries_read(&entries, why);
        if (e == ERR_CONTENT)
                return report(monitor, why);
        return e || !monitor->path ? e : log_state_keep(monitor->path, &monitor->state, &monitor->note, why);
}

enum err cmd_log_list(struct cli *cli, struct why *why)
{
        OWN(monitor) struct monitor monitor = { .cli = cli, .path = arg_text(cli->args, OPTION_STATE, NULL) };
        OWN(api) struct api *api = NULL;
        OWN(log_reader) struct log_reader *reader = NULL;
        struct log_trust trust;
        buf_init(&monitor.note, LIMIT_CHECKPOINT_BYTES);
        buf_init(&monitor.lines, LINES_BYTES);
        log_state_init(&monitor.state);
        enum err e = log_trust_read(cli, &trust, why);
        if (!e && monitor.path)
                e = log_state_read(monitor.path, &trust.log, &monitor.state, why);
        if (!e)
                e = api_open_public(cli, &api, why);
        if (!e)
                e = log_reader_open(api, &reader, why);
        if (!e)
                e = log_reader_checkpoint(reader, &trust.log, &monitor.note, &monitor.checkpoint, why);
        if (e)
                return e;
        const struct tile_store store = log_reader_store(reader);
        return watch(&monitor, &store, why);
}
