/* Replay releases that went wrong, with the code that runs rollouts. What was run is held until the end, so that a report is written whole or not at all;
 * one that cannot be written keeps nobody from what was found out. */
#include "cli/bar.h"
#include "cli/print.h"
#include "cli/replay_facts.h"
#include "cli/replay_plan.h"
#include "format/json.h"
#include "platform/disk_folder.h"
#include "platform/file.h"
#include "replay/catalogue.h"
#include "replay/page.h"

#include <inttypes.h>
#include <string.h>

enum { POINTS = 16384, TEXT_BYTES_MAX = 64 << 10 };      /* points: of four days every 21 s, before they are thinned */

struct replay {
        struct cli *cli;
        struct disk *folder;                     /* where the report goes; NULL: nowhere */
        const char *file;                        /* its name there */
        struct bar bar;
};

static void replay_release(struct replay *replay)
{
        disk_folder_close(replay->folder);
}

static void draw_bar(void *user, double done, const struct study_row *row, uint64_t seed)
{
        struct replay *replay = user;
        char what[120];
        snprintf(what, sizeof(what), "%.40s, %s, seed %" PRIu64, row->scenario->name, row->director->name, seed);
        bar_draw(&replay->bar, done, what);
}

static enum err print_run(void *user, const struct study_row *row, size_t run, struct why *why)
{
        struct replay *replay = user;
        OWN(json) struct json *json = replay_json(row, run);
        OWN(buf) struct buf text;
        buf_init(&text, TEXT_BYTES_MAX);
        enum err e = json_write(json, 0, &text, why);
        buf_add_text(&text, "\n");
        bar_wipe(&replay->bar);
        return e ? e : print_buf(replay->cli, &text, why);
}

/* Before anything runs: nobody waits for an hour to be told that there is no such folder. */
static enum err open_report(struct replay *replay, struct why *why)
{
        const char *path = arg_text(replay->cli->args, OPTION_HTML, NULL), *slash = path ? strrchr(path, '/') : NULL;
        char folder[4096] = ".";
        if (!path)
                return OK;
        if (strcmp(path, "-") == 0)
                return FAIL(why, ERR_USAGE, "--html: a report goes into a file, not to the standard output: --html report.html; a file of the name `-` is ./-");
        if (slash)
                snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
        replay->file = slash ? slash + 1 : path;
        enum err e = file_check_regular(path, why);
        if (!e)
                e = disk_name_check(replay->file, why);
        if (!e)
                e = disk_folder_find(folder, NULL, &replay->folder, why);
        if (!e)
                e = disk_folder_try(replay->folder, replay->file, why);
        return e ? DURING(why, e, "--html %.150s", path) : OK;
}

/* As a shell takes it for one word. */
static void add_word(const char *word, struct buf *into)
{
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-/,:=@%";
        if (*word && !word[strspn(word, plain)]) {
                buf_add_text(into, word);
                return;
        }
        buf_add_text(into, "'");
        for (; *word; word++)
                if (*word == '\'')
                        buf_add_text(into, "'\\''");
                else
                        buf_add(into, word, 1);
        buf_add_text(into, "'");
}

/* What was typed, but for where it goes. */
static void add_command(const struct args *args, struct buf *into)
{
        buf_add_text(into, "firebreak replay ");
        add_word(args->words[0], into);
        for (int i = 0; i < OPTION_COUNT; i++)
                if (args->of[i].count && i != OPTION_HTML && i != OPTION_JSON) {
                        buf_addf(into, " --%s ", option_info((enum option_id)i)->name);
                        add_word(args->of[i].texts[0], into);
                }
}

static enum err write_report(struct replay *replay, const struct study *study, struct why *why)
{
        OWN(buf) struct buf page, command;
        buf_init(&page, LIMIT_PAGE_BYTES);
        buf_init(&command, TEXT_BYTES_MAX);
        if (!replay->folder)
                return OK;
        const char *path = arg_text(replay->cli->args, OPTION_HTML, "");
        unsigned mode = file_mode(path);
        add_command(replay->cli->args, &command);
        enum err e = page_write(study, buf_text(&command), &page, why);
        if (!e)
                e = replay->folder->ops->replace(replay->folder, replay->file, buf_text(&page), page.length, why);
        if (e)
                return DURING(why, e, "the report");
        file_set_mode(path, mode);               /* what is replaced is a new file, for its owner alone */
        return OK;
}

/* The report first, for whoever reads the table may be gone; what is said of it last. */
static enum err tell(struct replay *replay, const struct study *study, bool is_json, struct why *why)
{
        struct why of_report = { .err = OK };
        enum err report = write_report(replay, study, &of_report);
        enum err e = is_json ? OK : replay_table(replay->cli, study, why);
        if (e || !report)
                return e;
        *why = of_report;
        return report;
}

static enum err list(struct cli *cli, struct why *why)
{
        struct scenario *scenarios = NULL;
        size_t count = 0;
        for (int i = 0; i < OPTION_COUNT; i++)
                if (cli->args->of[i].count && i != OPTION_JSON)
                        return FAIL(why, ERR_USAGE, "--%s goes with a scenario; `firebreak replay` alone lists those there are", option_info((enum option_id)i)->name);
        OWN(arena) struct arena *arena = arena_new(catalogue_count() * LIMIT_YAML_BYTES);
        if (!arena)
                return FAIL(why, ERR_NOMEM, "the scenarios");
        enum err e = replay_read_all(arena, &scenarios, &count, why);
        return e ? e : replay_list(cli, scenarios, count, why);
}

enum err cmd_replay(struct cli *cli, struct why *why)
{
        OWN(replay) struct replay replay = { .cli = cli, .bar = { .cli = cli } };
        OWN(replay_plan) struct replay_plan plan = { .arena = NULL };
        OWN(study) struct study study = { .rows = NULL };
        bool is_json = arg_has(cli->args, OPTION_JSON);
        if (!cli->args->word_count)
                return list(cli, why);
        enum err e = replay_plan_read(cli->args, &plan, why);
        if (!e)
                e = open_report(&replay, why);
        if (e)
                return e;
        plan.study.points = replay.folder ? POINTS : 0;
        const struct study_watch watch = { .progress = cli->is_err_live ? draw_bar : NULL, .ran = is_json ? print_run : NULL, .user = &replay };
        e = study_run(&plan.study, &watch, &study, why);
        bar_wipe(&replay.bar);
        return e ? e : tell(&replay, &study, is_json, why);
}
